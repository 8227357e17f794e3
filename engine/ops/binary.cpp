#include "engine/ops/binary.h"

#include "engine/ops/op.h"

namespace kern {

namespace detail {

kernels::BinarySpec binary_spec(const char* op, const Tensor& a, const Tensor& b, SourceLocation at) {
  const bool equal = a.shape() == b.shape();
  check({equal || b.shape() == Shape{a.channels()}, at}, op, ": shapes ", a.shape(), " and ", b.shape(),
        " do not fit; the second must have the first's shape or be a vector [", a.channels(), "] of its channels");
  check({b.device() == a.device(), at}, op, ": one input is on ", a.device(), ", the other on ", b.device());
  return {.rows = a.rows(), .c = a.channels(), .vector = !equal, .b_pitch = b.pitch(), .pitch = {.x = a.pitch()}};
}

}  // namespace detail

}  // namespace kern
