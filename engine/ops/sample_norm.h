// What the norms share whose statistics are those of one sample: of a group of its channels, or of one channel.
#pragma once
#include "engine/ops/op.h"
#include "engine/trace.h"

namespace kern::detail {

// x normalised; weight and bias [C] or empty.
template <class Op>
Tensor sample_norm(typename Op::Spec g, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& out,
                   SourceLocation at) {
  const char* op = Op::kName;
  check({!weight || weight.shape() == Shape{g.c}, at}, op, ": weight must be [", g.c, "], got ",
        weight ? weight.shape() : Shape{});
  check({!bias || bias.shape() == Shape{g.c}, at}, op, ": bias must be [", g.c, "], got ",
        bias ? bias.shape() : Shape{});
  if (x.dtype() == DType::bf16)
    return through_float(x, out, [&](const Tensor& v) { return sample_norm<Op>(g, v, weight, bias, {}, at); });
  g.pitch.x = x.pitch();
  const auto& impl = kernels::select(Op::registry(), x.device(), g, at);
  Tensor y = output_tensor(op, x.shape(), x.options(), out, at);
  g.pitch.y = y.pitch();
  const Shape statistics{g.statistics().rows, g.statistics().columns};
  Tensor mean = Tensor::empty(statistics, x.options()), inverse_deviation = Tensor::empty(statistics, x.options());
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g,
               {.x = x.data(),
                .weight = weight ? weight.data() : nullptr,
                .bias = bias ? bias.data() : nullptr,
                .y = y.mutate(),
                .mean = mean.mutate(),
                .inverse_deviation = inverse_deviation.mutate()});
  Trace::note(g);
  return record(op, {x, weight, bias}, y,
                [op, g, &impl, x = Saved(x), weight = Saved(weight), mean, inverse_deviation](const Tensor& dy,
                                                                                              Grads& d) mutable {
                  g.pitch.dy = dy.pitch();
                  const Workspace workspace(dy.device(), impl.workspace(g));
                  impl.backward(workspace.exec(), g,
                                {.dy = dy.data(),
                                 .x = x.get(op).data(),
                                 .weight = weight ? weight.get(op).data() : nullptr,
                                 .mean = mean.data(),
                                 .inverse_deviation = inverse_deviation.data(),
                                 .dx = d.want(0) ? d[0].mutate() : nullptr,
                                 .dweight = d.want(1) ? d[1].mutate() : nullptr,
                                 .dbias = d.want(2) ? d[2].mutate() : nullptr});
                });
}

}  // namespace kern::detail
