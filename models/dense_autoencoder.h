// Auto-encoders of fully connected layers over an image's values: plain, and variational (Kingma and Welling 2014).
#pragma once
#include <vector>

#include "layers/linear.h"
#include "models/reconstruction.h"

namespace kern::models {

struct ImageSize {
  int channels = 3, height = 28, width = 28;
  int values() const { return channels * height * width; }
};
// Errors: sizes below 1; images of another size.
void check_size(const ImageSize& size, SourceLocation at = SourceLocation::current());
void check_images(const char* model, const ImageSize& size, const Tensor& x);

struct DenseAutoencoderConfig {
  ImageSize size;
  std::vector<int> hidden{512, 128};  // on the way to the code; the way back mirrors them
  int code = 16;
};

// x [N,H,W,C] in [0, 1] -> its reconstruction. ReLU between the layers, a sigmoid at the end.
class DenseAutoencoder {
 public:
  explicit DenseAutoencoder(const DenseAutoencoderConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  template <class V>
  void visit(V&& v) {
    v("layers", layers_);
  }

 private:
  ImageSize size_;
  std::vector<Linear> layers_;
};

struct VaeConfig {
  ImageSize size;
  std::vector<int> hidden{512}, back{128, 512};  // to the code, and from it
  int code = 16;
  Spread spread = Spread::log_sigma;  // what the network gives for the code's width
  bool divergence = true;             // of the code's distribution from N(0, 1), part of loss and score
};

// The same with a code drawn in training; in evaluation the code is its mean, so that scores do not vary.
class Vae {
 public:
  explicit Vae(const VaeConfig& config, SourceLocation at = SourceLocation::current());
  // `draws` instead of the mode's way: the originals drew at test time too.
  Reconstruction reconstruct(const Tensor& x, std::optional<bool> draws = {});
  Tensor operator()(const Tensor& x) { return reconstruct(x).image; }
  template <class V>
  void visit(V&& v) {
    v("encode", encode_), v("mean", mean_), v("spread", spread_), v("decode", decode_), v("mode", mode_);
  }

 private:
  VaeConfig config_;
  std::vector<Linear> encode_, mean_, spread_, decode_;  // mean_ and spread_: one each
  Mode mode_;
};

}  // namespace kern::models
