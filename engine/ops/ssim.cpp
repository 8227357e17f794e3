#include "engine/ops/ssim.h"

#include "engine/ops/op.h"
#include "kernels/loss/ssim.h"

namespace kern {

Tensor ssim(const Tensor& x, const Tensor& y, float range, SourceLocation at) {
  check({x.rank() == 4 && x.shape() == y.shape(), at}, "ssim: images must be two of one shape [N,H,W,C], got ",
        x.shape(), " and ", y.shape());
  check({x.dim(1) >= kernels::kSsimWindow && x.dim(2) >= kernels::kSsimWindow, at}, "ssim: images of ", x.dim(1), " x ",
        x.dim(2), " are smaller than the window of ", kernels::kSsimWindow, " x ", kernels::kSsimWindow);
  check({x.size() > 0, at}, "ssim: ", x.shape(), " has no values to average");
  check({range > 0, at}, "ssim: the range of the values must be positive, got ", range);
  if (x.dtype() == DType::bf16 || y.dtype() == DType::bf16) return ssim(as_float(x), as_float(y), range, at);
  const kernels::SsimSpec g{.n = x.dim(0),
                            .h = x.dim(1),
                            .w = x.dim(2),
                            .c = x.dim(3),
                            .range = range,
                            .pitch = {.x = x.pitch(), .y = y.pitch()}};
  const auto& impl = kernels::select(kernels::Ssim::registry(), x.device(), g, at);
  Tensor loss = Tensor::empty({1}, x.options());
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g,
               {.x = x.data(), .y = y.data(), .loss = loss.mutate()});
  return record("ssim", {x, y}, loss, [g, &impl, x = Saved(x), y = Saved(y)](const Tensor& dy, Grads& d) {
    const Tensor &a = x.get("ssim"), &b = y.get("ssim");
    const Workspace scratch(a.device(), impl.workspace(g));
    if (d.want(0)) impl.backward(scratch.exec(), g, {dy.data(), a.data(), b.data(), d[0].mutate()});
    if (d.want(1)) impl.backward(scratch.exec(), g.exchanged(), {dy.data(), b.data(), a.data(), d[1].mutate()});
  });
}

}  // namespace kern
