// The 3-D U-Net that finds faults (Wu, Liang, Shi and Fomel 2019, "FaultSeg3D", Geophysics 84(3)): two 3x3x3
// convolutions a level, 2x2x2 max-pooling on the way down, nearest up-sampling and the skip beside it on the way up, a
// 1x1x1 convolution to the logits. As published it has no norms: 1,459,585 parameters. Ours has batch norm after every
// 3x3x3 convolution (1,460,993), which lets it learn at larger rates.
#pragma once
#include <optional>
#include <vector>

#include "layers/conv3d.h"
#include "layers/norm_act.h"

namespace kern::models {

struct UNet3dConfig {
  int in = 1, out = 1;
  std::vector<int> channels{16, 32, 64, 128};  // of the levels, the last is the bottom
  bool norm = true;                            // batch norm after every 3x3x3 convolution
  float dropout = 0;                           // of whole channels, after every activation
};

// 3x3x3 convolution (-> batch norm) -> ReLU (-> dropout of channels).
struct ConvUnit3d {
  Conv3d conv;
  std::optional<BatchNorm> norm;
  ChannelDropout drop;
  ConvUnit3d(int in, int out, bool normalised, float dropout);
  Tensor operator()(const Tensor& x, const Tensor& out = {});
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("norm", norm), v("drop", drop);
  }
};

struct DoubleConv3d {
  ConvUnit3d first, second;
  DoubleConv3d(int in, int out, const UNet3dConfig& c)
      : first(in, out, c.norm, c.dropout), second(out, out, c.norm, c.dropout) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return second(first(x), out); }
  template <class V>
  void visit(V&& v) {
    v("0", first), v("1", second);
  }
};

// x [N,D,H,W,in] -> logits [N,D,H,W,out], any D, H and W: odd sizes are padded at the back, bottom and right, and
// cropped again.
class UNet3d {
 public:
  // Errors: fewer than two levels, counts below 1, a dropout outside [0, 1).
  explicit UNet3d(const UNet3dConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  BeforeHead before_head(const Tensor& x);
  int multiple() const { return 1 << (config_.channels.size() - 1); }  // inputs are padded to multiples of this
  int reach() const;  // voxels to every side that an answer may depend on
  template <class V>
  void visit(V&& v) {
    v("down", down_), v("decode", decode_), v("head", head_);
  }

 private:
  Padding3d added(const Tensor& input) const;  // to a multiple
  Tensor decoded(const Tensor& input, const Padding3d& added);
  UNet3dConfig config_;
  std::vector<DoubleConv3d> down_, decode_;
  std::vector<Conv3d> head_;  // one
};

}  // namespace kern::models
