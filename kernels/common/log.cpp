#include "kernels/common/log.h"

#include <cstdio>
#include <mutex>
#include <utility>

namespace kern {
namespace {
std::mutex mutex;
LogSink& sink() {
  static LogSink s = [](LogLevel level, const std::string& message) {
    std::fprintf(stderr, "%s%s\n", level == LogLevel::warning ? "warning: " : "", message.c_str());
  };
  return s;
}
}  // namespace

void log(LogLevel level, const std::string& message) {
  std::lock_guard lock(mutex);
  if (sink()) sink()(level, message);
}

LogSink set_log_sink(LogSink s) {
  std::lock_guard lock(mutex);
  return std::exchange(sink(), std::move(s));
}

}  // namespace kern
