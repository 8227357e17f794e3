#include "engine/onnx_export.h"

#include <algorithm>

#include "engine/autograd.h"
#include "engine/dry_run.h"
#include "engine/onnx_ops.h"
#include "engine/ops/permute.h"
#include "kernels/shape/pad.h"

namespace kern {
namespace {
using Ints = std::vector<int64_t>;

// Sizes that a network pads its input to: multiples, `least` at least.
struct Multiple {
  int64_t of = 1, least = 1;
};

Tensor input_of(const OnnxSource& s, int64_t batch, const Ints& sizes) {
  Shape shape{batch};
  for (const int64_t size : sizes) shape.push_back(size);
  shape.push_back(s.shape[-1]);
  return Tensor::empty(shape);
}

// What the network makes of an input of these sizes before anything else.
Ints padded_to(const OnnxSource& s, const Ints& sizes) {
  const NoGrad off;
  const DryRun dry_run;
  const Trace trace;
  computed(s, input_of(s, 1, sizes));
  for (const TracedOp& op : trace.ops())
    if (const auto* g = std::any_cast<kernels::PadSpec>(&op.spec); g && g->mirror) {
      // A volume's depth comes in a turn of its own, where it needs any.
      const TracedOp* const next = &op + 1 < trace.ops().data() + trace.ops().size() ? &op + 1 : nullptr;
      const Tensor& padded = next && next->name == "mirror_pad3d_depth" ? next->output : op.output;
      return Ints(padded.shape().begin() + 1, padded.shape().end() - 1);
    }
  return sizes;
}

std::vector<Multiple> multiples_of(const OnnxSource& s) {
  const size_t n = size_t(s.shape.rank()) - 1;
  const Ints least = padded_to(s, Ints(n, 1));
  Ints more = least;
  for (int64_t& size : more) ++size;
  const Ints next = padded_to(s, more);
  std::vector<Multiple> out;
  for (size_t i = 0; i < n; ++i) out.push_back({next[i] - least[i], least[i]});
  return out;
}

const char* axis_name(size_t i, size_t n) {
  if (n == 1) return "length";
  return i + 1 == n ? "width" : i + 2 == n ? "height" : "depth";
}

// Input and output of the graph while it is built: the sizes as they are given, and as the network pads them.
struct AnySize {
  OnnxBuilder& to;
  const std::vector<Multiple>& multiples;
  std::vector<std::string> given;  // lists of one integer

  // The input mirrored to the multiples, as models do it with an input of a fixed size.
  std::string padded(std::string x, const Ints& traced) {
    OnnxGraph& g = to.graph;
    for (size_t i = 0; i < multiples.size(); ++i) {
      const Multiple& m = multiples[i];
      const int64_t axis = 2 + int64_t(i);
      const std::string size = g.node("Shape", {x}, {{"start", axis}, {"end", axis + 1}}), of = g.integers({m.of});
      given.push_back(size);
      if (m.of == 1 && m.least == 1) {
        to.axes.push_back({size, traced[i]});
        continue;
      }
      const std::string count = g.node("Div", {g.node("Add", {size, g.integers({m.of - 1})}), of}),
                        enough = g.node("Max", {count, g.integers({m.least / m.of})}),
                        whole = g.node("Mul", {enough, of});
      const std::string one = g.node("Squeeze", {size}), until = g.node("Squeeze", {whole}),
                        places = g.node("Range", {g.integer(0), until, g.integer(1)}),
                        period = g.node("Mul", {one, g.integer(2)}), there = g.node("Mod", {places, period}),
                        back = g.node("Sub", {g.node("Sub", {period, g.integer(1)}), there});
      x = g.node("Gather", {x, g.node("Min", {there, back})}, {{"axis", axis}});
      to.axes.push_back({whole, traced[i]});
    }
    return x;
  }
  // What belongs to the input as it was given.
  std::string cropped(const std::string& y) {
    if (std::all_of(multiples.begin(), multiples.end(), [](const Multiple& m) { return m.of == 1 && m.least == 1; }))
      return y;
    OnnxGraph& g = to.graph;
    Ints axes;
    for (size_t i = 0; i < given.size(); ++i) axes.push_back(2 + int64_t(i));
    const std::string ends = given.size() == 1 ? given[0] : g.node("Concat", given, {{"axis", int64_t{0}}});
    return g.node("Slice", {y, g.integers(Ints(given.size(), 0)), ends, g.integers(axes)});
  }
};

// The file, made from a trace of an input of these sizes.
std::string traced_file(const OnnxSource& s, const std::string& producer_version,
                        const std::vector<Multiple>& multiples, int64_t batch, const Ints& sizes) {
  const NoGrad off;
  const DryRun dry_run;
  const Tensor x = input_of(s, batch, sizes);
  Trace before;
  const Tensor prepared = s.prepare ? s.prepare(x) : x;
  Trace trace;
  const std::vector<Tensor> outputs = s.run(prepared);
  internal_check(outputs.size() == s.outputs.size(), "an ONNX source has as many outputs as names for them");

  OnnxBuilder to(s.constants);
  const size_t n = sizes.size();
  const auto dims = [&](const Tensor& t, bool varies) {
    std::vector<OnnxGraph::Dim> out{std::string("batch")};
    if (t.rank() >= 3) out.emplace_back(t.channels());
    for (int i = 1; i + 1 < t.rank(); ++i) {
      if (varies) out.emplace_back(std::string(axis_name(size_t(i) - 1, n)));
      else out.emplace_back(t.dim(i));
    }
    if (t.rank() == 2) out.emplace_back(t.channels());
    return out;
  };
  to.graph.input(s.input, dims(x, s.any_size));
  AnySize any{to, multiples, {}};
  to.set(x, s.input, x.rank() >= 3);
  for (const TracedOp& op : before.ops()) add_onnx_op(to, op);
  if (s.any_size) to.set(prepared, any.padded(to.first(prepared), sizes), true);
  for (const TracedOp& op : trace.ops()) add_onnx_op(to, op);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& y = outputs[i];
    std::string name = y.rank() >= 3 ? to.first(y) : to.last(y);
    if (s.any_size && y.rank() >= 3) name = any.cropped(name);
    to.graph.output(to.graph.node("Identity", {name}, {}, s.outputs[i]), dims(y, s.any_size));
  }
  return to.graph.serialise(s.name, producer_version, s.metadata);
}

}  // namespace

std::string onnx_file(const OnnxSource& s, const std::string& producer_version) {
  check(s.shape.rank() >= 2 && s.shape.rank() <= 4,
        "an ONNX model's input is a signal [L,C], an image [H,W,C] or a volume [D,H,W,C], got ", s.shape);
  Ints sizes(s.shape.begin(), s.shape.end() - 1), others = sizes;
  std::vector<Multiple> multiples;
  if (s.any_size) {
    multiples = multiples_of(s);
    for (size_t i = 0; i < sizes.size(); ++i) {
      const Multiple& m = multiples[i];
      sizes[i] = m.least + m.of * int64_t(3 + i), others[i] = m.least + m.of * int64_t(8 - i);
    }
  }
  // Numbers of images, and sizes where they may vary, that must not show in the file.
  std::string file = traced_file(s, producer_version, multiples, 7, sizes);
  check(file == traced_file(s, producer_version, multiples, 11, others),
        "this network does other things at other sizes", s.any_size ? " of its input" : " of the batch",
        ", which an ONNX file cannot say");
  return file;
}

Tensor channels_second(const Tensor& t) {
  if (t.rank() == 3) return permute(t, {0, 2, 1});
  if (t.rank() == 4) return permute(t, {0, 3, 1, 2});
  if (t.rank() == 5) return permute(t, {0, 4, 1, 2, 3});
  return t;
}

}  // namespace kern
