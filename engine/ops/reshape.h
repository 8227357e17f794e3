#pragma once
#include "engine/tensor.h"

namespace kern {

// The same values in the same order with other sizes: a view where x is dense, else a copy. At most one size may be -1:
// it is what the others leave.
Tensor reshape(const Tensor& x, std::initializer_list<int64_t> sizes, SourceLocation at = SourceLocation::current());
Tensor reshape(const Tensor& x, const Shape& shape, SourceLocation at = SourceLocation::current());

}  // namespace kern
