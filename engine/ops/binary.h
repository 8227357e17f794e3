// What the ops of two inputs (kernels/elementwise/binary.h) share.
#pragma once
#include "engine/tensor.h"
#include "kernels/elementwise/binary.h"

namespace kern::detail {

// Whether shapes are equal, or b is the vector [C] of a's channels.
inline bool fits_binary(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() || b.shape() == Shape{a.channels()};
}
// Error where they do not fit.
kernels::BinarySpec binary_spec(const char* op, const Tensor& a, const Tensor& b, SourceLocation at);

}  // namespace kern::detail
