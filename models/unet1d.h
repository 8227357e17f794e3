// The residual U-Net for 1-D signals (Kerfoot et al. 2018, "Left-ventricle quantification using residual U-Net"), as
// used for well logs: every level halves nothing unless its stride says so, doubles the channels, and hands its output
// across.
#pragma once
#include <memory>
#include <vector>

#include "layers/conv1d.h"
#include "layers/conv_transpose1d.h"
#include "layers/norm_act.h"

namespace kern::models {

// How activations are normalised: each sample by itself (whatever the batch; shifts and gains of a well vanish), or
// over the batch (they stay visible, and running statistics serve in evaluation).
enum class Norm { instance, batch };

struct UNet1dConfig {
  int in = 1, out = 5;
  std::vector<int> channels{1, 4, 8, 16, 32, 64, 128};  // of the levels, the last is the bottom
  std::vector<int> strides{1, 1, 1, 1, 1, 1};           // on the way down; one less than channels
  int kernel = 3;
  int residual_units = 3;  // convolutions in a down block
  Norm norm = Norm::instance;
};

// Either norm, under one name.
struct AnyNorm {
  std::optional<InstanceNorm> instance;
  std::optional<BatchNorm> batch;
  AnyNorm(Norm kind, int channels);
  // y = act(norm(x)) + residual; see layers/norm_act.h.
  Tensor operator()(const Tensor& x, const AfterNorm& after, const Tensor& out = {}) {
    return instance ? norm_act(*instance, after, x, out) : norm_act(*batch, after, x, out);
  }
  bool subtracts_mean() const { return instance ? kern::subtracts_mean(*instance) : kern::subtracts_mean(*batch); }
  template <class V>
  void visit(V&& v) {
    if (instance) instance->visit(v);
    else batch->visit(v);
  }
};

// conv -> norm -> PReLU (-> + residual), or the convolution alone.
struct ConvUnit1d {
  Conv1d conv;
  std::optional<AnyNorm> norm;
  std::optional<PRelu> act;
  ConvUnit1d(const UNet1dConfig& config, int in, int out, int stride, bool conv_only = false);
  Tensor operator()(const Tensor& x, const Tensor& residual = {}, const Tensor& out = {});
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("norm", norm), v("act", act);
  }
};

// y = units(x) + shortcut(x). The shortcut is the identity, or a convolution where channels or length change. The last
// unit may be a bare convolution (the network's output must not be normalised).
struct ResidualUnit1d {
  std::vector<ConvUnit1d> units;
  std::optional<Conv1d> shortcut;
  ResidualUnit1d(const UNet1dConfig& config, int in, int out, int stride, int count, bool last_conv_only = false);
  Tensor operator()(const Tensor& x, const Tensor& out = {});
  template <class V>
  void visit(V&& v) {
    v("units", units), v("shortcut", shortcut);
  }
};

// Transposed convolution -> norm -> PReLU -> residual unit of one.
struct UpBlock1d {
  ConvTranspose1d conv;
  AnyNorm norm;
  PRelu act;
  ResidualUnit1d unit;
  UpBlock1d(const UNet1dConfig& config, int in, int out, int stride, bool is_top);
  Tensor operator()(const Tensor& x, const Tensor& out = {});
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("norm", norm), v("act", act), v("unit", unit);
  }
};

class UNet1d {
 public:
  // Errors: fewer than two levels, strides that do not belong to them, sizes below 1.
  explicit UNet1d(const UNet1dConfig& config, SourceLocation at = SourceLocation::current());
  // x [N,L,in] -> logits [N,L,out], any L: it is padded to the strides' multiple and cropped back.
  Tensor operator()(const Tensor& x);
  template <class V>
  void visit(V&& v) {
    v("down", down_), v("bottom", bottom_), v("up", up_);
  }
  const UNet1dConfig& config() const { return config_; }
  int multiple() const;         // lengths that need no padding are multiples of this
  int receptive_field() const;  // samples of the input that one output sample looks at through the convolutions

 private:
  UNet1dConfig config_;
  std::vector<ResidualUnit1d> down_;    // from the top
  std::vector<ResidualUnit1d> bottom_;  // one
  std::vector<UpBlock1d> up_;           // from the top, too: up_[i] belongs to down_[i]
};

}  // namespace kern::models
