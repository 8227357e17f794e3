// A U-Net on the first four blocks of VGG16: no norms, transposed convolutions and bilinear interpolation by turns on
// the way up, and a last transposed convolution of stride 1 whose output is interpolated back to the input's size.
#pragma once
#include "layers/conv_transpose2d.h"
#include "layers/dropout.h"
#include "models/vgg16.h"

namespace kern::models {

struct Vgg16UNetConfig {
  int in = 3, out = 2;
  std::vector<int> channels{64, 128, 256, 512};  // of the encoder's four blocks; the decoder mirrors them
  float dropout = 0.1f;                          // of values, in the bottleneck
  InputScaling scaling = InputScaling::imagenet;
};

// x [N,H,W,in] of values in [0, 1] -> logits [N,H,W,out], any H and W: padded at the bottom and right, and cropped
// again.
class Vgg16UNet {
 public:
  // Errors: other than four levels, counts below 1, a dropout outside [0, 1).
  explicit Vgg16UNet(const Vgg16UNetConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  static constexpr int multiple() { return 16; }
  template <class V>
  void visit(V&& v) {
    v("encoder", encoder_), v("bottleneck", bottleneck_), v("dropout", dropout_), v("up", up_), v("decode", decode_),
        v("last_up", last_up_), v("head", head_);
  }

 private:
  // conv -> ReLU -> conv; the second ReLU is left out before the logits
  struct Double {
    Conv2d first, second;
    Double(int in, int out);
    Tensor operator()(const Tensor& x);
    template <class V>
    void visit(V&& v) {
      v("0", first), v("1", second);
    }
  };
  int in_;
  std::vector<int> channels_;
  Vgg16 encoder_;
  std::vector<Conv2d> bottleneck_;  // two
  Dropout dropout_;
  std::vector<ConvTranspose2d> up_;       // of levels 3 and 1, from the bottom; the others interpolate
  std::vector<Double> decode_;            // from the bottom
  std::vector<ConvTranspose2d> last_up_;  // one
  std::vector<Double> head_;              // one
};

}  // namespace kern::models
