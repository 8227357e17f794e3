// A convolutional auto-encoder: 3x3 convolutions of stride 2 down, 4x4 transposed convolutions of stride 2 up, each
// with batch norm and ReLU; a 3x3 convolution and a sigmoid at the end.
#pragma once
#include <vector>

#include "layers/conv_norm_act.h"
#include "layers/sigmoid.h"

namespace kern::models {

struct ConvAutoencoderConfig {
  int in = 3;
  std::vector<int> channels{32, 64, 128};  // on the way down; the way up mirrors them
  int last = 16;                           // channels at full size, before the last convolution
};

// x [N,H,W,in] in [0, 1] -> its reconstruction, of the same shape. H and W must be multiples of multiple().
class ConvAutoencoder {
 public:
  // Errors: no channels, or counts below 1.
  explicit ConvAutoencoder(const ConvAutoencoderConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  int multiple() const { return 1 << down_.size(); }
  template <class V>
  void visit(V&& v) {
    v("down", down_), v("up", up_), v("head", head_), v("sigmoid", sigmoid_);
  }

 private:
  int in_;
  std::vector<ConvNormAct2d> down_;
  std::vector<ConvTransposeNormAct2d> up_;
  std::vector<Conv2d> head_;  // one
  Sigmoid sigmoid_;
};

}  // namespace kern::models
