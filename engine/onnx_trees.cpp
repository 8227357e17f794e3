#include <limits>

#include "engine/onnx_ops.h"

namespace kern {
namespace {
using Ints = std::vector<int64_t>;

int depth_of(const TreesSpec& trees) {
  std::vector<int32_t> level = trees.roots;
  for (int depth = 0;; ++depth) {
    std::vector<int32_t> next;
    for (const int32_t node : level)
      if (const int32_t child = trees.child[size_t(node)]) next.insert(next.end(), {child, child + 1});
    if (next.empty()) return depth;
    level = std::move(next);
  }
}

}  // namespace

// Every sample walks down all trees at once: `at` [N,T,L] is the node where it stands in each of T. A leaf sends
// whatever comes to itself, so that as many steps as the deepest tree has serve all of them. Plain ops, for
// TreeEnsembleRegressor of ai.onnx.ml is not read everywhere.
void tree_scores_to_onnx(OnnxBuilder& to, const TracedOp& op) {
  const auto* trees = std::any_cast<TreesSpec>(&op.spec);
  internal_check(trees != nullptr, "tree_scores did not note its trees");
  OnnxGraph& g = to.graph;
  const auto T = int64_t(trees->roots.size()), K = int64_t(trees->bias.size()), nodes = int64_t(trees->value.size());
  const Ints feature(trees->feature.begin(), trees->feature.end());
  Ints child(trees->child.begin(), trees->child.end()), missing_left;
  std::vector<float> edges = trees->value, leaves(trees->value.size(), 0.0f);
  for (size_t i = 0; i < edges.size(); ++i) {
    const bool leaf = child[i] == 0;
    missing_left.push_back(leaf || trees->missing_left[i] != 0);
    if (!leaf) continue;
    leaves[i] = edges[i], edges[i] = std::numeric_limits<float>::infinity(), child[i] = int64_t(i);
  }
  const std::string x = to.first(op.inputs[0]), features = g.integers(feature), children = g.integers(child),
                    values = g.floats("trees.edges", {nodes}, edges), given = g.floats("trees.leaves", {nodes}, leaves),
                    absent = g.node("Cast", {g.integers(missing_left)}, {{"to", int64_t{9}}});
  const auto size = [&](int64_t axis) { return g.node("Shape", {x}, {{"start", axis}, {"end", axis + 1}}); };
  const std::string roots =
                        g.node("Unsqueeze", {g.integers({trees->roots.begin(), trees->roots.end()}), g.integers({1})}),
                    shape = g.node("Concat", {size(0), g.integers({T}), size(2)}, {{"axis", int64_t{0}}});
  std::string at = g.node("Expand", {roots, shape});
  for (int step = depth_of(*trees); step > 0; --step) {
    const auto of_node = [&](const std::string& list) { return g.node("Gather", {list, at}); };
    const std::string v = g.node("GatherElements", {x, of_node(features)}, {{"axis", int64_t{1}}}),
                      low = g.node("LessOrEqual", {v, of_node(values)}),  // of NaN: no
        unknown = g.node("Not", {g.node("Equal", {v, v})}),
                      left = g.node("Or", {low, g.node("And", {unknown, of_node(absent)})});
    at = g.node("Add", {of_node(children), g.node("Where", {left, g.integer(0), g.integer(1)})});
  }
  const std::string each = g.node("Reshape", {g.node("Gather", {given, at}), g.integers({0, T / K, K, -1})}),
                    sum = g.node("ReduceSum", {each, g.integers({1})}, {{"keepdims", int64_t{0}}});
  to.set(op.output, g.node("Add", {sum, g.floats("trees.bias", {1, K, 1}, trees->bias)}), true);
}

}  // namespace kern
