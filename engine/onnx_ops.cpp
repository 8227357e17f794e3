#include "engine/onnx_ops.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/conv/conv_transpose2d.h"
#include "kernels/elementwise/unary_ops.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/instance_norm.h"
#include "kernels/norm/norm_act.h"
#include "kernels/pool/avg_pool.h"
#include "kernels/pool/upsample.h"
#include "kernels/recurrent/lstm.h"
#include "kernels/reduce/sum_axis.h"
#include "kernels/shape/pad.h"

namespace kern {
namespace {
using Ints = std::vector<int64_t>;
using Attributes = std::vector<OnnxGraph::Attribute>;

[[noreturn]] void refuse(const TracedOp& op, const std::string& why) {
  throw Error(text("the op ", op.name, " of this network cannot be written as ONNX: ", why));
}

template <class Spec>
const Spec& spec_of(const TracedOp& op) {
  const auto* spec = std::any_cast<Spec>(&op.spec);
  internal_check(spec != nullptr, op.name, " did not note its spec for the trace, or another one");
  return *spec;
}

Ints dims_of(const Tensor& t) { return {t.shape().begin(), t.shape().end()}; }

// values [sizes] with its dimensions in this order.
std::vector<float> permuted(const std::vector<float>& values, const Ints& sizes, const Ints& order) {
  Ints stride(sizes.size(), 1), at(sizes.size(), 0);
  for (size_t i = sizes.size(); i-- > 1;) stride[i - 1] = stride[i] * sizes[i];
  std::vector<float> out(values.size());
  for (float& v : out) {
    int64_t from = 0;
    for (size_t i = 0; i < order.size(); ++i) from += at[i] * stride[size_t(order[i])];
    v = values[size_t(from)];
    for (size_t i = order.size(); i-- > 0;) {
      if (++at[i] < sizes[size_t(order[i])]) break;
      at[i] = 0;
    }
  }
  return out;
}

// Positions of a tensor: 1 of a signal, 2 of an image, 3 of a volume.
size_t positions_of(const Tensor& t) { return size_t(t.rank()) - 2; }
// What ends in these: the last n of depth, height and width.
Ints last_of(const Ints& all, size_t n) { return Ints(all.end() - ptrdiff_t(n), all.end()); }
// Ops on volumes that take two turns (engine/ops/pool.h) are named after them.
bool is_along_depth(const TracedOp& op) { return op.name.ends_with("_depth"); }

// From channels last to second, and back.
Ints channels_second_order(int64_t rank) {
  Ints order{0, rank - 1};
  for (int64_t i = 1; i + 1 < rank; ++i) order.push_back(i);
  return order;
}
Ints channels_last_order(int64_t rank) {
  Ints order{0};
  for (int64_t i = 2; i < rank; ++i) order.push_back(i);
  order.push_back(1);
  return order;
}

// Where dimension d of a tensor with channels last stands with channels second.
int64_t first_axis(int d, int rank) { return d == 0 || rank < 3 ? d : d == rank - 1 ? 1 : d + 1; }

// --- one function per op, or per kind of them ---

void convolution(OnnxBuilder& to, const TracedOp& op, const Attributes& by, const std::string& type) {
  const Tensor &w = op.inputs[1], &b = op.inputs[2];
  Ints dims;
  const Ints sizes = dims_of(w), order = channels_second_order(w.rank());
  for (const int64_t d : order) dims.push_back(sizes[size_t(d)]);
  std::vector<std::string> inputs{to.first(op.inputs[0]),
                                  to.initialiser(w, dims, permuted(to.values(op.name.c_str(), w), sizes, order))};
  if (b) inputs.push_back(to.last(b));
  to.set(op.output, to.graph.node(type, inputs, by), true);
}
// Lists of depth, height and width, of which n there are.
Attributes geometry(size_t n, int groups, const Ints& stride, const Ints& dilation, const Ints& before,
                    const Ints& after) {
  Ints pads = last_of(before, n);
  for (const int64_t v : last_of(after, n)) pads.push_back(v);
  return {
      {"strides", last_of(stride, n)}, {"dilations", last_of(dilation, n)}, {"group", int64_t{groups}}, {"pads", pads}};
}
void conv(OnnxBuilder& to, const TracedOp& op) {
  const auto& g = spec_of<kernels::Conv2dSpec>(op);
  convolution(
      to, op,
      geometry(positions_of(op.output), g.groups, {g.stride_d, g.stride_h, g.stride_w}, {g.dil_d, g.dil_h, g.dil_w},
               {g.pad_front, g.pad_top, g.pad_left}, {g.pad_back, g.pad_bottom, g.pad_right}),
      "Conv");
}
void conv_transpose(OnnxBuilder& to, const TracedOp& op) {
  const auto& g = spec_of<kernels::ConvTranspose2dSpec>(op);
  const size_t n = positions_of(op.output);
  Attributes by = geometry(n, g.groups, {g.stride_d, g.stride_h, g.stride_w}, {g.dil_d, g.dil_h, g.dil_w},
                           {g.crop_front, g.crop_top, g.crop_left}, {g.crop_back, g.crop_bottom, g.crop_right});
  by.push_back({"output_padding", last_of({g.planes_added, g.rows_added, g.columns_added}, n)});
  convolution(to, op, by, "ConvTranspose");
}

void linear(OnnxBuilder& to, const TracedOp& op) {
  const Tensor &x = op.inputs[0], &w = op.inputs[1], &b = op.inputs[2];
  const std::vector<float> values = to.values("linear", w);
  const Ints dims = dims_of(w);
  if (x.rank() == 2) {
    std::vector<std::string> inputs{to.last(x), to.initialiser(w, dims, values)};
    if (b) inputs.push_back(to.last(b));
    return to.set(op.output, to.graph.node("Gemm", inputs, {{"transB", int64_t{1}}}), false);
  }
  if (x.rank() >= 3 && x.rank() <= 5 && to.is_first(x)) {  // a convolution of one position, without moving channels
    Ints filter = dims;
    filter.resize(size_t(x.rank()), 1);
    std::vector<std::string> inputs{to.first(x), to.initialiser(w, filter, values)};
    if (b) inputs.push_back(to.last(b));
    return to.set(op.output, to.graph.node("Conv", inputs), true);
  }
  const std::string weight = to.initialiser(w, {dims[1], dims[0]}, permuted(values, dims, {1, 0}));
  std::string y = to.graph.node("MatMul", {to.last(x), weight});
  if (b) y = to.graph.node("Add", {y, to.last(b)});
  to.set(op.output, y, false);
}

// A parameter [C], or as many of that value where it is absent.
std::string channels_or(OnnxBuilder& to, const Tensor& t, int64_t c, float value) {
  if (t) return to.last(t);
  const std::vector<float> all(size_t(c), value);
  return to.graph.floats(value == 0 ? "zeros" : "ones", {c}, all);
}
std::string frozen_norm(OnnxBuilder& to, const TracedOp& op, const Tensor& weight, const Tensor& bias, float eps,
                        bool frozen) {
  if (!frozen) refuse(op, "its network is in training mode");
  const Tensor& x = op.inputs[0];
  const int64_t c = x.channels();
  return to.graph.node("BatchNormalization",
                       {to.first(x), channels_or(to, weight, c, 1), channels_or(to, bias, c, 0), to.last(op.more[0]),
                        to.last(op.more[1])},
                       {{"epsilon", eps}});
}
std::string sample_norm(OnnxBuilder& to, const TracedOp& op, const Tensor& weight, const Tensor& bias, float eps) {
  const int64_t c = op.inputs[0].channels();
  return to.graph.node("InstanceNormalization",
                       {to.first(op.inputs[0]), channels_or(to, weight, c, 1), channels_or(to, bias, c, 0)},
                       {{"epsilon", eps}});
}
void batch_norm(OnnxBuilder& to, const TracedOp& op) {
  const auto& g = spec_of<kernels::BatchNormSpec>(op);
  to.set(op.output, frozen_norm(to, op, op.inputs[1], op.inputs[2], g.eps, g.frozen), true);
}
void instance_norm(OnnxBuilder& to, const TracedOp& op) {
  const auto& g = spec_of<kernels::InstanceNormSpec>(op);
  to.set(op.output, sample_norm(to, op, op.inputs[1], op.inputs[2], g.eps), true);
}
void norm_act(OnnxBuilder& to, const TracedOp& op) {
  const auto& g = spec_of<kernels::NormActSpec>(op);
  if (g.p > 0) refuse(op, "its network is in training mode");
  const Tensor &weight = op.inputs[1], &bias = op.inputs[2], &slope = op.inputs[3], &residual = op.inputs[4];
  std::string y =
      g.per_sample ? sample_norm(to, op, weight, bias, g.eps) : frozen_norm(to, op, weight, bias, g.eps, g.frozen);
  if (g.act == kernels::Activation::relu) y = to.graph.node("Relu", {y});
  if (g.act == kernels::Activation::relu6) y = to.graph.node("Clip", {y, to.graph.real(0), to.graph.real(6)});
  if (g.act == kernels::Activation::prelu) y = to.graph.node("PRelu", {y, to.per_channel(slope, op.output, true)});
  if (g.act == kernels::Activation::silu) y = to.graph.node("Mul", {y, to.graph.node("Sigmoid", {y})});
  if (residual) y = to.graph.node("Add", {y, to.first(residual)});
  to.set(op.output, y, true);
}

// As its input is laid out.
struct Same {
  OnnxBuilder& to;
  const TracedOp& op;
  bool first = to.is_first(op.inputs[0]);
  std::string x = first ? to.first(op.inputs[0]) : to.last(op.inputs[0]);
  void set(const std::string& y) const { to.set(op.output, y, first); }
  std::string node(const char* type, const std::vector<std::string>& in, const Attributes& by = {}) const {
    return to.graph.node(type, in, by);
  }
  std::string number(double v) const { return to.graph.real(float(v)); }
};

void prelu(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  s.set(s.node("PRelu", {s.x, to.per_channel(op.inputs[1], op.inputs[0], s.first)}));
}

// y = TYPE(x).
template <const char* const& type>
void plain(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  s.set(s.node(type, {s.x}));
}
constexpr const char *kRelu = "Relu", *kSigmoid = "Sigmoid", *kTanh = "Tanh", *kExp = "Exp", *kLog = "Log",
                     *kSqrt = "Sqrt", *kAbs = "Abs", *kReciprocal = "Reciprocal", *kHardSwish = "HardSwish",
                     *kIdentity = "Identity";

void square(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  s.set(s.node("Mul", {s.x, s.x}));
}
void pow(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  s.set(s.node("Pow", {s.x, s.number(spec_of<kernels::Pow>(op).p)}));
}
void affine(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  const auto& g = spec_of<kernels::Affine>(op);
  std::string y = g.a == 1 ? s.x : s.node("Mul", {s.x, s.number(g.a)});
  if (g.b != 0) y = s.node("Add", {y, s.number(g.b)});
  s.set(y);
}
void clamp(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  const auto& g = spec_of<kernels::Clamp>(op);
  s.set(s.node("Clip", {s.x, s.number(g.low), s.number(g.high)}));
}
void relu6(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  s.set(s.node("Clip", {s.x, s.number(0), s.number(6)}));
}
void leaky_relu(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  s.set(s.node("LeakyRelu", {s.x}, {{"alpha", spec_of<kernels::LeakyRelu>(op).slope}}));
}
void elu(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  s.set(s.node("Elu", {s.x}, {{"alpha", spec_of<kernels::Elu>(op).alpha}}));
}
void softplus(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  const float beta = spec_of<kernels::Softplus>(op).beta;
  s.set(s.node("Div", {s.node("Softplus", {s.node("Mul", {s.x, s.number(beta)})}), s.number(beta)}));
}
void silu(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  s.set(s.node("Mul", {s.x, s.node("Sigmoid", {s.x})}));
}
void gelu(OnnxBuilder& to, const TracedOp& op) {  // x (1 + erf(x / sqrt 2)) / 2
  const Same s{to, op};
  const std::string erf = s.node("Erf", {s.node("Mul", {s.x, s.number(std::sqrt(0.5))})});
  s.set(s.node("Mul", {s.node("Mul", {s.x, s.number(0.5)}), s.node("Add", {erf, s.number(1)})}));
}
void gelu_tanh(OnnxBuilder& to, const TracedOp& op) {  // x sigmoid(2 u)
  const Same s{to, op};
  const std::string squared = s.node("Mul", {s.x, s.x}),
                    bracket =
                        s.node("Add", {s.node("Mul", {squared, s.number(kernels::GeluTanh::kCubic)}), s.number(1)}),
                    u = s.node("Mul", {s.node("Mul", {s.x, s.number(kernels::GeluTanh::kTwoRootTwoOverPi)}), bracket});
  s.set(s.node("Mul", {s.x, s.node("Sigmoid", {u})}));
}

// Two tensors of shapes that are broadcast to each other: as the first is laid out where that serves both.
void binary(OnnxBuilder& to, const TracedOp& op) {
  const Tensor &a = op.inputs[0], &b = op.inputs[1];
  const auto small = [&](const Tensor& t, const Tensor& other) {
    return to.is_constant(t) && t.rank() == 1 && (t.dim(0) == 1 || t.dim(0) == other.channels());
  };
  std::string left, right;
  bool first = false;
  if (small(b, a)) {
    first = to.is_first(a);
    left = first ? to.first(a) : to.last(a), right = to.per_channel(b, a, first);
  } else if (small(a, b)) {
    first = to.is_first(b);
    left = to.per_channel(a, b, first), right = first ? to.first(b) : to.last(b);
  } else {
    first = a.rank() == b.rank() && (to.is_first(a) || to.is_first(b));
    left = first ? to.first(a) : to.last(a), right = first ? to.first(b) : to.last(b);
  }
  const auto number = [&](const char* type) {  // of a comparison
    return to.graph.node("Cast", {to.graph.node(type, {left, right})}, {{"to", int64_t{1}}});
  };
  const auto node = [&](const char* type) { return to.graph.node(type, {left, right}); };
  const auto chosen = [&](bool kept) {  // right where left is not 0, or is
    const std::string yes = to.graph.node("Cast", {left}, {{"to", int64_t{9}}}), zero = to.graph.real(0);
    return to.graph.node("Where", {yes, kept ? right : zero, kept ? zero : right});
  };
  const std::string& name = op.name;
  to.set(op.output,
         name == "add"          ? node("Add")
         : name == "sub"        ? node("Sub")
         : name == "mul"        ? node("Mul")
         : name == "div"        ? node("Div")
         : name == "maximum"    ? node("Max")
         : name == "minimum"    ? node("Min")
         : name == "less"       ? number("Less")
         : name == "less_equal" ? number("LessOrEqual")
         : name == "equal"      ? number("Equal")
                                : chosen(name == "keep"),
         first);
}

void softmax(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  s.set(s.node(op.name == "softmax" ? "Softmax" : "LogSoftmax", {s.x}, {{"axis", int64_t{s.first ? 1 : -1}}}));
}

// By MaxPool or AveragePool.
void pool(OnnxBuilder& to, const TracedOp& op, const kernels::PoolSpec& g, const char* type, Attributes attributes) {
  const size_t n = positions_of(op.output);
  // Of a volume in its planes, and along depth, which are rows there.
  const auto of = [&](int64_t row, int64_t column, int64_t none) {
    return is_along_depth(op) ? Ints{row, none, none} : last_of({none, row, column}, n);
  };
  Ints pads = of(g.pad_top, g.pad_left, 0);
  for (const int64_t v : of(g.pad_bottom, g.pad_right, 0)) pads.push_back(v);
  attributes.push_back({"kernel_shape", of(g.r, g.s, 1)});
  attributes.push_back({"strides", of(g.stride_h, g.stride_w, 1)});
  attributes.push_back({"pads", pads});
  to.set(op.output, to.graph.node(type, {to.first(op.inputs[0])}, attributes), true);
}
void max_pool(OnnxBuilder& to, const TracedOp& op) { pool(to, op, spec_of<kernels::PoolSpec>(op), "MaxPool", {}); }
void avg_pool(OnnxBuilder& to, const TracedOp& op) {
  const auto& g = spec_of<kernels::AvgPoolSpec>(op);
  pool(to, op, g.pool, "AveragePool", {{"count_include_pad", int64_t{g.count_include_pad}}});
}
void global_avg_pool(OnnxBuilder& to, const TracedOp& op) {
  const std::string pooled = to.graph.node("GlobalAveragePool", {to.first(op.inputs[0])});
  to.set(op.output, to.graph.node("Flatten", {pooled}), false);
}

void upsample(OnnxBuilder& to, const TracedOp& op) {
  const auto& g = spec_of<kernels::UpsampleSpec>(op);
  const bool linear = g.how == kernels::Upsampling::linear, whole = g.p % g.h == 0 && g.q % g.w == 0;
  const Ints from = dims_of(op.inputs[0]), to_sizes = dims_of(op.output);  // [N, positions..., C]
  const size_t n = positions_of(op.output);
  if (g.step_h != 0 || g.step_w != 0) {
    const auto is = [](float step, int size, int wanted) { return step == 0 || step * float(wanted) == float(size); };
    if (!whole || !is(g.step_h, g.h, g.p) || !is(g.step_w, g.w, g.q)) refuse(op, "its factor is no whole number");
  }
  const Attributes by{{"mode", std::string(linear ? "linear" : "nearest")},
                      {"coordinate_transformation_mode", std::string(!linear           ? "asymmetric"
                                                                     : g.align_corners ? "align_corners"
                                                                                       : "half_pixel")},
                      {"nearest_mode", std::string("floor")}};
  const std::string x = to.first(op.inputs[0]);
  std::string y;
  if (whole) {
    std::vector<float> scales{1, 1};
    for (size_t i = 1; i <= n; ++i) {
      const int64_t times = to_sizes[i] / from[i];
      scales.push_back(float(times));
    }
    y = to.graph.node("Resize", {x, "", to.graph.floats("scales", {int64_t(scales.size())}, scales)}, by);
  } else {  // to a share of the network's input
    std::vector<std::string> sizes{
        to.graph.node("Slice", {to.graph.node("Shape", {x}), to.graph.integers({0}), to.graph.integers({2})})};
    const Ints wanted(to_sizes.begin() + 1, to_sizes.end() - 1);
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (to.axes.empty()) {
        sizes.push_back(to.graph.integers({wanted[i]}));
        continue;
      }
      const OnnxBuilder::Axis& axis = to.axes.at(i);
      const int64_t common = std::gcd(wanted[i], axis.traced);
      std::string size = axis.padded;
      if (wanted[i] != common) size = to.graph.node("Mul", {size, to.graph.integers({wanted[i] / common})});
      if (axis.traced != common) size = to.graph.node("Div", {size, to.graph.integers({axis.traced / common})});
      sizes.push_back(size);
    }
    y = to.graph.node("Resize", {x, "", "", to.graph.node("Concat", sizes, {{"axis", int64_t{0}}})}, by);
  }
  to.set(op.output, y, true);
}

void concat(OnnxBuilder& to, const TracedOp& op) {
  const bool first = std::any_of(op.inputs.begin(), op.inputs.end(), [&](const Tensor& t) { return to.is_first(t); });
  std::vector<std::string> parts;
  for (const Tensor& t : op.inputs) parts.push_back(first ? to.first(t) : to.last(t));
  to.set(op.output, to.graph.node("Concat", parts, {{"axis", int64_t{first ? 1 : -1}}}), first);
}

// Positions begin .. end - 1 of an axis; an end of 0 is the last.
std::string sliced(OnnxBuilder& to, const std::string& x, const Ints& axes, const Ints& begins, Ints ends) {
  for (int64_t& e : ends)
    if (e == 0) e = std::numeric_limits<int64_t>::max();
  return to.graph.node("Slice", {x, to.graph.integers(begins), to.graph.integers(ends), to.graph.integers(axes)});
}
void slice(OnnxBuilder& to, const TracedOp& op) {
  const Same s{to, op};
  const auto& g = spec_of<kernels::PadSpec>(op);
  int d = 0;
  const Tensor& x = op.inputs[0];
  while (d < x.rank() && x.dim(d) == op.output.dim(d)) ++d;
  if (d == x.rank()) return s.set(s.node("Identity", {s.x}));
  s.set(sliced(to, s.x, {s.first ? first_axis(d, x.rank()) : d}, {-g.top}, {g.bottom}));
}
// Rows and columns added or taken.
void pad(OnnxBuilder& to, const TracedOp& op) {
  const auto& g = spec_of<kernels::PadSpec>(op);
  const size_t n = positions_of(op.output);
  // Axes of rows and columns, or that of depth, which is rows there.
  const auto of = [&](int64_t row, int64_t column) {
    return is_along_depth(op) ? Ints{row} : last_of({row, column}, std::min<size_t>(n, 2));
  };
  const Ints axes = is_along_depth(op) ? Ints{2} : of(int64_t(n), int64_t(n) + 1), sizes = of(g.h, g.w),
             before = of(g.top, g.left), after = of(g.bottom, g.right);
  std::string x = to.first(op.inputs[0]);
  if (g.mirror) {  // at a size that is fixed: the position that each is taken from
    for (size_t i = 0; i < axes.size(); ++i) {
      if (before[i] == 0 && after[i] == 0) continue;
      Ints from;
      for (int64_t at = -before[i]; at < sizes[i] + after[i]; ++at) {
        const int64_t period = 2 * sizes[i], j = (at % period + period) % period;
        from.push_back(j < sizes[i] ? j : period - 1 - j);
      }
      x = to.graph.node("Gather", {x, to.graph.integers(from)}, {{"axis", axes[i]}});
    }
    return to.set(op.output, x, true);
  }
  const auto negative = [](int64_t v) { return v < 0; };
  if (std::none_of(before.begin(), before.end(), negative) && std::none_of(after.begin(), after.end(), negative)) {
    const size_t rank = n + 2;
    Ints pads(2 * rank, 0);
    for (size_t i = 0; i < axes.size(); ++i) pads[size_t(axes[i])] = before[i], pads[rank + size_t(axes[i])] = after[i];
    return to.set(op.output, to.graph.node("Pad", {x, to.graph.integers(pads)}), true);
  }
  const auto positive = [](int64_t v) { return v > 0; };
  if (std::any_of(before.begin(), before.end(), positive) || std::any_of(after.begin(), after.end(), positive))
    refuse(op, "it adds at one side and cuts at the other");
  Ints begins;
  for (const int64_t b : before) begins.push_back(-b);
  to.set(op.output, sliced(to, x, axes, begins, after), true);
}

void reshape(OnnxBuilder& to, const TracedOp& op) {
  const Tensor &x = op.inputs[0], &y = op.output;
  Ints sizes;
  bool kept = true;  // leading sizes stay what they are, the batch among them
  for (int i = 0; i < y.rank(); ++i) {
    kept = kept && i < x.rank() && x.dim(i) == y.dim(i);
    sizes.push_back(kept ? 0 : y.dim(i));
  }
  to.set(y, to.graph.node("Reshape", {to.last(x), to.graph.integers(sizes)}), false);
}
void permute(OnnxBuilder& to, const TracedOp& op) {
  const auto& order = spec_of<std::vector<int>>(op);
  to.set(op.output, to.graph.node("Transpose", {to.last(op.inputs[0])}, {{"perm", Ints(order.begin(), order.end())}}),
         false);
}
void matmul(OnnxBuilder& to, const TracedOp& op) {
  to.set(op.output, to.graph.node("MatMul", {to.last(op.inputs[0]), to.last(op.inputs[1])}), false);
}
void sum(OnnxBuilder& to, const TracedOp& op) {
  const Tensor &x = op.inputs[0], &y = op.output;
  const auto* g = std::any_cast<kernels::SumAxisSpec>(&op.spec);
  if (!g) refuse(op, "it is over all values, the batch among them");
  Ints axes;
  for (int i = 0; i < x.rank(); ++i)
    if (x.dim(i) != y.dim(i)) axes.push_back(i);
  std::string out = to.last(x);
  if (!axes.empty()) out = to.graph.node("ReduceSum", {out, to.graph.integers(axes)}, {{"keepdims", int64_t{1}}});
  if (g->scale != 1) out = to.graph.node("Mul", {out, to.graph.real(float(g->scale))});
  to.set(y, out, false);
}
void max(OnnxBuilder& to, const TracedOp& op) {
  const Tensor& x = op.inputs[0];
  const int64_t keep = op.output.rank() == x.rank() ? 1 : 0;
  to.set(op.output,
         to.graph.node(op.name == "max" ? "ReduceMax" : "ReduceMin", {to.last(x)},
                       {{"axes", Ints{spec_of<int>(op)}}, {"keepdims", keep}}),
         false);
}
void take(OnnxBuilder& to, const TracedOp& op) {
  const std::vector<int32_t> index = op.more.at(0).integers();
  to.set(op.output,
         to.graph.node("Gather", {to.last(op.inputs[0]), to.graph.integers({index.begin(), index.end()})},
                       {{"axis", int64_t{spec_of<int>(op)}}}),
         false);
}

// Kern's gates are i, f, g, o; ONNX's i, o, f, g. Directions are ops of their own.
void lstm(OnnxBuilder& to, const TracedOp& op) {
  const auto& g = spec_of<kernels::LstmSpec>(op);
  const Tensor &w_ih = op.inputs[1], &w_hh = op.inputs[2];
  const auto reordered = [&](const Tensor& t, int64_t columns) {
    if (!t) return std::vector<float>(size_t(4 * g.h * columns), 0.0f);
    const std::vector<float> from = to.values("lstm", t);
    std::vector<float> out;
    for (const int64_t gate : {0, 3, 1, 2}) {
      const auto begin = from.begin() + gate * g.h * columns;
      out.insert(out.end(), begin, begin + g.h * columns);
    }
    return out;
  };
  std::vector<float> biases = reordered(op.inputs[3], 1);
  const std::vector<float> recurrent = reordered(op.inputs[4], 1);
  biases.insert(biases.end(), recurrent.begin(), recurrent.end());
  const std::string steps_first = to.graph.node("Transpose", {to.last(op.inputs[0])}, {{"perm", Ints{1, 0, 2}}});
  const std::string y =
      to.graph.node("LSTM",
                    {steps_first, to.initialiser(w_ih, {1, 4 * g.h, g.c}, reordered(w_ih, g.c)),
                     to.initialiser(w_hh, {1, 4 * g.h, g.h}, reordered(w_hh, g.h)),
                     to.graph.floats("lstm_bias", {1, 8 * g.h}, biases)},
                    {{"hidden_size", g.h}, {"direction", std::string(g.reverse ? "reverse" : "forward")}});
  const std::string squeezed = to.graph.node("Squeeze", {y, to.graph.integers({1})});
  to.set(op.output, to.graph.node("Transpose", {squeezed}, {{"perm", Ints{1, 0, 2}}}), false);
}

using Exporter = void (*)(OnnxBuilder&, const TracedOp&);
const std::map<std::string, Exporter>& exporters() {
  static const std::map<std::string, Exporter> table{
      {"conv1d", conv},
      {"conv2d", conv},
      {"conv3d", conv},
      {"conv_transpose1d", conv_transpose},
      {"conv_transpose2d", conv_transpose},
      {"conv_transpose3d", conv_transpose},
      {"linear", linear},
      {"matmul", matmul},
      {"lstm", lstm},
      {"batch_norm", batch_norm},
      {"instance_norm", instance_norm},
      {"norm_act", norm_act},
      {"prelu", prelu},
      {"relu", plain<kRelu>},
      {"sigmoid", plain<kSigmoid>},
      {"tanh", plain<kTanh>},
      {"exp", plain<kExp>},
      {"log", plain<kLog>},
      {"sqrt", plain<kSqrt>},
      {"abs", plain<kAbs>},
      {"reciprocal", plain<kReciprocal>},
      {"hardswish", plain<kHardSwish>},
      {"cast", plain<kIdentity>},
      {"square", square},
      {"pow", pow},
      {"affine", affine},
      {"clamp", clamp},
      {"relu6", relu6},
      {"leaky_relu", leaky_relu},
      {"elu", elu},
      {"softplus", softplus},
      {"silu", silu},
      {"gelu", gelu},
      {"gelu_tanh", gelu_tanh},
      {"add", binary},
      {"sub", binary},
      {"mul", binary},
      {"div", binary},
      {"maximum", binary},
      {"minimum", binary},
      {"less", binary},
      {"less_equal", binary},
      {"equal", binary},
      {"keep", binary},
      {"drop", binary},
      {"softmax", softmax},
      {"log_softmax", softmax},
      {"max_pool1d", max_pool},
      {"max_pool2d", max_pool},
      {"max_pool3d_planes", max_pool},
      {"max_pool3d_depth", max_pool},
      {"avg_pool1d", avg_pool},
      {"avg_pool2d", avg_pool},
      {"avg_pool3d_planes", avg_pool},
      {"avg_pool3d_depth", avg_pool},
      {"global_avg_pool", global_avg_pool},
      {"upsample", upsample},
      {"upsample1d", upsample},
      {"upsample3d_planes", upsample},
      {"upsample3d_depth", upsample},
      {"upsample_by", upsample},
      {"concat", concat},
      {"slice", slice},
      {"pad", pad},
      {"pad1d", pad},
      {"mirror_pad", pad},
      {"mirror_pad1d", pad},
      {"crop", pad},
      {"crop1d", pad},
      {"pad3d_planes", pad},
      {"pad3d_depth", pad},
      {"mirror_pad3d_planes", pad},
      {"mirror_pad3d_depth", pad},
      {"crop3d_planes", pad},
      {"crop3d_depth", pad},
      {"reshape", reshape},
      {"permute", permute},
      {"sum", sum},
      {"mean", sum},
      {"max", max},
      {"min", max},
      {"take", take},
      {"scale_curves", scale_curves_to_onnx},
      {"window_features", window_features_to_onnx},
      {"tree_scores", tree_scores_to_onnx},
  };
  return table;
}

}  // namespace

OnnxBuilder::OnnxBuilder(const std::vector<FileTensor>& constants) {
  for (const FileTensor& c : constants) {
    constants_[&c.tensor.impl()] = c.name;
    alive_.push_back(c.tensor);
  }
}

bool OnnxBuilder::is_first(const Tensor& t) const {
  const auto found = places_.find(&t.impl());
  return found != places_.end() && !found->second.first.empty();
}

void OnnxBuilder::set(const Tensor& t, const std::string& name, bool channels_second) {
  alive_.push_back(t);
  Place place;
  (channels_second ? place.first : place.last) = name;
  if (t.rank() < 3) place.first = place.last = name;
  places_[&t.impl()] = place;
}

std::string OnnxBuilder::name_of(const Tensor& t, bool channels_second) {
  auto found = places_.find(&t.impl());
  if (found == places_.end()) {
    const auto constant = constants_.find(&t.impl());
    check(constant != constants_.end(), "a tensor ", t.shape(),
          " that this network reads is no parameter, and no op that ONNX could be told of made it");
    const Ints dims = dims_of(t);
    set(t, graph.floats(constant->second, dims, t.values()), false);
    found = places_.find(&t.impl());
  }
  Place& place = found->second;
  std::string& wanted = channels_second ? place.first : place.last;
  if (wanted.empty()) {
    const int64_t rank = t.rank();
    check(rank >= 3 && rank <= 5, "a tensor ", t.shape(), " has no channels that could come second");
    const Ints order = channels_second ? channels_second_order(rank) : channels_last_order(rank);
    wanted = graph.node("Transpose", {channels_second ? place.last : place.first}, {{"perm", order}});
  }
  return wanted;
}

std::vector<float> OnnxBuilder::values(const char* op, const Tensor& t) const {
  check(is_constant(t), "the op ", op,
        " of this network has a weight that the network computes; ONNX is given those that are parameters");
  return t.values();
}

std::string OnnxBuilder::initialiser(const Tensor& t, const std::vector<int64_t>& dims,
                                     const std::vector<float>& values) {
  return graph.floats(constants_.at(&t.impl()), dims, values);
}

std::string OnnxBuilder::per_channel(const Tensor& constant, const Tensor& x, bool channels_second) {
  if (!channels_second || x.rank() < 3) return last(constant);
  Ints dims{constant.dim(0)};
  dims.resize(size_t(x.rank()) - 1, 1);
  return initialiser(constant, dims, values("per_channel", constant));
}

void add_onnx_op(OnnxBuilder& to, const TracedOp& op) {
  const auto found = exporters().find(op.name);
  if (found == exporters().end()) refuse(op, "it has no counterpart in engine/onnx_ops.cpp");
  found->second(to, op);
}

}  // namespace kern
