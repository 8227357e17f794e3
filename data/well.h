// One well as the apps see it: curves and labels sampled along depth.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kern::data {

inline constexpr int kUnlabelled = -1;  // no label at this sample: it takes no part in loss or metrics

// A curve of this name is no curve of the file but the depth of each sample, which is always there.
inline constexpr const char* kDepthCurve = "depth";

struct Curve {
  std::string name, unit;
  std::vector<float> values;  // NaN where nothing was measured; never an invented number
};

struct Well {
  std::string id;             // shown to people, unique in a set
  std::string name, uwi;      // as the file has them, perhaps empty, perhaps shared with another file
  std::string source;         // the file it came from
  std::string depth_unit;     // "m", "ft", or empty when the file does not say
  double step = 0;            // the usual distance between samples
  std::vector<double> depth;  // [L], ascending
  std::vector<Curve> curves;  // each [L], in the order the configuration names them
  std::vector<int> labels;    // [L] class index or kUnlabelled; empty when the well has no label curve at all
  int64_t length() const { return int64_t(depth.size()); }
};

}  // namespace kern::data
