#include "training/step_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "engine/dry_run.h"
#include "engine/gpu.h"
#include "kernels/common/error.h"
#include "kernels/common/log.h"
#include "training/progress.h"
#include "training/run_folder.h"

namespace kern::training {
namespace {
namespace fs = std::filesystem;

// The number that a file holds; nothing if it is not there or says something else ("max").
std::optional<size_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  size_t n = 0;
  if (file >> n) return n;
  return {};
}
// The number behind a word at the beginning of a line: "MemAvailable:   24113000 kB".
std::optional<size_t> number_after(const fs::path& path, std::string_view word) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream parts(line);
    std::string first;
    size_t n = 0;
    if (parts >> first >> n && first == word) return n;
  }
  return {};
}

// What one cgroup leaves; files that were read and can be dropped do not count as used.
std::optional<size_t> left_in(const fs::path& group, const char* limit, const char* usage, const char* inactive) {
  const auto most = number_in(group / limit), used = number_in(group / usage);
  if (!most || !used) return {};
  const size_t held = *used - std::min(*used, number_after(group / "memory.stat", inactive).value_or(0));
  return *most - std::min(*most, held);
}

}  // namespace

StepMemory memory_of_step(const std::function<void()>& step, Device device) {
  const MemoryCounters now = memory_counters(device);
  const DryRun dry_run;
  for (int i = 0; i < 2; ++i) step();
  const MemoryCounters more = dry_run.counters(device);
  return {now.live + more.peak, now.reserved + more.reserved};
}

std::optional<size_t> bytes_for_tensors(const fs::path& root) {
  std::optional<size_t> least;
  auto consider = [&](std::optional<size_t> free) {
    if (free) least = std::min(least.value_or(*free), *free);
  };
  if (const auto kilobytes = number_after(root / "proc/meminfo", "MemAvailable:")) consider(*kilobytes * 1024);
  // Lines "0::/a/b" (version 2) and "4:memory:/a/b" (version 1). Every group above limits this one too; in a container
  // the path may be the host's, and then its root is what can be seen.
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    const fs::path top = root / (controllers.empty() ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
    for (fs::path group = fs::path(line.substr(second + 1)).relative_path();; group = group.parent_path()) {
      if (controllers.empty()) consider(left_in(top / group, "memory.max", "memory.current", "inactive_file"));
      else consider(left_in(top / group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"));
      if (group.empty()) break;
    }
  }
  if (least) *least += memory_counters().reserved;
  return least;
}

std::optional<size_t> bytes_for_tensors_on_gpu() { return gpu_info().free + memory_counters(Device::cuda).reserved; }

std::string too_large(int batch, size_t available, const std::function<size_t(int batch)>& bytes,
                      std::string_view otherwise) {
  auto shown = [](size_t n) { return format_bytes(double(n)); };
  const size_t needed = bytes(batch);
  if (needed <= available) return {};
  int fits = 0, too_many = batch;
  while (too_many - fits > 1) {
    const int middle = fits + (too_many - fits) / 2;
    (bytes(middle) <= available ? fits : too_many) = middle;
  }
  const std::string what = text("batch ", batch, " needs ", shown(needed), ", ", shown(available), " are free: ");
  return fits > 0 ? text(what, "use batch=", fits, " or ", otherwise)
                  : text(what, "not even batch=1 fits; use ", otherwise);
}

StepMemory announce_memory(const Recipe& recipe, const std::function<StepMemory(int batch)>& foresee, Device device,
                           std::string_view otherwise, size_t data) {
  const StepMemory foreseen = foresee(recipe.batch);
  fmt::print("a step needs {}, with what is kept for the next {}{}\n", format_bytes(double(foreseen.peak)),
             format_bytes(double(foreseen.reserved)),
             data > 0 ? fmt::format("; the data take up to {} besides", format_bytes(double(data))) : "");
  std::fflush(stdout);
  if (const auto available = device == Device::cpu ? bytes_for_tensors() : bytes_for_tensors_on_gpu()) {
    const std::string advice = too_large(
        recipe.batch, *available, [&](int b) { return foresee(b).reserved; }, otherwise);
    check(recipe.force || foreseen.peak <= *available, advice, "; force=true tries it all the same");
    if (!advice.empty()) warn(advice);
  }
  return foreseen;
}

}  // namespace kern::training
