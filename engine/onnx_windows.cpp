#include <algorithm>

#include "engine/onnx_ops.h"

namespace kern {

// Neighbours of every sample side by side, [N,C,2R+1,L]: beyond an end the end's value, and 0 in `inside`, by which
// means leave them out. Deviations are taken from the mean, in two passes, as Kern does.
void window_features_to_onnx(OnnxBuilder& to, const TracedOp& op) {
  using Ints = std::vector<int64_t>;
  OnnxGraph& g = to.graph;
  const auto* spec = std::any_cast<WindowsSpec>(&op.spec);
  internal_check(spec && spec->size() == 2, "window_features did not note its offsets and radii");
  const Ints &offsets = (*spec)[0], &radii = (*spec)[1];
  int64_t reach = 0;
  for (const int64_t v : offsets) reach = std::max(reach, v < 0 ? -v : v);
  for (const int64_t v : radii) reach = std::max(reach, v);
  Ints around, places;
  for (int64_t i = -reach; i <= reach; ++i) around.push_back(i);
  for (const int64_t v : offsets) places.push_back(v + reach);

  const std::string x = to.first(op.inputs[0]),
                    length = g.node("Squeeze", {g.node("Shape", {x}, {{"start", int64_t{2}}, {"end", int64_t{3}}})}),
                    samples = g.node("Range", {g.integer(0), length, g.integer(1)}),
                    asked = g.node("Add", {samples, g.node("Unsqueeze", {g.integers(around), g.integers({1})})}),
                    there =
                        g.node("Min", {g.node("Max", {asked, g.integer(0)}), g.node("Sub", {length, g.integer(1)})}),
                    near = g.node("Gather", {x, there}, {{"axis", int64_t{2}}}),
                    inside = g.node("Cast", {g.node("Equal", {asked, there})}, {{"to", int64_t{1}}});
  std::vector<std::string> features{g.node("Gather", {near, g.integers(places)}, {{"axis", int64_t{2}}})};
  for (const int64_t radius : radii) {
    const auto rows = [&](const std::string& of, int64_t axis) {
      return g.node("Slice", {of, g.integers({reach - radius}), g.integers({reach + radius + 1}), g.integers({axis})});
    };
    const std::string values = rows(near, 2), mask = rows(inside, 0),
                      count = g.node("ReduceSum", {mask, g.integers({0})}, {{"keepdims", int64_t{1}}});
    const auto mean = [&](const std::string& of) {
      const std::string sum =
          g.node("ReduceSum", {g.node("Mul", {of, mask}), g.integers({2})}, {{"keepdims", int64_t{1}}});
      return g.node("Div", {sum, count});
    };
    const std::string middle = mean(values), off = g.node("Sub", {values, middle});
    features.push_back(middle);
    features.push_back(g.node("Sqrt", {mean(g.node("Mul", {off, off}))}));
  }
  const std::string all = g.node("Concat", features, {{"axis", int64_t{2}}});
  to.set(op.output, g.node("Reshape", {all, g.integers({0, op.output.channels(), -1})}), true);
}

}  // namespace kern
