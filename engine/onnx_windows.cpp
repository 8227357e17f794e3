#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/onnx_ops.h"

namespace kern {
namespace {
using Ints = std::vector<int64_t>;

template <class Spec>
const Spec& noted(const TracedOp& op) {
  const auto* spec = std::any_cast<Spec>(&op.spec);
  internal_check(spec != nullptr, op.name, " did not note its spec");
  return *spec;
}

// Numbers of a graph in single or double precision.
struct Reals {
  OnnxGraph& g;
  bool in_double;
  int64_t type() const { return in_double ? 11 : 1; }
  std::string cast(const std::string& x) const { return g.node("Cast", {x}, {{"to", type()}}); }
  std::string back(const std::string& x) const { return in_double ? g.node("Cast", {x}, {{"to", int64_t{1}}}) : x; }
  // [1,C,1], for a signal with channels second.
  std::string per_channel(const std::string& name, const std::vector<double>& v) const {
    const Ints dims{1, int64_t(v.size()), 1};
    return in_double ? g.doubles(name, dims, v) : g.floats(name, dims, std::vector<float>(v.begin(), v.end()));
  }
  std::string number(const std::string& name, double v) const { return per_channel(name, {v}); }
};

// What a curve of its own is scaled by: offset and scale [N,C,1] from the values that are there.
struct OffsetAndScale {
  std::string offset, scale;
};
OffsetAndScale own_scales(const Reals& r, const ScaleCurvesSpec::Own& own, const std::string& values,
                          const std::string& known, const OffsetAndScale& otherwise) {
  OnnxGraph& g = r.g;
  const std::string length = g.node("Shape", {values}, {{"start", int64_t{2}}, {"end", int64_t{3}}}),
                    last = g.node("Sub", {length, g.integers({1})}),
                    present =
                        g.node("Where", {known, values, r.number("infinity", std::numeric_limits<double>::infinity())}),
                    sorted = g.node("TopK", {present, length},
                                    {{"axis", int64_t{2}}, {"largest", int64_t{0}}, {"sorted", int64_t{1}}}, {}, 1),
                    count = g.node("ReduceSum", {r.cast(known), g.integers({2})}, {{"keepdims", int64_t{1}}}),
                    most = g.node("Max", {g.node("Sub", {count, r.number("one", 1)}), r.number("zero", 0)});
  const auto quantile = [&](double q) {  // linear between neighbours
    const std::string at = g.node("Mul", {most, r.number("share", q)}), below = g.node("Floor", {at}),
                      rank = g.node("Cast", {below}, {{"to", int64_t{7}}}),
                      next = g.node("Min", {g.node("Add", {rank, g.integers({1})}), last}),
                      low = g.node("GatherElements", {sorted, rank}, {{"axis", int64_t{2}}}),
                      high = g.node("GatherElements", {sorted, next}, {{"axis", int64_t{2}}});
    return g.node("Add", {low, g.node("Mul", {g.node("Sub", {at, below}), g.node("Sub", {high, low})})});
  };
  const std::string middle = quantile(0.5),
                    width = g.node("Div", {g.node("Sub", {quantile(own.high), quantile(own.low)}),
                                           r.number("deviations", own.deviations)}),
                    least = g.node("Mul", {g.node("Abs", {middle}), r.number("least_width", own.least_width)}),
                    enough = g.node("GreaterOrEqual", {count, r.number("least_samples", own.least_samples)}),
                    wide = g.node("And",
                                  {g.node("Greater", {width, least}), g.node("Greater", {width, r.number("zero", 0)})}),
                    good = g.node("And", {enough, wide});
  return {g.node("Where", {good, middle, otherwise.offset}), g.node("Where", {good, width, otherwise.scale})};
}

}  // namespace

void scale_curves_to_onnx(OnnxBuilder& to, const TracedOp& op) {
  const auto& spec = noted<ScaleCurvesSpec>(op);
  const Reals r{to.graph, spec.in_double};
  OnnxGraph& g = to.graph;
  std::string x = to.first(op.inputs[0]);
  if (spec.in_double) x = r.cast(x);
  if (std::find(spec.log10.begin(), spec.log10.end(), true) != spec.log10.end()) {  // those at most 0 are missing
    std::vector<double> which;
    for (const bool log10 : spec.log10) which.push_back(log10);
    const std::string is_log = g.node("Greater", {r.per_channel("curves.log10", which), r.number("zero", 0)}),
                      above = g.node("Greater", {x, r.number("zero", 0)}),
                      missing = r.number("missing", std::numeric_limits<double>::quiet_NaN()),
                      logarithm = g.node("Div", {g.node("Log", {x}), r.number("ln10", std::log(10.0))});
    x = g.node("Where", {is_log, g.node("Where", {above, logarithm, missing}), x});
  }
  OffsetAndScale by{r.per_channel("curves.offset", spec.offset), r.per_channel("curves.scale", spec.scale)};
  if (spec.own) by = own_scales(r, *spec.own, x, g.node("Equal", {x, x}), by);
  to.set(op.output, r.back(g.node("Div", {g.node("Sub", {x, by.offset}), by.scale})), true);
}

// Neighbours of every sample side by side, [N,C,2R+1,L]: beyond an end the end's value, and 0 in `inside`, by which
// means leave them out. Deviations are taken from the mean, in two passes, as Kern does.
void window_features_to_onnx(OnnxBuilder& to, const TracedOp& op) {
  OnnxGraph& g = to.graph;
  const auto& spec = noted<WindowsSpec>(op);
  const Reals r{g, spec.missing};
  int64_t reach = 0;
  for (const int64_t v : spec.offsets) reach = std::max(reach, v < 0 ? -v : v);
  for (const int64_t v : spec.radii) reach = std::max(reach, v);
  Ints around, places;
  for (int64_t i = -reach; i <= reach; ++i) around.push_back(i);
  for (const int64_t v : spec.offsets) places.push_back(v + reach);

  const std::string x = to.first(op.inputs[0]),
                    length = g.node("Squeeze", {g.node("Shape", {x}, {{"start", int64_t{2}}, {"end", int64_t{3}}})}),
                    samples = g.node("Range", {g.integer(0), length, g.integer(1)}),
                    asked = g.node("Add", {samples, g.node("Unsqueeze", {g.integers(around), g.integers({1})})}),
                    there =
                        g.node("Min", {g.node("Max", {asked, g.integer(0)}), g.node("Sub", {length, g.integer(1)})}),
                    near = g.node("Gather", {x, there}, {{"axis", int64_t{2}}});
  std::vector<std::string> features{g.node("Gather", {near, g.integers(places)}, {{"axis", int64_t{2}}})};
  std::string counts = g.node("Equal", {asked, there}), all = near;
  if (spec.missing) {  // [N,C,2R+1,L] from here on
    const std::string wide = r.cast(near);
    counts = g.node("And", {counts, g.node("Equal", {near, near})});
    all = g.node("Where", {counts, wide, r.number("zero", 0)});
  }
  const std::string inside = r.cast(counts);
  for (const int64_t radius : spec.radii) {
    const auto rows = [&](const std::string& of, int64_t axis) {
      return g.node("Slice", {of, g.integers({reach - radius}), g.integers({reach + radius + 1}), g.integers({axis})});
    };
    const int64_t axis = spec.missing ? 2 : 0;
    const std::string values = rows(all, 2), mask = rows(inside, axis),
                      count = g.node("ReduceSum", {mask, g.integers({axis})}, {{"keepdims", int64_t{1}}});
    const auto mean = [&](const std::string& of) {  // of none: NaN
      const std::string sum =
          g.node("ReduceSum", {g.node("Mul", {of, mask}), g.integers({2})}, {{"keepdims", int64_t{1}}});
      return g.node("Div", {sum, count});
    };
    const std::string middle = mean(values), off = g.node("Sub", {values, middle});
    features.push_back(r.back(middle));
    features.push_back(r.back(g.node("Sqrt", {mean(g.node("Mul", {off, off}))})));
  }
  const std::string together = g.node("Concat", features, {{"axis", int64_t{2}}});
  to.set(op.output, g.node("Reshape", {together, g.integers({0, op.output.channels(), -1})}), true);
}

}  // namespace kern
