// What pretrained encoders share: the conventions that travel with their weights, and how their input is scaled.
#pragma once
#include "engine/ops/conv2d.h"
#include "layers/normalise_channels.h"

namespace kern::models {

// Where a convolution of stride 2 pads an even size, and which end a transposed one crops: PyTorch pads (1, 1) and
// crops the beginning, TensorFlow ("same") pads (0, 1) and crops the end. Weights trained with one see everything half
// a pixel off under the other.
enum class PaddingConvention { torch, tensorflow };

// What the model makes of images of values in [0, 1].
enum class InputScaling {
  none,       // nothing
  imagenet,   // (x - mean) / deviation of ImageNet's colours: torchvision and timm; three channels
  symmetric,  // 2 x - 1: TensorFlow
};

// The origin's own ways, where a person has not chosen otherwise.
InputScaling scaling_of(PaddingConvention origin);
double norm_eps_of(PaddingConvention origin);       // 1e-5, Keras 1e-3
double norm_momentum_of(PaddingConvention origin);  // 0.1, Keras 0.01 (0.99 there)

// Error: ImageNet's colours for other than three channels.
NormaliseChannels make_scaling(InputScaling scaling, int channels, SourceLocation at = SourceLocation::current());

// Zeros round [N,H,W,C] before an odd filter of that stride, so that ceil(size / stride) positions come out.
Padding same_padding(PaddingConvention convention, int filter, int stride, const Tensor& x);
// What a transposed convolution 3x3 of stride 2 loses so that a size doubles.
Padding doubling_crop(PaddingConvention convention);

}  // namespace kern::models
