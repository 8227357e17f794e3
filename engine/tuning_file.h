// What the tuner measured, as lines of text. One line is one case:
//
//   conv2d forward | n=4 h=128 w=128 c=16 k=16 r=3 s=3 … | winograd_avx512 | 812.4 us | f32 | winograd_avx512,avx512,…
//   | cpu: …, 2 threads | 3fa94c12 | 2026-11-21
//
// that is: what, the case, the implementation that serves and its median, precision, the implementations that were compared, the machine, the
// kernels' build, the day. Lines are only ever added, each by one write at the file's end: several processes may do
// that at a time. Where two lines are about the same, the first holds, so that what was chosen once stays chosen.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kern {

struct TunedCase {
  std::string entry, spec;  // "conv2d forward", "n=4 h=128 …"
  std::string impl;
  double microseconds = 0;
  std::string precision, impls, machine, kernels, day;
};
std::string line_of(const TunedCase& c);  // with its end of line
// Nothing for a line that is not whole.
std::optional<TunedCase> tuned_case_of(std::string_view line);

class TuningFile {
 public:
  // Reads what is there. A file that is not there is empty; one that cannot be read, or a line that is broken, is named
  // in a warning and passed over.
  explicit TuningFile(std::filesystem::path path);
  const std::filesystem::path& path() const { return path_; }
  const std::vector<TunedCase>& cases() const { return cases_; }  // as they were read
  // Makes file and folder if need be. Where that cannot be done a warning says so once, and nothing is kept.
  void add(const TunedCase& c);

 private:
  std::filesystem::path path_;
  std::vector<TunedCase> cases_;
  bool writable_ = true;
};

// kern/tuned.txt in XDG_CACHE_HOME, or in ~/.cache; empty where the environment names neither.
std::filesystem::path tuning_cache_path();

}  // namespace kern
