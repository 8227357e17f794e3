#pragma once
#include <string>
#include <vector>

#include "kernels/common/log.h"

namespace kern::testing {

// Collects what is logged in a scope; warnings in it are expected and do not fail the test.
class LogCapture {
 public:
  LogCapture() {
    before_ = set_log_sink([this](LogLevel, const std::string& m) { lines.push_back(m); });
  }
  ~LogCapture() { set_log_sink(std::move(before_)); }
  bool contains(std::string_view part) const {
    for (const auto& l : lines)
      if (l.find(part) != l.npos) return true;
    return false;
  }
  std::vector<std::string> lines;

 private:
  LogSink before_;
};

}  // namespace kern::testing
