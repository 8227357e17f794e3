#pragma once
#include "engine/tensor.h"

namespace kern {

// Joins tensors [...,C1], [...,C2], ... of equal leading sizes over channels: [...,C1+C2+...]. Costs nothing where they
// lie side by side in one buffer already (Tensor::empty_channel_slices); copies otherwise. Its backward hands out slices of
// dy.
Tensor concat(const std::vector<Tensor>& parts, SourceLocation at = SourceLocation::current());

// Along another dimension (negative counts from the end), whose sizes are added; the others must be equal. A dense copy,
// but for the channels.
Tensor concat(const std::vector<Tensor>& parts, int axis, SourceLocation at = SourceLocation::current());

// Tensors of one shape along a new dimension, which stands at `axis` of the result. A dense copy.
Tensor stack(const std::vector<Tensor>& parts, int axis = 0, SourceLocation at = SourceLocation::current());

}  // namespace kern
