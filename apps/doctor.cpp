#include "apps/doctor.h"

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "apps/info.h"
#include "training/run_folder.h"
#include "training/self_check.h"

extern char** environ;

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

std::string first_line(const fs::path& file, const std::string& beginning) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(beginning)) {
      line.erase(0, beginning.size());
      line.erase(std::remove(line.begin(), line.end(), '"'), line.end());
      return line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
    }
  return "unknown";
}

std::string system_name() {
  utsname u{};
  const bool known = ::uname(&u) == 0;
  return fmt::format("{}, {} {} {}", first_line("/etc/os-release", "PRETTY_NAME="), known ? u.sysname : "?",
                     known ? u.release : "?", known ? u.machine : "?");
}

std::string limit(__rlimit_resource which) {
  rlimit l{};
  if (::getrlimit(which, &l) != 0) return "unknown";
  return l.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(l.rlim_cur);
}

std::string free_on(const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  return error ? "unknown: " + error.message() : training::format_bytes(double(space.available)) + " free";
}

std::string value_of(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// KERN_... and OMP_..., which change what is computed or how fast.
std::string settings() {
  std::vector<std::string> all;
  for (char** e = environ; e && *e; ++e)
    if (const std::string_view v = *e; v.starts_with("KERN_") || v.starts_with("CUDA_")) all.emplace_back(v);
  std::sort(all.begin(), all.end());
  return all.empty() ? "none" : fmt::format("{}", fmt::join(all, " "));
}

}  // namespace

void describe_doctor(training::Schema& keys, DoctorConfig& c) {
  keys.section("Doctor").key("check", c.check, "compute a few small cases too, and look whether all is right");
}

void run_doctor(const DoctorConfig& c, Call& call) {
  add_build_and_machine(call.figures);
  Figures& f = call.figures;
  f.add("system", system_name());
  f.add("libc", std::string("glibc ") + ::gnu_get_libc_version());
  f.add("memory",
        first_line("/proc/meminfo", "MemTotal:") + ", available " + first_line("/proc/meminfo", "MemAvailable:"));
  f.add("swap", first_line("/proc/meminfo", "SwapTotal:"));
  f.add("limits", fmt::format("address space {}, file size {}, open files {}, stack {}", limit(RLIMIT_AS),
                              limit(RLIMIT_FSIZE), limit(RLIMIT_NOFILE), limit(RLIMIT_STACK)));
  std::error_code none;
  f.add("disk_here", free_on(fs::current_path(none)));
  const fs::path temporary = fs::temp_directory_path(none);
  f.add("disk_temporary", temporary.string() + ", " + free_on(temporary));
  f.add("locale", fmt::format("LANG={} LC_ALL={}, numbers {}", value_of("LANG"), value_of("LC_ALL"),
                              std::setlocale(LC_NUMERIC, nullptr)));
  f.add("terminal", fmt::format("{}{}", value_of("TERM"), ::isatty(STDERR_FILENO) ? "" : ", output is no terminal"));
  f.add("settings", settings());
  size_t width = 0;
  for (const auto& [name, value] : f.lines()) width = std::max(width, name.size());
  for (const auto& [name, value] : f.lines()) fmt::print("{:<{}}  {}\n", name, width, value.empty() ? "none" : value);
  if (!c.check) return;
  bool good = true;
  for (const training::SelfCheck& check : training::self_check()) {
    good = good && check.problem.empty();
    fmt::print("{}: {}\n", check.name, check.problem.empty() ? "yes" : "NO: " + check.problem);
    f.add("check." + check.name, check.problem.empty() ? "yes" : check.problem);
  }
  fmt::print("{}\n", good ? "all is well here; a report of a problem is complete with the lines above and the command"
                          : "something is wrong here: please report the lines above");
  if (!good) call.exit_code = kOurs;
}

}  // namespace kern::apps
