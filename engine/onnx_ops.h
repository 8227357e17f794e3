// How the ops of a trace become ONNX nodes.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/onnx_graph.h"
#include "engine/trace.h"

namespace kern {

// The graph under construction and where each tensor of the trace is found in it.
class OnnxBuilder {
 public:
  // A size of the input that varies: what the graph computes it to be, padded, and what it was when it was traced.
  struct Axis {
    std::string padded;  // a list of one integer
    int64_t traced;
  };
  OnnxGraph graph;
  std::vector<Axis> axes;  // L, or H and W, or D, H and W; empty where sizes are fixed

  explicit OnnxBuilder(const std::vector<FileTensor>& constants);
  // The tensor's name with its channels second or last; a Transpose is added where only the other is there. Below three
  // dimensions both are one.
  std::string first(const Tensor& t) { return name_of(t, true); }
  std::string last(const Tensor& t) { return name_of(t, false); }
  bool is_first(const Tensor& t) const;
  void set(const Tensor& t, const std::string& name, bool channels_second);
  // A parameter's values; Error where the tensor is computed by the network.
  std::vector<float> values(const char* op, const Tensor& t) const;
  bool is_constant(const Tensor& t) const { return constants_.contains(&t.impl()); }
  // Those values as an initialiser of these dimensions, under the parameter's own name.
  std::string initialiser(const Tensor& t, const std::vector<int64_t>& dims, const std::vector<float>& values);
  // A constant [C] or [1] that is applied to every position of x, as x is laid out.
  std::string per_channel(const Tensor& constant, const Tensor& x, bool channels_second);

 private:
  struct Place {
    std::string first, last;
  };
  std::string name_of(const Tensor& t, bool channels_second);
  std::map<const Tensor::Impl*, Place> places_;
  std::map<const Tensor::Impl*, std::string> constants_;
  std::vector<Tensor> alive_;  // so that no address is used twice
};

// The ops that are none of the engine's (training/deployment.h) note these. What boosted trees read is computed in double
// precision, as Kern computes it: a rounding must not send a sample to the other side of a split.

// "scale_curves": x [N,L,C] -> (x - offset) / scale of every curve, of some their logarithm; NaN where missing.
struct ScaleCurvesSpec {
  // By quantiles of the input itself, where it holds so many values and they are not one.
  struct Own {
    double least_samples, low, high, deviations, least_width;
  };
  std::vector<double> offset, scale;
  std::vector<bool> log10;
  std::optional<Own> own;
  bool in_double = false;
};
void scale_curves_to_onnx(OnnxBuilder& to, const TracedOp& op);

// "window_features": of a signal [N,L,C] the values at offsets, and means and deviations within radii.
struct WindowsSpec {
  std::vector<int64_t> offsets, radii;
  bool missing = false;  // values may be NaN, which means and deviations leave out; these are in double precision then
};
void window_features_to_onnx(OnnxBuilder& to, const TracedOp& op);

// "tree_scores": features [N,L,F] -> sums of the trees' leaves [N,L,K]. Trees of all classes, round by round.
struct TreesSpec {
  std::vector<float> bias, value;  // [K]; of every node: what it compares with, or gives
  std::vector<int32_t> feature, child,
      missing_left;            // of every node: x <= value goes to the child, other x behind it; 0: a leaf
  std::vector<int32_t> roots;  // [rounds, K]
};
void tree_scores_to_onnx(OnnxBuilder& to, const TracedOp& op);

// Adds the op's nodes. Errors: an op that is not known here, or an option of it.
void add_onnx_op(OnnxBuilder& to, const TracedOp& op);

}  // namespace kern
