// A feature pyramid network (Lin et al. 2017, https://arxiv.org/abs/1612.03144) on a MobileNetV2 encoder, with the semantic
// branch of Panoptic FPN (Kirillov et al. 2019, https://arxiv.org/abs/1901.02446):
//   p_i = lateral_i(tap_i) + upsample(p_{i+1})            taps at 1/4, 1/8, 1/16 and 1/32 of the image, 1x1 laterals
//   s_i = p_i through max(1, i) times [3x3 convolution -> batch norm -> ReLU (-> twice the size, where i > 0)]
//   logits = upsample(head(sum s_i))                      1x1 at 1/4 of the image, then to its size
// Sizes are changed linearly, as upsample does without align_corners.
#pragma once
#include "layers/conv_norm_act.h"
#include "layers/dropout.h"
#include "models/mobilenet_v2.h"

namespace kern::models {

struct MobileNetFpnConfig {
  MobileNetV2Config encoder;  // its classes do not count
  int out = 2;
  std::vector<int> channels{128, 64};  // of the pyramid, and of what its levels are merged in
  float dropout = 0;                   // of values, before the head
};

// x [N,H,W,in] of values in [0, 1] -> logits [N,H,W,out], any H and W: padded at the bottom and right, and cropped
// again.
class MobileNetFpn {
 public:
  // Errors: an encoder with fewer than three taps, other than two numbers of channels, counts below 1, a dropout
  // outside of [0, 1).
  explicit MobileNetFpn(const MobileNetFpnConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  int multiple() const { return encoder_.multiple(); }
  template <class V>
  void visit(V&& v) {
    v("encoder", encoder_), v("lateral", lateral_), v("merge", merge_), v("dropout", dropout_), v("head", head_);
  }

 private:
  MobileNetV2 encoder_;
  std::vector<Conv2d> lateral_;                    // from the finest level
  std::vector<std::vector<ConvNormAct2d>> merge_;  // likewise
  Dropout dropout_;
  std::vector<Conv2d> head_;  // one
};

}  // namespace kern::models
