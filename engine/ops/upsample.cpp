#include "engine/ops/upsample.h"

#include "engine/ops/op.h"
#include "engine/trace.h"

namespace kern {
namespace {

template <class T>
Tensor upsampled(const char* op, kernels::UpsampleSpec g, const Shape& y_shape, const Tensor& x, const Tensor& out,
                 SourceLocation at) {
  const auto& impl = kernels::select(kernels::upsample_registry<T>(), x.device(), g, at);
  Tensor y = output_tensor(op, y_shape, x.options(), out, at);
  g.pitch.y = y.pitch();
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g, x.data<T>(), y.mutate<T>());
  Trace::note(g);
  return record(op, {x}, y, [g, &impl](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    impl.backward(Workspace(dy.device(), impl.workspace(g)).exec(), g, dy.data<T>(), d[0].mutate<T>());
  });
}

Tensor upsample(const char* op, const Tensor& x, int p, int q, float step_h, float step_w, const UpsampleOptions& o,
                const Tensor& out, SourceLocation at) {
  check({x.rank() == 4 || x.rank() == 3, at}, op, ": input must be [N,H,W,C] or [N,L,C], got ", x.shape());
  const bool signal = x.rank() == 3;
  const kernels::UpsampleSpec g{.n = int(x.dim(0)),
                                .c = int(x.channels()),
                                .h = signal ? 1 : int(x.dim(1)),
                                .w = int(x.dim(-2)),
                                .p = p,
                                .q = q,
                                .how = o.how,
                                .align_corners = o.align_corners,
                                .step_h = step_h,
                                .step_w = step_w,
                                .pitch = {.x = x.pitch()}};
  check({g.h >= 1 && g.w >= 1 && p >= 1 && q >= 1, at}, op, ": input ", x.shape(), " and output size ", p, "x", q,
        " must be at least 1");
  const Shape y_shape = signal ? Shape{g.n, q, g.c} : Shape{g.n, p, q, g.c};
  return x.dtype() == DType::bf16 ? upsampled<Bf16>(op, g, y_shape, x, out, at)
                                  : upsampled<float>(op, g, y_shape, x, out, at);
}

}  // namespace

Tensor upsample(const Tensor& x, Pair size, const UpsampleOptions& o, const Tensor& out, SourceLocation at) {
  check({x.rank() == 4, at}, "upsample: input must be [N,H,W,C], got ", x.shape());
  return upsample("upsample", x, size.h, size.w, 0, 0, o, out, at);
}

Tensor upsample1d(const Tensor& x, int length, const UpsampleOptions& o, const Tensor& out, SourceLocation at) {
  check({x.rank() == 3, at}, "upsample1d: input must be [N,L,C], got ", x.shape());
  return upsample("upsample1d", x, 1, length, 0, 0, o, out, at);
}

Tensor upsample_by(const Tensor& x, double factor, const UpsampleOptions& o, const Tensor& out, SourceLocation at) {
  check({x.rank() == 4 || x.rank() == 3, at}, "upsample_by: input must be [N,H,W,C] or [N,L,C], got ", x.shape());
  check({factor > 0 && factor <= 1024, at}, "upsample_by: the factor must be above 0 and at most 1024, got ", factor);
  const float step = float(1 / factor);
  auto scaled = [&](int64_t size) {
    check({double(size) * factor <= INT32_MAX, at}, "upsample_by: ", x.shape(), " times ", factor, " is too large");
    return int(double(size) * factor);
  };
  if (x.rank() == 3) return upsample("upsample_by", x, 1, scaled(x.dim(1)), 0, step, o, out, at);
  return upsample("upsample_by", x, scaled(x.dim(1)), scaled(x.dim(2)), step, step, o, out, at);
}

}  // namespace kern
