#include "engine/tuning_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "kernels/common/log.h"

namespace kern {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kBetween = " | ";
constexpr uintmax_t kLargest = 64 << 20;  // of a file that is read: some 200 000 lines

std::string clean(std::string_view field) {  // nothing that would end the field
  std::string out(field);
  for (char& c : out)
    if (c == '|' || c == '\n' || c == '\r') c = '/';
  return out;
}

// "2026-11-21": the last field, so a line that was cut short is known by it.
bool is_day(std::string_view word) {
  if (word.size() != 10) return false;
  for (size_t i = 0; i < word.size(); ++i)
    if (i == 4 || i == 7 ? word[i] != '-' : word[i] < '0' || word[i] > '9') return false;
  return true;
}

}  // namespace

std::string line_of(const TunedCase& c) {
  char tenths[32];
  std::snprintf(tenths, sizeof tenths, "%.1f", c.microseconds);
  std::string line;
  for (const std::string& field :
       {c.entry, c.spec, c.impl, std::string(tenths) + " us", c.precision, c.impls, c.machine, c.kernels, c.day})
    line += (line.empty() ? "" : std::string(kBetween)) + clean(field);
  return line + "\n";
}

std::optional<TunedCase> tuned_case_of(std::string_view line) {
  std::array<std::string_view, 9> fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    const size_t end = i + 1 < fields.size() ? line.find(kBetween) : line.size();
    if (end == line.npos) return {};
    fields[i] = line.substr(0, end);
    if (fields[i].empty()) return {};
    line.remove_prefix(std::min(line.size(), end + kBetween.size()));
  }
  if (!fields[3].ends_with(" us") || !is_day(fields[8])) return {};
  const std::string number(fields[3].substr(0, fields[3].size() - 3));
  char* end = nullptr;
  const double microseconds = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || !std::isfinite(microseconds)) return {};
  const auto field = [&](size_t i) { return std::string(fields[i]); };
  return TunedCase{field(0), field(1), field(2), microseconds, field(4), field(5), field(6), field(7), field(8)};
}

TuningFile::TuningFile(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  if (path_.empty() || !fs::exists(path_, error)) return;
  const uintmax_t size = fs::file_size(path_, error);
  if (error || size > kLargest) {
    warn("tuning: ", path_.string(), " is ", error ? "no file that can be read" : "too large",
         ": what it holds is not used; remove it, and implementations are measured anew");
    writable_ = false;
    return;
  }
  std::string content;
  try {
    content = read_file(path_);
  } catch (const Error& e) {
    warn("tuning: ", e.sentence(), ": what it holds is not used");
    return;
  }
  int number = 0, broken = 0, first_broken = 0;
  for (std::string_view rest = content; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    ++number;
    if (line.empty()) continue;
    if (auto c = tuned_case_of(line)) cases_.push_back(std::move(*c));
    else if (++broken == 1) first_broken = number;
  }
  if (broken > 0)
    warn("tuning: line ", first_broken, " of ", path_.string(), " is broken",
         broken > 1 ? text(", and ", broken - 1, " more") : std::string(), ": passed over");
}

void TuningFile::add(const TunedCase& c) {
  if (path_.empty() || !writable_) return;
  const auto give_up = [&](std::string_view why) {
    writable_ = false;
    warn("tuning: what is measured cannot be kept in ", path_.string(), " (", why,
         "): it serves this process alone, and is measured again the next time");
  };
  std::error_code error;
  fs::create_directories(path_.parent_path(), error);
  const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) return give_up(std::strerror(errno));
  std::string line = line_of(c);
  // Behind a line that was cut short a new one begins.
  const off_t size = ::lseek(file, 0, SEEK_END);
  char last = '\n';
  if (size > 0 && ::pread(file, &last, 1, size - 1) == 1 && last != '\n') line.insert(0, "\n");
  const ssize_t written = ::write(file, line.data(), line.size());
  const int code = errno;
  ::close(file);
  if (written != ssize_t(line.size())) give_up(written < 0 ? std::strerror(code) : "the disk is full");
}

fs::path tuning_cache_path() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && cache[0] == '/') return fs::path(cache) / "kern" / "tuned.txt";  // relative ones are to be ignored
  if (home && home[0] == '/') return fs::path(home) / ".cache" / "kern" / "tuned.txt";
  return {};
}

}  // namespace kern
