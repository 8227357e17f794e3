// Arithmetic and comparisons of two tensors whose shapes are broadcast to each other, as NumPy has it: compared from the
// last size to the first, sizes are equal, or one of them is 1 or missing and is repeated. So [N,H,W,C] and [C], [N,1,1,C]
// or [1] fit. Either side may be a number of the host. What is kept as bf16 is read as floats; results are floats.
//
//   Tensor dice_loss(const Tensor& p, const Tensor& t) {                 // [N,H,W,1] each
//     const Tensor both = sum(p * t, {1, 2, 3}), all = sum(p + t, {1, 2, 3});
//     return 1 - mean((2 * both + 1) / (all + 1));
//   }
#pragma once
#include "engine/tensor.h"

namespace kern {

// A tensor, or a number for each of its values.
class Operand {
 public:
  Operand(const Tensor& t) : tensor_(t) {}
  Operand(float value) : value_(value) {}
  Operand(double value) : value_(float(value)) {}
  Operand(int value) : value_(float(value)) {}
  bool is_number() const { return !tensor_; }
  const Tensor& tensor() const { return tensor_; }
  // A tensor [1] where it is a number.
  Tensor beside(const Operand& other) const {
    return is_number() ? Tensor::full({1}, value_, {.device = other.tensor().device()}) : tensor_;
  }

 private:
  Tensor tensor_;
  float value_ = 0;
};

// y = a - b, a / b.
Tensor sub(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());
Tensor div(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());

// The larger or smaller of the two, NaN if either is. The gradient goes to the one that was taken, half to each where
// they are equal.
Tensor maximum(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());
Tensor minimum(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());

// 1 where the comparison holds, else 0 (so with a NaN, but for not_equal). No gradients.
Tensor less(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());
Tensor less_equal(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());
Tensor greater(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());
Tensor greater_equal(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());
Tensor equal(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());
Tensor not_equal(const Operand& a, const Operand& b, SourceLocation at = SourceLocation::current());

// a where the condition is not 0, else b; what is not taken does not matter, NaN or infinite, and gets no gradient. No
// gradient goes to the condition.
Tensor where(const Tensor& condition, const Operand& a, const Operand& b,
             SourceLocation at = SourceLocation::current());

namespace detail {
// a + b and a * b of any shapes that fit: what add and mul do where their own implementations do not serve.
Tensor add_broadcast(const Tensor& a, const Tensor& b, SourceLocation at);
Tensor mul_broadcast(const Tensor& a, const Tensor& b, SourceLocation at);
}  // namespace detail

}  // namespace kern
