#pragma once
#include "engine/tensor.h"

namespace kern {

// Joins tensors [...,C1], [...,C2], ... of equal leading sizes over channels: [...,C1+C2+...]. Costs nothing where they
// lie side by side in one buffer already (Tensor::channel_slots); copies otherwise. Its backward hands out slices of
// dy.
Tensor concat(const std::vector<Tensor>& parts, SourceLocation at = SourceLocation::current());

}  // namespace kern
