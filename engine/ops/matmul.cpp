#include "engine/ops/matmul.h"

#include "engine/ops/op.h"
#include "engine/ops/permute.h"
#include "engine/ops/strides.h"
#include "kernels/matmul/linear.h"

// a b is what `linear` computes for its gradient: dx = dy w with dy = a and w = b. The gradients are its other products:
//   da = dy b^T: linear's forward with x = dy, w = b;    db = a^T dy: its dw with dy = a, x = dy.
namespace kern {
namespace {

Tensor products(const Tensor& a_, const Tensor& b_, int64_t count, const kernels::LinearSpec& g, const Shape& shape,
                SourceLocation at) {
  const Tensor a = dense(a_), b = dense(b_);
  const auto& impl = kernels::select(kernels::linear_registry(), a.device(), g, at);
  const int64_t of_a = g.rows * g.k, of_b = g.k * g.c, of_y = g.rows * g.c;
  const Workspace workspace(a.device(), impl.workspace(g));
  Tensor y = Tensor::empty(shape, a.options());
  float* const to = y.mutate();
  for (int64_t i = 0; i < count; ++i)
    impl.backward_data(workspace.exec(), g, a.data() + i * of_a, b.data() + i * of_b, to + i * of_y);
  return record("matmul", {a_, b_}, y, [=, &impl, a = Saved(a), b = Saved(b)](const Tensor& dy_, Grads& d) {
    const Tensor dy = dense(dy_);
    const Workspace scratch(dy.device(), impl.workspace(g));
    if (d.want(0)) {
      float* const da = d[0].mutate();
      const float* const right = b.get("matmul").data();
      for (int64_t i = 0; i < count; ++i)
        impl.forward(scratch.exec(), g, dy.data() + i * of_y, right + i * of_b, nullptr, da + i * of_a);
    }
    if (d.want(1)) {
      float* const db = d[1].mutate();
      const float* const left = a.get("matmul").data();
      for (int64_t i = 0; i < count; ++i)
        impl.backward_weight(scratch.exec(), g, left + i * of_a, dy.data() + i * of_y, db + i * of_b);
    }
  });
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, SourceLocation at) {
  check({a.rank() >= 2 && b.rank() >= 2 && a.dim(-1) == b.dim(-2), at}, "matmul: needs [...,M,K] and [...,K,N], got ",
        a.shape(), " and ", b.shape());
  check({a.device() == b.device(), at}, "matmul: one input is on ", a.device(), ", the other on ", b.device());
  if (a.dtype() == DType::bf16 || b.dtype() == DType::bf16) return matmul(as_float(a), as_float(b), at);
  const int64_t m = a.dim(-2), k = a.dim(-1), n = b.dim(-1);
  Shape before_a, before_b;
  for (int i = 0; i + 2 < a.rank(); ++i) before_a.push_back(a.dim(i));
  for (int i = 0; i + 2 < b.rank(); ++i) before_b.push_back(b.dim(i));
  const auto with = [at](Shape shape, int64_t rows, int64_t columns) {
    shape.push_back(rows, at), shape.push_back(columns, at);
    return shape;
  };
  if (b.rank() == 2)
    return products(a, b, 1, {.rows = a.size() / std::max<int64_t>(1, k), .c = n, .k = k}, with(before_a, m, n), at);
  const Shape before = detail::broadcast_shape("matmul", before_a, before_b, at);
  const Tensor left = before == before_a ? a : broadcast_to(a, with(before, m, k), at),
               right = before == before_b ? b : broadcast_to(b, with(before, k, n), at);
  return products(left, right, before.size(), {.rows = m, .c = n, .k = k}, with(before, m, n), at);
}

}  // namespace kern
