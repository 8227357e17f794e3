#include "apps/info.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "apps/build_info.h"
#include "apps/command.h"
#include "apps/model_card.h"
#include "engine/atomic_file.h"
#include "engine/gpu.h"
#include "engine/processor.h"
#include "engine/tuner.h"
#include "kernels/common/cuda_libraries.h"
#include "kernels/common/op_list.h"
#include "kernels/common/parallel.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {

void show_tuned() {
  const std::vector<TunedCase> cases = tuned_cases();
  const std::string path = tuning_cache_path().string();
  if (cases.empty()) {
    std::printf("nothing was measured on this machine with this build%s%s; KERN_TUNE=on or tune=on does it\n",
                path.empty() ? "" : ", says ", path.c_str());
    return;
  }
  std::printf("Measured on this machine with this build, kept in %s\n", path.c_str());
  size_t entry = 0, spec = 0, row = 0;
  for (const TunedCase& c : cases) {
    entry = std::max(entry, c.entry.size());
    spec = std::max(spec, c.spec.size());
    row = std::max(row, c.impl.size());
  }
  for (const TunedCase& c : cases) {
    const size_t threads = c.machine.rfind("threads ");
    std::printf("%-*s  %-*s  %-*s %10.1f us  %s  %s%s%s\n", int(entry), c.entry.c_str(), int(spec), c.spec.c_str(),
                int(row), c.impl.c_str(), c.microseconds, c.precision.c_str(), c.day.c_str(),
                threads == c.machine.npos ? "" : "  ", threads == c.machine.npos ? "" : c.machine.c_str() + threads);
  }
}

}  // namespace

std::string version() { return build_info::kVersion; }

std::string ops_table() {
  std::vector<Device> devices{Device::cpu};
  for (const auto& op : kernels::op_list())
    for (const auto& row : op.impls)
      if (row.device == Device::cuda && devices.size() == 1) devices.push_back(Device::cuda);
  std::string head = "| op |", rule = "| --- |", body;
  for (const Device d : devices) head += " " + std::string(to_string(d)) + " |", rule += " --- |";
  for (const auto& op : kernels::op_list()) {
    body += "| `" + std::string(op.op) + "` |";
    for (const Device d : devices) {
      std::string rows;
      for (const auto& row : op.impls)
        if (row.device == d) rows += (rows.empty() ? " " : ", ") + std::string(row.name);
      body += rows + " |";
    }
    body += "\n";
  }
  return head + "\n" + rule + "\n" + body;
}

void add_build_and_machine(Figures& figures) {
  figures.add("version", version());
  figures.add("build", build_info::kBuildType);
  figures.add("compiler", build_info::kCompiler);
  figures.add("flags", build_info::kFlags);
  figures.add("sanitizers", build_info::kSanitizers);
  figures.add("libraries", build_info::kLibraries);
  figures.add("processor", processor_name());
  figures.add("simd", simd_targets());
  figures.add("threads", thread_count());
  std::string why;
  figures.add("devices", gpu_available(&why) ? "cpu, cuda" : "cpu");
  if (gpu_available()) {
    const GpuInfo gpu = gpu_info();
    figures.add("gpu",
                text(gpu.name, gpu.emulated ? "" : text(", sm_", gpu.major, gpu.minor), ", ", gpu.multiprocessors,
                     " multiprocessors, ", gpu.memory >> 20, " MiB, ", gpu.free >> 20, " MiB free"));
  } else {
    figures.add("gpu", "none: " + why);
  }
  for (const auto& library : kernels::cuda_libraries()) figures.add(std::string(library.name), library.found);
  figures.add("ops", int(kernels::op_list().size()));
}

void show_info(const InfoOptions& options) {
  if (!options.model.empty()) {
    const Figures card = model_card(training::find_model_file(options.model));
    show_model(card);
    if (!options.json.empty()) write_file(options.json, card.to_json());
    return;
  }
  Figures figures;
  add_build_and_machine(figures);
  if (options.ops) {
    std::fputs(ops_table().c_str(), stdout);
  } else if (options.tuned) {
    show_tuned();
  } else {
    for (const auto& [name, value] : figures.lines())
      std::printf("%-12s %s\n", name.c_str(), value.empty() ? "none" : value.c_str());
  }
  if (!options.json.empty()) write_file(options.json, figures.to_json());
}

}  // namespace kern::apps
