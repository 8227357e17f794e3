#pragma once
#include "engine/tensor.h"

namespace kern {

// The dimensions in another order: y's dimension i is x's dimension order[i]. A dense copy. Error: an order that does
// not name every dimension once.
Tensor permute(const Tensor& x, const std::vector<int>& order, SourceLocation at = SourceLocation::current());

// Two dimensions (negative count from the end) changed for each other. A dense copy.
Tensor transpose(const Tensor& x, int a = -2, int b = -1, SourceLocation at = SourceLocation::current());

// Repeated to a shape, as engine/ops/broadcast.h says. A dense copy; the gradient is summed over what was repeated.
Tensor broadcast_to(const Tensor& x, const Shape& shape, SourceLocation at = SourceLocation::current());

// A dimension backwards. A dense copy.
Tensor flip(const Tensor& x, int axis, SourceLocation at = SourceLocation::current());

}  // namespace kern
