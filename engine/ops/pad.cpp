#include "engine/ops/pad.h"

#include "engine/ops/op.h"
#include "engine/trace.h"

namespace kern {
namespace {

Tensor pad_image(const char* op, const Tensor& x, int64_t top, int64_t bottom, int64_t left, int64_t right, bool mirror,
                 const Tensor& out, SourceLocation at) {
  check({x.rank() == 4, at}, op, ": input must be [N,H,W,C], got ", x.shape());
  const kernels::PadSpec g{.n = x.dim(0),
                           .h = x.dim(1),
                           .w = x.dim(2),
                           .c = x.dim(3),
                           .top = top,
                           .bottom = bottom,
                           .left = left,
                           .right = right,
                           .mirror = mirror};
  check({g.p() >= 0 && g.q() >= 0, at}, op, ": ", x.shape(), " would become ", g.p(), "x", g.q(), "; crop less");
  return detail::padded(op, g, {g.n, g.p(), g.q(), g.c}, x, out, at);
}

Tensor pad_signal(const char* op, const Tensor& x, int64_t left, int64_t right, bool mirror, const Tensor& out,
                  SourceLocation at) {
  check({x.rank() == 3, at}, op, ": input must be [N,L,C], got ", x.shape());
  const kernels::PadSpec g{.n = x.dim(0), .w = x.dim(1), .c = x.dim(2), .left = left, .right = right, .mirror = mirror};
  check({g.q() >= 0, at}, op, ": ", x.shape(), " would become ", g.q(), " long; crop less");
  return detail::padded(op, g, {g.n, g.q(), g.c}, x, out, at);
}

// A volume's planes as images [N D,H,W,C], and then its depth as the height of images [N,D,P Q,C].
struct PassNames {
  const char *planes, *depth;
};
Tensor pad_volume(const char* op, PassNames names, const Tensor& x, const Padding3d& by, int sign, bool mirror,
                  const Tensor& out, SourceLocation at) {
  check({x.rank() == 5, at}, op, ": input must be [N,D,H,W,C], got ", x.shape());
  const int64_t n = x.dim(0), d = x.dim(1), c = x.dim(4);
  const auto amount = [&](int v) { return int64_t{v} * sign; };
  const kernels::PadSpec planes{.n = n * d,
                                .h = x.dim(2),
                                .w = x.dim(3),
                                .c = c,
                                .top = amount(by.top),
                                .bottom = amount(by.bottom),
                                .left = amount(by.left),
                                .right = amount(by.right),
                                .mirror = mirror};
  const int64_t p = planes.p(), q = planes.q(), o = d + amount(by.front) + amount(by.back);
  check({o >= 0 && p >= 0 && q >= 0, at}, op, ": ", x.shape(), " would become ", o, "x", p, "x", q, "; crop less");
  const kernels::PadSpec depth{
      .n = n, .h = d, .w = p * q, .c = c, .top = amount(by.front), .bottom = amount(by.back), .mirror = mirror};
  const bool deep = by.front != 0 || by.back != 0;
  const Tensor in_planes = detail::padded(names.planes, planes, {n, d, p, q, c}, x, deep ? Tensor() : out, at);
  return deep ? detail::padded(names.depth, depth, {n, o, p, q, c}, in_planes, out, at) : in_planes;
}

}  // namespace

namespace detail {

Tensor padded(const char* op, kernels::PadSpec g, const Shape& y_shape, const Tensor& x, const Tensor& out,
              SourceLocation at) {
  if (g.p() == g.h && g.q() == g.w && g.top == 0 && g.left == 0 && !out) return x;  // nothing to add or to cut
  if (x.dtype() == DType::bf16)
    return through_float(x, out, [&](const Tensor& v) { return padded(op, g, y_shape, v, {}, at); });
  g.pitch.x = x.pitch();
  const auto& impl = kernels::select(kernels::Pad::registry(), x.device(), g, at);
  Tensor y = output_tensor(op, y_shape, x.options(), out, at);
  g.pitch.y = y.pitch();
  impl.forward({}, g, {.x = x.data(), .y = y.mutate()});
  Trace::note(g);
  return record(op, {x}, y, [g, &impl](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch = {.dy = dy.pitch()};
    impl.backward({}, g, {.dy = dy.data(), .dx = d[0].mutate()});
  });
}

}  // namespace detail

Tensor pad(const Tensor& x, const Padding& by, const Tensor& out, SourceLocation at) {
  return pad_image("pad", x, by.top, by.bottom, by.left, by.right, false, out, at);
}

Tensor pad1d(const Tensor& x, const Sides& by, const Tensor& out, SourceLocation at) {
  return pad_signal("pad1d", x, by.left, by.right, false, out, at);
}

Tensor mirror_pad(const Tensor& x, const Padding& by, const Tensor& out, SourceLocation at) {
  check({x.size() > 0 || x.dim(0) == 0, at}, "mirror_pad: ", x.shape(), " holds nothing that could be mirrored");
  return pad_image("mirror_pad", x, by.top, by.bottom, by.left, by.right, true, out, at);
}

Tensor mirror_pad1d(const Tensor& x, const Sides& by, const Tensor& out, SourceLocation at) {
  check({x.size() > 0 || x.dim(0) == 0, at}, "mirror_pad1d: ", x.shape(), " holds nothing that could be mirrored");
  return pad_signal("mirror_pad1d", x, by.left, by.right, true, out, at);
}

Tensor pad3d(const Tensor& x, const Padding3d& by, const Tensor& out, SourceLocation at) {
  return pad_volume("pad3d", {"pad3d_planes", "pad3d_depth"}, x, by, 1, false, out, at);
}

Tensor mirror_pad3d(const Tensor& x, const Padding3d& by, const Tensor& out, SourceLocation at) {
  check({x.size() > 0 || x.dim(0) == 0, at}, "mirror_pad3d: ", x.shape(), " holds nothing that could be mirrored");
  return pad_volume("mirror_pad3d", {"mirror_pad3d_planes", "mirror_pad3d_depth"}, x, by, 1, true, out, at);
}

Tensor crop3d(const Tensor& x, const Padding3d& by, const Tensor& out, SourceLocation at) {
  return pad_volume("crop3d", {"crop3d_planes", "crop3d_depth"}, x, by, -1, false, out, at);
}

Tensor crop(const Tensor& x, const Padding& by, const Tensor& out, SourceLocation at) {
  return pad_image("crop", x, -int64_t{by.top}, -int64_t{by.bottom}, -int64_t{by.left}, -int64_t{by.right}, false, out,
                   at);
}

Tensor crop1d(const Tensor& x, const Sides& by, const Tensor& out, SourceLocation at) {
  return pad_signal("crop1d", x, -int64_t{by.left}, -int64_t{by.right}, false, out, at);
}

}  // namespace kern
