#include "kernels/common/emulator/symbols.h"

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "kernels/common/error.h"

namespace kern::emulator {

std::string short_path(const std::string& p) {
  for (const char* library : {"/kernels/", "/tests/", "/engine/"})
    if (const size_t at = p.rfind(library); at != std::string::npos) return p.substr(at + 1);
  return p;
}

std::string line_of(void* pc) {
  Dl_info info{};
  if (!dladdr(pc, &info) || !info.dli_fname) return "an unknown line";
  const uintptr_t offset = reinterpret_cast<uintptr_t>(pc) - reinterpret_cast<uintptr_t>(info.dli_fbase) - 1;
  char command[4200];
  // The base of a program at a fixed address is its address, of any other one 0.
  std::snprintf(command, sizeof command, "addr2line -e '%s' 0x%llx 2>/dev/null", info.dli_fname,
                static_cast<unsigned long long>(offset));
  if (FILE* out = popen(command, "r")) {
    char line[2000] = "";
    const bool read = std::fgets(line, sizeof line, out) != nullptr;
    pclose(out);
    std::string place = line;
    if (const size_t end = place.find_first_of(" \n"); end != std::string::npos) place.resize(end);
    if (read && !place.empty() && place[0] != '?') return short_path(place);
  }
  if (!info.dli_sname) return "an unknown line";
  int status = 0;
  char* name = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  const std::string function = status == 0 && name ? name : info.dli_sname;
  std::free(name);
  return text(function, ", ", reinterpret_cast<uintptr_t>(pc) - reinterpret_cast<uintptr_t>(info.dli_saddr),
              " bytes in");
}

}  // namespace kern::emulator
