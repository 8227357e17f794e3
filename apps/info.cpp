#include "apps/info.h"

#include <cstdio>
#include <fstream>
#include <vector>

#include "apps/build_info.h"
#include "apps/command.h"
#include "engine/atomic_file.h"
#include "engine/card.h"
#include "kernels/common/card_libraries.h"
#include "kernels/common/op_list.h"
#include "kernels/common/parallel.h"

namespace kern::apps {
namespace {

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != line.npos) return line.substr(colon + 2);
  return "unknown";
}

std::string simd_targets() {
#if defined(__x86_64__)
  std::string out = "SSE2";
  if (__builtin_cpu_supports("sse4.2")) out += ", SSE4";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) out += ", AVX2";
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) out += ", AVX-512";
  return out;
#elif defined(__aarch64__)
  return "NEON";
#else
  return "none";
#endif
}

}  // namespace

std::string version() { return build_info::kVersion; }

std::string ops_table() {
  std::vector<Device> devices{Device::cpu};
  for (const auto& op : kernels::op_list())
    for (const auto& row : op.rows)
      if (row.device == Device::cuda && devices.size() == 1) devices.push_back(Device::cuda);
  std::string head = "| op |", rule = "| --- |", body;
  for (const Device d : devices) head += " " + std::string(to_string(d)) + " |", rule += " --- |";
  for (const auto& op : kernels::op_list()) {
    body += "| `" + std::string(op.op) + "` |";
    for (const Device d : devices) {
      std::string rows;
      for (const auto& row : op.rows)
        if (row.device == d) rows += (rows.empty() ? " " : ", ") + std::string(row.name);
      body += rows + " |";
    }
    body += "\n";
  }
  return head + "\n" + rule + "\n" + body;
}

void show_info(const InfoOptions& options) {
  Figures figures;
  figures.add("version", version());
  figures.add("build", build_info::kBuildType);
  figures.add("compiler", build_info::kCompiler);
  figures.add("flags", build_info::kFlags);
  figures.add("sanitizers", build_info::kSanitizers);
  figures.add("libraries", build_info::kLibraries);
  figures.add("processor", processor());
  figures.add("simd", simd_targets());
  figures.add("threads", thread_count());
  std::string why;
  figures.add("devices", card_available(&why) ? "cpu, cuda" : "cpu");
  if (card_available()) {
    const CardInfo card = card_info();
    figures.add("card",
                text(card.name, card.emulated ? "" : text(", sm_", card.major, card.minor), ", ", card.multiprocessors,
                     " multiprocessors, ", card.memory >> 20, " MiB, ", card.free >> 20, " MiB free"));
  } else {
    figures.add("card", "none: " + why);
  }
  for (const auto& library : kernels::card_libraries()) figures.add(std::string(library.name), library.found);
  figures.add("ops", int(kernels::op_list().size()));
  if (options.ops) {
    std::fputs(ops_table().c_str(), stdout);
  } else {
    for (const auto& [name, value] : figures.lines())
      std::printf("%-12s %s\n", name.c_str(), value.empty() ? "none" : value.c_str());
  }
  if (!options.json.empty()) write_file(options.json, figures.to_json());
}

}  // namespace kern::apps
