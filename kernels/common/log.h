// Warnings and notes for a person, on stderr. A test whose code logs a warning fails unless it expected it
// (tests/support).
#pragma once
#include <functional>
#include <string>

#include "kernels/common/error.h"

namespace kern {

enum class LogLevel { info, warning };
using LogSink = std::function<void(LogLevel, const std::string&)>;

void log(LogLevel level, const std::string& message);
// As a terminal may show it: control characters but line breaks and tabs, which a file's name may hold and a terminal
// would obey, are "?".
std::string terminal_text(std::string message);
// Replaces where messages go (default: stderr); returns the sink that was there.
LogSink set_log_sink(LogSink sink);

template <class... Parts>
void warn(const Parts&... parts) {
  log(LogLevel::warning, text(parts...));
}
template <class... Parts>
void inform(const Parts&... parts) {
  log(LogLevel::info, text(parts...));
}

}  // namespace kern
