// The U-Net of Ronneberger et al. 2015 with batch norm and "same" padding: double convolutions, 2x2 max-pooling on the
// way down, 2x2 transposed convolutions on the way up, skips concatenated.
#pragma once
#include <optional>
#include <vector>

#include "layers/conv_norm_act.h"
#include "layers/conv_transpose2d.h"
#include "layers/pooling.h"

namespace kern::models {

struct UNet2dConfig {
  int in = 3, out = 2;
  std::vector<int> channels{32, 64, 128};  // of the levels, the last is the bottom
  float dropout = 0;                       // of whole channels, after every activation of the double convolutions
  bool head_conv = false;                  // a 3x3 conv-norm-ReLU before the 1x1 head
};

// Two 3x3 conv-norm-ReLU.
struct DoubleConv2d {
  ConvNormAct2d first, second;
  DoubleConv2d(int in, int out, float dropout);
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return second(first(x), out); }
  template <class V>
  void visit(V&& v) {
    v("0", first), v("1", second);
  }
};

// x [N,H,W,in] -> logits [N,H,W,out], any H and W: odd sizes are padded at the bottom and right, and cropped again.
class UNet2d {
 public:
  // Errors: fewer than two levels, counts below 1, a dropout outside [0, 1).
  explicit UNet2d(const UNet2dConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  BeforeHead before_head(const Tensor& x);
  int multiple() const { return 1 << (config_.channels.size() - 1); }  // inputs are padded to multiples of this
  template <class V>
  void visit(V&& v) {
    v("down", down_), v("up", up_), v("decode", decode_), v("head_conv", head_conv_), v("head", head_);
  }

 private:
  Padding added(const Tensor& input) const;  // to a multiple
  Tensor decoded(const Tensor& input, const Padding& added);
  UNet2dConfig config_;
  std::vector<DoubleConv2d> down_, decode_;
  std::vector<ConvTranspose2d> up_;
  std::optional<ConvNormAct2d> head_conv_;
  std::vector<Conv2d> head_;  // one
};

}  // namespace kern::models
