// MobileNetV2 (Sandler et al. 2018): inverted residual blocks of 1x1 expansion, 3x3 depthwise and 1x1 linear
// projection. Parts have torchvision's names (features.0.0.weight, ...).
#pragma once
#include <optional>
#include <vector>

#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dropout.h"
#include "layers/linear.h"
#include "models/encoder.h"

namespace kern::models {

struct MobileNetStage {
  int expand, channels, blocks, stride;  // the stride is its first block's
};

struct MobileNetV2Config {
  int in = 3;
  int classes = 1000;  // 0: the encoder alone, without the last 1x1 convolution and the classifier
  double width = 1;    // factor of all channels
  std::vector<MobileNetStage> stages{{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                     {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  int stem = 32, last = 1280;  // channels of the first convolution, and of the last where there is a classifier
  float dropout = 0.2f;        // before the classifier
  PaddingConvention padding = PaddingConvention::torch;
  std::optional<InputScaling> scaling;            // absent: the convention's own
  std::optional<double> norm_eps, norm_momentum;  // absent: the convention's own
};

// conv without bias -> batch norm (-> ReLU6), padded by a convention.
struct ConvNorm6 {
  Conv2d conv;
  BatchNorm norm;
  bool act;
  PaddingConvention padding;
  ConvNorm6(const MobileNetV2Config& config, int in, int out, int kernel, int stride, int groups, bool act);
  Tensor operator()(const Tensor& x, const Tensor& out = {});
  template <class V>
  void visit(V&& v) {
    v("0", conv), v("1", norm);
  }
};

struct InvertedResidual {
  std::optional<ConvNorm6> expand;
  ConvNorm6 depthwise, project;
  bool adds;  // its input, where nothing changes size
  InvertedResidual(const MobileNetV2Config& config, int in, int out, int stride, int factor);
  // Where `expanded` is asked for, it gets what leaves the expansion, written into `out`.
  Tensor operator()(const Tensor& x, Tensor* expanded = nullptr, const Tensor& out = {});
  template <class V>
  void visit(V&& v) {
    v("conv.0", expand);  // absent in the first block, whose other parts move up
    v(expand ? "conv.1" : "conv.0", depthwise);
    v(expand ? "conv.2" : "conv.1", project.conv), v(expand ? "conv.3" : "conv.2", project.norm);
  }
};

class MobileNetV2 {
 public:
  // Errors: sizes below 1; a block of stride 2 without expansion.
  explicit MobileNetV2(const MobileNetV2Config& config, SourceLocation at = SourceLocation::current());
  // x [N,H,W,in] of values in [0, 1] -> logits [N,classes], any H and W.
  Tensor operator()(const Tensor& x);
  // What a decoder takes up: the expanded activations before every stride of 2 after the first convolution's, and last
  // the bottom; tap i has ceil(H / 2^(i+1)) rows. `slices`, where given, are written to by all but the last.
  std::vector<Tensor> encode(const Tensor& x, const std::vector<Tensor>& slices = {});
  const std::vector<int>& tap_channels() const { return tap_channels_; }
  // What the blocks leave at each size, before it is halved again, and last the bottom: as many as there are taps, of
  // their sizes but of fewer channels, for they are not expanded.
  std::vector<Tensor> ends(const Tensor& x);
  const std::vector<int>& end_channels() const { return end_channels_; }
  int multiple() const { return 1 << tap_channels_.size(); }  // sizes of which every tap is exactly half the one above
  const MobileNetV2Config& config() const { return config_; }
  template <class V>
  void visit(V&& v) {
    v("scaling", scaling_);
    v("features.0", stem_);
    for (size_t i = 0; i < blocks_.size(); ++i) v(("features." + std::to_string(i + 1)).c_str(), blocks_[i]);
    v(("features." + std::to_string(blocks_.size() + 1)).c_str(), last_);
    v("classifier.0", dropout_), v("classifier.1", classifier_);
  }

 private:
  MobileNetV2Config config_;
  NormaliseChannels scaling_;
  ConvNorm6 stem_;
  std::vector<InvertedResidual> blocks_;
  std::vector<bool> taps_;  // of blocks_
  std::vector<int> tap_channels_, end_channels_;
  std::optional<ConvNorm6> last_;
  Dropout dropout_;
  std::optional<Linear> classifier_;
};

}  // namespace kern::models
