// A U-Net on a MobileNetV2 encoder with the up-sampling blocks of pix2pix: transposed convolution 3x3 of stride 2 ->
// batch norm -> ReLU (-> dropout), concatenated with the encoder's expanded activations; a transposed convolution to
// the classes at full size.
#pragma once
#include "layers/conv_transpose2d.h"
#include "models/mobilenet_v2.h"

namespace kern::models {

struct MobileNetUNetConfig {
  MobileNetV2Config encoder;  // its classes do not count
  int out = 2;
  std::vector<int> channels{64, 128, 256, 512};  // of the decoder's levels, the last is next to the bottom
  float dropout = 0;                             // of values, in every level of the decoder
};

// Doubles the size.
struct PixUp {
  ConvTranspose2d conv;
  BatchNorm norm;
  Dropout dropout;
  PixUp(const MobileNetV2Config& conventions, int in, int out, float dropout);
  Tensor operator()(const Tensor& x, const Tensor& out = {});
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("norm", norm), v("dropout", dropout);
  }
};

// x [N,H,W,in] of values in [0, 1] -> logits [N,H,W,out], any H and W: padded at the bottom and right, and cropped
// again.
class MobileNetUNet {
 public:
  // Errors: other than one level less than the encoder has taps, counts below 1, a dropout outside [0, 1).
  explicit MobileNetUNet(const MobileNetUNetConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  int multiple() const { return encoder_.multiple(); }
  template <class V>
  void visit(V&& v) {
    v("encoder", encoder_), v("up", up_), v("head", head_);
  }

 private:
  std::vector<int> channels_;
  MobileNetV2 encoder_;
  std::vector<PixUp> up_;              // from the bottom
  std::vector<ConvTranspose2d> head_;  // one
};

}  // namespace kern::models
