#include "engine/ops/lstm.h"

#include "engine/ops/op.h"
#include "engine/trace.h"
#include "kernels/recurrent/lstm.h"

namespace kern {

Tensor lstm(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh,
            bool reverse, const Tensor& out, SourceLocation at) {
  const char* op = "lstm";
  check({x.rank() == 3, at}, op, ": input must be [N,L,C], got ", x.shape());
  check({w_hh.rank() == 2 && w_hh.dim(0) == 4 * w_hh.dim(1) && w_hh.dense(), at}, op,
        ": the recurrent weight must be [4H,H] and dense, got ", w_hh.shape());
  if (x.dtype() == DType::bf16) return lstm(as_float(x), w_ih, w_hh, b_ih, b_hh, reverse, out, at);
  kernels::LstmSpec g{.n = x.dim(0), .l = x.dim(1), .c = x.dim(2), .h = w_hh.dim(1), .reverse = reverse};
  check({w_ih.shape() == Shape{g.gates(), g.c} && w_ih.dense(), at}, op, ": for input ", x.shape(), " and ", g.h,
        " states the weight must be [", g.gates(), ",", g.c, "] and dense, got ", w_ih.shape());
  for (const Tensor* b : {&b_ih, &b_hh})
    check({!*b || b->shape() == Shape{g.gates()}, at}, op, ": a bias must be [", g.gates(), "], got ",
          *b ? b->shape() : Shape{});
  g.pitch.x = x.pitch();
  const auto& impl = kernels::select(kernels::lstm_registry(), x.device(), g, at);
  Tensor y = output_tensor(op, {g.n, g.l, g.h}, x.options(), out, at);
  g.pitch.y = y.pitch();
  Tensor gates = Tensor::empty({g.n, g.l, g.gates()}, x.options()), cells = Tensor::empty({g.n, g.l, g.h}, x.options());
  impl.forward(Workspace(x.device(), impl.forward_workspace(g)).exec(), g, x.data(), w_ih.data(), w_hh.data(),
               b_ih ? b_ih.data() : nullptr, b_hh ? b_hh.data() : nullptr, y.mutate(), gates.mutate(), cells.mutate());
  Trace::note(g);
  return record(op, {x, w_ih, w_hh, b_ih, b_hh}, y,
                [op, g, &impl, x = Saved(x), w_ih = Saved(w_ih), w_hh = Saved(w_hh), y = Saved(y), gates, cells](
                    const Tensor& dy, Grads& d) mutable {
                  g.pitch.dy = dy.pitch();
                  auto gradient = [&](size_t i) { return d.want(i) ? d[i].mutate() : nullptr; };
                  float *db_ih = gradient(3), *db_hh = gradient(4);
                  impl.backward(Workspace(dy.device(), impl.workspace(g)).exec(), g, dy.data(), x.get(op).data(),
                                w_ih.get(op).data(), w_hh.get(op).data(), y.get(op).data(), gates.data(), cells.data(),
                                gradient(0), gradient(1), gradient(2), db_ih ? db_ih : db_hh);
                  if (db_ih && db_hh) d[4].copy_from(d[3]);
                });
}

}  // namespace kern
