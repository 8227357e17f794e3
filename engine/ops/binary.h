// What the ops of two inputs (kernels/elementwise/binary.h) share.
#pragma once
#include "engine/tensor.h"
#include "kernels/elementwise/binary.h"

namespace kern::detail {

// Shapes must be equal, or b the vector [C] of a's channels.
kernels::BinarySpec binary_spec(const char* op, const Tensor& a, const Tensor& b, SourceLocation at);

}  // namespace kern::detail
