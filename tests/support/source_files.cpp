#include "tests/support/source_files.h"

#include <cstdlib>

namespace kern::testing {
namespace {
std::string below(const char* variable, const char* compiled, const std::string& relative) {
  const char* given = std::getenv(variable);
  return std::string(given && *given ? given : compiled) + "/" + relative;
}
}  // namespace

std::string source_file(const std::string& relative) { return below("KERN_SOURCE_DIR", KERN_SOURCE_DIR, relative); }
std::string build_file(const std::string& relative) { return below("KERN_BINARY_DIR", KERN_BINARY_DIR, relative); }

}  // namespace kern::testing
