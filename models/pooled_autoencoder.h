// Two small convolutional auto-encoders of the anomalies: one all convolutions, one with fully connected layers and a
// drawn code.
#pragma once
#include "layers/conv2d.h"
#include "layers/conv_transpose2d.h"
#include "models/dense_autoencoder.h"

namespace kern::models {

struct PooledAutoencoderConfig {
  int in = 3;
  std::vector<int> channels{16, 4};  // of the levels; every one ends in a 2x2 max-pooling
};

// x [N,H,W,in] in [0, 1] -> its reconstruction: 3x3 convolution, ReLU and pooling down, 2x2 transposed convolutions of
// stride 2 up, a sigmoid at the end. H and W must be multiples of multiple().
class PooledAutoencoder {
 public:
  explicit PooledAutoencoder(const PooledAutoencoderConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  int multiple() const { return 1 << down_.size(); }
  template <class V>
  void visit(V&& v) {
    v("down", down_), v("up", up_);
  }

 private:
  int in_;
  std::vector<Conv2d> down_;
  std::vector<ConvTranspose2d> up_;
};

struct ConvVaeConfig {
  ImageSize size;
  int channels = 6, hidden = 512, code = 32;
  Spread spread = Spread::log_variance;
  bool divergence = false;  // the original's loss has none
};

// 3x3 convolution of stride 2 -> linear -> a drawn code -> linear to the convolution's size -> linear to the image.
class ConvVae {
 public:
  explicit ConvVae(const ConvVaeConfig& config, SourceLocation at = SourceLocation::current());
  Reconstruction reconstruct(const Tensor& x, std::optional<bool> draws = {});  // as Vae's
  Tensor operator()(const Tensor& x) { return reconstruct(x).image; }
  template <class V>
  void visit(V&& v) {
    v("conv", conv_), v("hidden", hidden_), v("mean", mean_), v("spread", spread_), v("widen", widen_), v("out", out_),
        v("mode", mode_);
  }

 private:
  int reduced() const;  // values after the convolution
  ConvVaeConfig config_;
  Conv2d conv_;
  Linear hidden_, mean_, spread_, widen_, out_;
  Mode mode_;
};

}  // namespace kern::models
