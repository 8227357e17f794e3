#include "kernels/common/log.h"

#include <cstdio>
#include <mutex>
#include <utility>

#include "kernels/common/terminal.h"

namespace kern {
namespace {
std::mutex mutex;
LogSink& sink() {
  static LogSink s = [](LogLevel level, const std::string& message) {
    const std::string word = level == LogLevel::warning ? painted("warning:", Colour::yellow) + " " : "";
    std::fprintf(stderr, "%s%s\n", word.c_str(), terminal_text(message).c_str());
  };
  return s;
}
}  // namespace

std::string terminal_text(std::string message) {
  for (char& c : message)
    if (const auto code = static_cast<unsigned char>(c); (code < 32 && c != '\n' && c != '\t') || code == 127) c = '?';
  // U+0080 to U+009F, as two bytes of UTF-8: some terminals obey those too.
  for (size_t i = 0; i + 1 < message.size(); ++i)
    if (message[i] == '\xc2' && static_cast<unsigned char>(message[i + 1]) < 0xa0 &&
        static_cast<unsigned char>(message[i + 1]) >= 0x80)
      message[i] = message[i + 1] = '?';
  return message;
}

void log(LogLevel level, const std::string& message) {
  std::lock_guard lock(mutex);
  if (sink()) sink()(level, message);
}

LogSink set_log_sink(LogSink s) {
  std::lock_guard lock(mutex);
  return std::exchange(sink(), std::move(s));
}

}  // namespace kern
