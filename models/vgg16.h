// The convolutional blocks of VGG16 (Simonyan and Zisserman 2015) with torchvision's names: features.0.weight, ...
#pragma once
#include <string>
#include <vector>

#include "layers/conv2d.h"
#include "models/encoder.h"

namespace kern::models {

struct Vgg16Config {
  int in = 3;
  std::vector<int> channels{64, 128, 256, 512, 512};  // of the blocks; up to five
  InputScaling scaling = InputScaling::imagenet;
};

class Vgg16 {
 public:
  // Errors: no block or more than five, counts below 1.
  explicit Vgg16(const Vgg16Config& config, SourceLocation at = SourceLocation::current());
  // x [N,H,W,in] of values in [0, 1] -> what each block gives before the pooling that follows it; block i has
  // floor(H / 2^i) rows. `slices`, where given, are written to.
  std::vector<Tensor> encode(const Tensor& x, const std::vector<Tensor>& slices = {});
  Tensor operator()(const Tensor& x) { return encode(x).back(); }
  template <class V>
  void visit(V&& v) {
    v("scaling", scaling_);
    int at = 0;  // activations and pooling are counted too
    for (auto& block : blocks_) {
      for (Conv2d& conv : block) v(("features." + std::to_string(at)).c_str(), conv), at += 2;
      ++at;
    }
  }

 private:
  int in_;
  NormaliseChannels scaling_;
  std::vector<std::vector<Conv2d>> blocks_;
};

}  // namespace kern::models
