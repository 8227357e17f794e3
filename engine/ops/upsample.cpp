#include "engine/ops/upsample.h"

#include <algorithm>

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

// A volume along depth, as images [N,D,H W,C], and then in its planes: the first costs least where it grows. How far one
// step goes is as above.
Tensor upsample_volume(const Tensor& x, Triple size, const float (&step)[3], const UpsampleOptions& o,
                       const Tensor& out, SourceLocation at) {
  const int n = int(x.dim(0)), d = int(x.dim(1)), h = int(x.dim(2)), w = int(x.dim(3)), c = int(x.channels());
  check({std::min({d, h, w, size.d, size.h, size.w}) >= 1, at}, "upsample3d: input ", x.shape(), " and output size ",
        size.d, "x", size.h, "x", size.w, " must be at least 1");
  check({int64_t{h} * w <= INT32_MAX && int64_t{n} * size.d <= INT32_MAX, at}, "upsample3d: ", x.shape(),
        " has too many positions");
  const auto pass = [&](const char* op, kernels::UpsampleSpec g, const Shape& y_shape, const Tensor& in,
                        const Tensor& to) {
    g.how = o.how, g.align_corners = o.align_corners, g.pitch = {.x = in.pitch()};
    return in.dtype() == DType::bf16 ? upsampled<Bf16>(op, g, y_shape, in, to, at)
                                     : upsampled<float>(op, g, y_shape, in, to, at);
  };
  Tensor deep = x;
  if (size.d != d || step[0] != 0)
    deep = pass("upsample3d_depth", {.n = n, .c = c, .h = d, .w = h * w, .p = size.d, .q = h * w, .step_h = step[0]},
                {n, size.d, h, w, c}, x, {});
  return pass("upsample3d_planes",
              {.n = n * size.d, .c = c, .h = h, .w = w, .p = size.h, .q = size.w, .step_h = step[1], .step_w = step[2]},
              {n, size.d, size.h, size.w, c}, deep, out);
}

}  // namespace

Tensor upsample3d(const Tensor& x, Triple size, const UpsampleOptions& o, const Tensor& out, SourceLocation at) {
  check({x.rank() == 5, at}, "upsample3d: input must be [N,D,H,W,C], got ", x.shape());
  return upsample_volume(x, size, {0, 0, 0}, o, out, at);
}

Tensor upsample(const Tensor& x, Pair size, const UpsampleOptions& o, const Tensor& out, SourceLocation at) {
  check({x.rank() == 4, at}, "upsample: input must be [N,H,W,C], got ", x.shape());
  return upsample("upsample", x, size.h, size.w, 0, 0, o, out, at);
}

Tensor upsample1d(const Tensor& x, int length, const UpsampleOptions& o, const Tensor& out, SourceLocation at) {
  check({x.rank() == 3, at}, "upsample1d: input must be [N,L,C], got ", x.shape());
  return upsample("upsample1d", x, 1, length, 0, 0, o, out, at);
}

Tensor upsample_by(const Tensor& x, double factor, const UpsampleOptions& o, const Tensor& out, SourceLocation at) {
  check({x.rank() >= 3 && x.rank() <= 5, at}, "upsample_by: input must be [N,D,H,W,C], [N,H,W,C] or [N,L,C], got ",
        x.shape());
  check({factor > 0 && factor <= 1024, at}, "upsample_by: the factor must be above 0 and at most 1024, got ", factor);
  const float step = float(1 / factor);
  auto scaled = [&](int64_t size) {
    check({double(size) * factor <= INT32_MAX, at}, "upsample_by: ", x.shape(), " times ", factor, " is too large");
    return int(double(size) * factor);
  };
  if (x.rank() == 5)
    return upsample_volume(x, {scaled(x.dim(1)), scaled(x.dim(2)), scaled(x.dim(3))}, {step, step, step}, o, out, at);
  if (x.rank() == 3) return upsample("upsample_by", x, 1, scaled(x.dim(1)), 0, step, o, out, at);
  return upsample("upsample_by", x, scaled(x.dim(1)), scaled(x.dim(2)), step, step, o, out, at);
}

}  // namespace kern
