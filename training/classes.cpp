#include "training/classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

constexpr std::array kPalette = {
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999",  // Okabe and Ito 2008
    "#332288", "#117733", "#88ccee", "#882255", "#ddcc77", "#44aa99", "#cc6677", "#aa4499",  // Tol 2021, "muted"
};

// One channel of a colour given by hue (in turns), saturation and lightness; n is 0 for red, 8 for green, 4 for blue.
int channel(double hue, double saturation, double lightness, double n) {
  const double k = std::fmod(n + hue * 12, 12.0);
  const double a = saturation * std::min(lightness, 1 - lightness);
  return int(std::lround(255 * (lightness - a * std::max(-1.0, std::min({k - 3, 9 - k, 1.0})))));
}

bool is_colour(const std::string& c) {
  const auto is_hex = [](char d) { return (d >= '0' && d <= '9') || (d >= 'a' && d <= 'f') || (d >= 'A' && d <= 'F'); };
  return c.size() == 7 && c[0] == '#' && std::all_of(c.begin() + 1, c.end(), is_hex);
}

}  // namespace

std::string default_colour(int64_t i) {
  i = std::max<int64_t>(i, 0);
  if (i < int64_t(kPalette.size())) return kPalette[size_t(i)];
  const double golden = 0.6180339887498949;
  const double hue = std::fmod(double(i) * golden, 1.0);
  const double lightness = 0.35 + 0.15 * double(i % 3);
  return fmt::format("#{:02x}{:02x}{:02x}", channel(hue, 0.65, lightness, 0), channel(hue, 0.65, lightness, 8),
                     channel(hue, 0.65, lightness, 4));
}

ClassList make_classes(const std::vector<std::string>& names) {
  ClassList classes;
  for (const auto& name : names) classes.push_back({name, default_colour(int64_t(classes.size()))});
  check_classes(classes);
  return classes;
}

void check_classes(const ClassList& classes) {
  check(!classes.empty(), "no classes are given: a segmentation needs at least one class name");
  check(int64_t(classes.size()) <= kMaxClasses, classes.size(), " classes are given, at most ", kMaxClasses,
        " are supported");
  std::set<std::string> seen;
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto& [name, colour] = classes[i];
    check(!name.empty(), "class ", i, " has an empty name: every class needs a name of its own");
    check(seen.insert(name).second, "the class name '", name, "' is given twice: every class needs a name of its own");
    check(is_colour(colour), "class '", name, "' has the colour '", colour,
          "': write it as #rrggbb, for example #e69f00");
  }
}

}  // namespace kern::training
