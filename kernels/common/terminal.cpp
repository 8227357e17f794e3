#include "kernels/common/terminal.h"

#include <unistd.h>

#include <cstdlib>

namespace kern {

std::string painted(std::string_view word, Colour colour) {
  const auto set = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string_view(value ? value : "");
  };
  if (::isatty(STDERR_FILENO) != 1 || set("TERM") == "dumb" || set("TERM").empty() || !set("NO_COLOR").empty())
    return std::string(word);
  return "\x1b[1;" + std::to_string(int(colour)) + "m" + std::string(word) + "\x1b[0m";
}

}  // namespace kern
