// What a pretrained encoder sees in images, at several scales, side by side: the features that PaDiM's statistics are
// made of.
#pragma once
#include <vector>

#include "models/mobilenet_v2.h"

namespace kern::models {

struct EncoderFeaturesConfig {
  MobileNetV2Config encoder{.classes = 0};
  // Of the encoder's taps: 1 at half the images' size, 2 at a quarter, ..., 5 the bottom. Rising.
  std::vector<int> levels{2, 3, 4};
  // 0: the encoder's taps, expanded as they are before a stride. Otherwise odd: its ends at these levels (far fewer
  // channels), every position averaged with its neighbours over a square of this side (Roth et al. 2022,
  // https://arxiv.org/abs/2106.08265), at borders over those there are.
  int average = 0;
};

// What the encoder sees in an image as a whole: its ends at every size (MobileNetV2::ends), averaged over all positions.
// x [N,H,W,C] of values in [0, 1], any H and W -> [N,K], one level after the other from the finest. Parts are named as
// EncoderFeatures'.
class PooledFeatures {
 public:
  explicit PooledFeatures(const MobileNetV2& encoder) : encoder_(encoder) {}  // whose tensors it shares
  Tensor operator()(const Tensor& x);
  template <class V>
  void visit(V&& v) {
    v("encoder", encoder_);
  }

 private:
  MobileNetV2 encoder_;
};

// x [N,H,W,C] of values in [0, 1] -> [N,h,w,K], at the finest of the levels' sizes; coarser ones are repeated (Defard
// et al. 2021). Parts are named encoder.features.0. ...
class EncoderFeatures {
 public:
  // Errors: no levels, or such as the encoder does not have, or not rising; an average of even side or below 0.
  explicit EncoderFeatures(const EncoderFeaturesConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  int channels() const;
  const MobileNetV2& encoder() const { return encoder_; }
  template <class V>
  void visit(V&& v) {
    v("encoder", encoder_);
  }

 private:
  std::vector<int> levels_;
  int average_;
  MobileNetV2 encoder_;
};

}  // namespace kern::models
