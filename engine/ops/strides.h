// Shapes of tensors that are broadcast against each other, and where their values lie, for kernels/common/strided.h.
#pragma once
#include <span>

#include "engine/tensor.h"
#include "kernels/common/strided.h"

namespace kern::detail {

// The shape that both are repeated to, as NumPy has it: sizes are compared from the last to the first; one of 1, or one
// that is missing, is repeated. Error: sizes that differ otherwise.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b, SourceLocation at);

// How far apart neighbours along each dimension lie in memory, in values.
std::vector<int64_t> strides_of(const Tensor& t);

// The same for t repeated to `shape`: 0 where it is.
std::vector<int64_t> broadcast_strides(const Tensor& t, const Shape& shape);

// A loop over `sizes` (outermost first) through arrays of these strides, neighbouring dimensions made one where all
// arrays allow it.
struct StridedLoop {
  kernels::Dims sizes{1, 1, 1, 1, 1, 1};
  std::vector<kernels::Dims> strides;  // of each array
};
StridedLoop strided_loop(std::span<const int64_t> sizes, std::span<const std::vector<int64_t>> strides);

// dy [shape], dense, summed over what was repeated to make `to` of it.
Tensor sum_to(const Tensor& dy, const Shape& to);

// Dimension `axis` of x, counted from the end where it is negative. Error: there is none.
int axis_of(const char* op, const Tensor& x, int axis, SourceLocation at);

}  // namespace kern::detail
