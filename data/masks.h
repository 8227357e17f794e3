// Masks: how the values of an image file become classes, one per pixel.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/image.h"

namespace kern::data {

struct ImageClass {
  std::string name;
  std::string colour;       // "#rrggbb", or empty
  std::vector<int> values;  // of an index mask; empty: its place in the list
};
// A text file with one class a line, in index order: "road", "road #804080" or "road 128 64 128". Empty lines and lines
// that begin with "# " are skipped.
std::vector<ImageClass> read_class_list(const std::filesystem::path& path);

enum class MaskKind {
  index,    // a grey level or palette index is a value of a class
  colour,   // a colour is the class of that colour; palettes are colours here
  nonzero,  // any value but 0 is class 1
  zero,     // 0 is class 1: masks that are white outside
  alpha,    // anything but wholly transparent is class 1
};

constexpr bool is_binary(MaskKind kind) { return kind != MaskKind::index && kind != MaskKind::colour; }

inline constexpr uint8_t kIgnoredPixel = 255;  // in label rasters: takes no part
inline constexpr int kMaxImageClasses = 254;
using Labels = Raster<uint8_t>;  // [H,W,1] class, or kIgnoredPixel

struct MaskOptions {
  MaskKind kind = MaskKind::index;
  std::vector<ImageClass> classes;  // with nonzero, zero and alpha: none, or two
  std::vector<int> ignore;          // values of an index mask that take no part
  bool ignore_unmapped = false;     // nor do values and colours that no class has; otherwise they are an error
};

class MaskReader {
 public:
  // Error when the options contradict themselves: a value or colour of two classes, colours that are missing.
  explicit MaskReader(MaskOptions options);
  // What no class has, by "255" or "#ff0000", and on how many pixels.
  using Unmapped = std::map<std::string, int64_t>;
  // Values that no class has are an Error here, which names the first of them and what to do, unless `unmapped` takes
  // them (their pixels are ignored then). Errors besides: what image.h refuses; a JPEG, whose compression changes
  // values; colours where indices are expected.
  Labels read(const std::filesystem::path& path, Unmapped* unmapped = nullptr) const;
  Labels decode(const StoredImage& stored, const std::string& name, Unmapped* unmapped = nullptr) const;
  int classes() const { return classes_; }
  // "map it with the classes' values=, or set ignore=255": for a value that read() could not map.
  std::string remedy(const std::string& unmapped) const;

 private:
  MaskOptions options_;
  int classes_ = 0;
  std::vector<int16_t> of_value_;          // [65536] class, -1 unmapped, kIgnoredPixel
  std::map<uint32_t, uint8_t> of_colour_;  // rgb
};

}  // namespace kern::data
