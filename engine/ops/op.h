// What every op needs around its kernels.
#pragma once
#include "engine/autograd.h"
#include "engine/ops/cast.h"
#include "kernels/common/dispatch.h"

namespace kern {

// Scratch of one call, from the engine's memory.
class Workspace {
 public:
  Workspace(Device device, size_t bytes) {
    if (bytes > 0) storage_ = std::make_unique<Storage>(device, bytes);
  }
  kernels::Exec exec() const { return {.scratch = storage_ ? storage_->data() : nullptr}; }

 private:
  std::unique_ptr<Storage> storage_;
};

// The tensor an op writes to: new, or `out` (a tensor from Tensor::empty_channel_slices) where the caller wants the output to
// lie.
inline Tensor output_tensor(const char* op, const Shape& shape, TensorOptions options, const Tensor& out,
                            SourceLocation at) {
  if (!out) return Tensor::empty(shape, options);
  check({out.shape() == shape && out.dtype() == options.dtype && out.is_leaf(), at}, op, ": the output is ", shape,
        ", the out given for it is ", out.shape());
  return out;
}

// For an op whose rows know floats alone: what it makes of a tensor kept as bf16 it makes in float, op(x as floats),
// and that is kept as bf16 again.
template <class Op>
Tensor through_float(const Tensor& x, const Tensor& out, Op&& op) {
  return cast(op(cast(x, DType::f32)), DType::bf16, out);
}
inline Tensor as_float(const Tensor& x) { return x && x.dtype() == DType::bf16 ? cast(x, DType::f32) : x; }

// A gradient whose rows may have a pitch, as a dense tensor (itself, if it is).
inline Tensor dense(const Tensor& t) { return t.dense() ? t : t.clone(); }

}  // namespace kern
