#include "models/encoder.h"

#include <algorithm>

namespace kern::models {
InputScaling scaling_of(PaddingConvention origin) {
  return origin == PaddingConvention::torch ? InputScaling::imagenet : InputScaling::symmetric;
}
double norm_eps_of(PaddingConvention origin) { return origin == PaddingConvention::torch ? 1e-5 : 1e-3; }
double norm_momentum_of(PaddingConvention origin) { return origin == PaddingConvention::torch ? 0.1 : 0.01; }

NormaliseChannels make_scaling(InputScaling scaling, int channels, SourceLocation at) {
  if (scaling == InputScaling::none) return {};
  if (scaling == InputScaling::symmetric) {
    const std::vector<float> half(size_t(std::max(channels, 0)), 0.5f);
    return {half, half, at};
  }
  check({channels == 3, at}, "ImageNet's colours are those of 3 channels, the input has ", channels,
        "; repeat a grey image three times, or choose another scaling");
  const float mean[] = {0.485f, 0.456f, 0.406f}, deviation[] = {0.229f, 0.224f, 0.225f};
  return {mean, deviation, at};
}

Padding same_padding(PaddingConvention convention, int filter, int stride, const Tensor& x) {
  if (convention == PaddingConvention::torch) return filter / 2;
  auto total = [&](int64_t size) {
    return int(std::max<int64_t>(0, ((size + stride - 1) / stride - 1) * stride + filter - size));
  };
  const int h = total(x.dim(1)), w = total(x.dim(2));
  return {h / 2, h - h / 2, w / 2, w - w / 2};
}

Padding doubling_crop(PaddingConvention convention) {
  return convention == PaddingConvention::torch ? Padding{1, 0, 1, 0} : Padding{0, 1, 0, 1};
}

}  // namespace kern::models
