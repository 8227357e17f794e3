#include "engine/ops/kl_normal.h"

#include "engine/ops/op.h"
#include "kernels/loss/kl_normal.h"

namespace kern {

Tensor kl_normal(const Tensor& mean, const Tensor& spread, const KlNormalOptions& o, SourceLocation at) {
  check({mean.shape() == spread.shape(), at}, "kl_normal: mean ", mean.shape(), " and spread ", spread.shape(),
        " must have one shape");
  check({mean.size() > 0, at}, "kl_normal: ", mean.shape(), " has no values to add");
  if (mean.dtype() == DType::bf16 || spread.dtype() == DType::bf16)
    return kl_normal(as_float(mean), as_float(spread), o, at);
  kernels::KlNormalSpec g{.rows = mean.rows(),
                          .c = mean.channels(),
                          .divisor = o.average && mean.rank() > 1 ? mean.dim(0) : 1,
                          .log_sigma = o.spread == Spread::log_sigma,
                          .pitch = {.x = mean.pitch(), .y = spread.pitch()}};
  const auto& impl = kernels::select(kernels::KlNormal::registry(), mean.device(), g, at);
  Tensor loss = Tensor::empty({1}, mean.options());
  impl.forward(Workspace(mean.device(), impl.workspace(g)).exec(), g,
               {.mu = mean.data(), .s = spread.data(), .loss = loss.mutate()});
  return record("kl_normal", {mean, spread}, loss,
                [g, &impl, mean = Saved(mean), spread = Saved(spread)](const Tensor& dy, Grads& d) {
                  float *dmean = d.want(0) ? d[0].mutate() : nullptr, *dspread = d.want(1) ? d[1].mutate() : nullptr;
                  impl.backward({}, g,
                                {.dy = dy.data(),
                                 .mu = mean.get("kl_normal").data(),
                                 .s = spread.get("kl_normal").data(),
                                 .dmu = dmean,
                                 .ds = dspread});
                });
}

}  // namespace kern
