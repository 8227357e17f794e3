#include "benchmarks/kernel_record.h"

#include <fstream>
#include <utility>

#include "engine/json.h"

namespace kern::benchmarks {
namespace {
using nlohmann::ordered_json;
constexpr int kTries = 2;
}  // namespace

KernelRecord::KernelRecord(const std::string& path) : path_(path) {
  std::ifstream in(path);
  std::string line;
  bool whole = true;
  while (std::getline(in, line)) {
    whole = !in.eof();
    const auto json = ordered_json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    const auto name = [&](const char* key) {
      const auto found = json.find(key);
      return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    if (const std::string begun = name("begin"); !begun.empty()) ++before_[begun].begun;
    if (const std::string done = name("implementation"); !done.empty()) before_[done].done = true;
  }
  check(!in.bad(), path, " cannot be read");
  write(whole ? "" : "\n");
}

void KernelRecord::write(const std::string& line) {
  std::ofstream out(path_, std::ios::app);
  out << line << std::flush;
  check(out.good(), path_, " cannot be written: figures of implementations are added to it (append)");
}

bool KernelRecord::begin(const std::string& op, const std::string& shape, const std::string& impl) {
  std::string name = op + "|" + shape + "|" + impl;
  if (const int n = ++asked_[name]; n > 1) name += "|" + std::to_string(n);
  if (const auto found = before_.find(name);
      found != before_.end() && (found->second.done || found->second.begun >= kTries)) {
    ++left_out_;
    return false;
  }
  row_ = name;
  results_.clear();
  write(ordered_json{{"begin", row_}}.dump() + "\n");
  return true;
}

void KernelRecord::add(const KernelResult& result, double peak_copy) { results_.emplace_back(result, peak_copy); }

void KernelRecord::end() {
  ordered_json directions = ordered_json::array();
  for (const auto& [r, copy] : results_)
    directions.push_back({{"direction", r.direction},
                          {"median_ms", r.milliseconds.median},
                          {"lower_ms", r.milliseconds.lower},
                          {"upper_ms", r.milliseconds.upper},
                          {"flops", r.flops},
                          {"bytes", r.bytes},
                          {"peak_gflops", r.machine.gflops},
                          {"peak_copy_gbs", copy}});
  write(ordered_json{{"implementation", row_}, {"directions", directions}}.dump() + "\n");
}

}  // namespace kern::benchmarks
