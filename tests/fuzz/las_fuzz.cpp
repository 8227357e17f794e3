#include <cmath>

#include "data/las.h"
#include "tests/fuzz/entry.h"

using namespace kern;
using kern::fuzz::accepted;
using kern::fuzz::expect;

// A file that reads keeps its bytes and its curves when a curve is added to it.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  data::LasFile las;
  if (!accepted([&] { las = data::parse_las(bytes, "fuzz.las"); })) return 0;
  expect(las.header + las.data == bytes, "header and data are the file");
  for (const auto& c : las.curves) {
    expect(int64_t(c.values.size()) == las.length(), "curves are of one length");
    expect(las.find(c.name) == &c, "names are unique");
    for (const double v : c.values) expect(!std::isinf(v), "values are finite or missing");
  }
  data::AddedCurve added{"KERN_ADDED", "V/V", "added", std::vector<float>(size_t(las.length()), 0.5f), 3};
  added.values[0] = NAN;
  data::LasFile again;
  if (!accepted([&] { again = data::parse_las(data::las_with_curves(las, {&added, 1}), "again.las"); })) {
    // Refused only where 0.5 is the file's NULL or the name is taken; a text of ours must always read.
    expect(las.null_value == 0.5 || las.find(added.mnemonic) != nullptr, "a file reads again with a curve added");
    return 0;
  }
  expect(again.curves.size() == las.curves.size() + 1 && again.length() == las.length(), "one curve is added");
  for (size_t c = 0; c < las.curves.size(); ++c)
    for (size_t i = 0; i < las.curves[c].values.size(); ++i) {
      const double a = las.curves[c].values[i], b = again.curves[c].values[i];
      expect(a == b || (std::isnan(a) && std::isnan(b)), "the original values stay");
    }
  for (size_t i = 0; i < added.values.size(); ++i) {
    const double b = again.curves.back().values[i];
    expect(i == 0 ? std::isnan(b) : b == 0.5, "the added values read back");
  }
  return 0;
}
