// The classes of a segmentation: names and colours as people see them in every figure and file.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kern::training {

struct ClassInfo {
  std::string name;
  std::string colour;  // "#rrggbb"
};
using ClassList = std::vector<ClassInfo>;

inline constexpr int64_t kMaxClasses = 4096;

// The i-th default colour, "#rrggbb": Okabe and Ito's palette (distinguishable with any colour vision), then Tol's
// "muted" set, then steps of the golden angle round the hue circle. Never the same twice among the first 256.
std::string default_colour(int64_t i);

// A list with default colours for the given names.
ClassList make_classes(const std::vector<std::string>& names);

// Error when there is no class or too many, a name is empty or repeated, or a colour is not "#rrggbb".
void check_classes(const ClassList& classes);

}  // namespace kern::training
