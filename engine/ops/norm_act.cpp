#include "engine/ops/norm_act.h"

#include <optional>
#include <type_traits>

#include "engine/late_gradients.h"
#include "engine/ops/op.h"
#include "engine/rank_norms.h"
#include "engine/trace.h"

namespace kern {

namespace {

bool counts_over_ranks(const NormActOptions& o) { return !o.per_sample && o.training && RankNorms::current(); }

// x, whose case g is, as values of type T.
template <class T>
Tensor applied(const char* op, kernels::NormActSpec g, const Generator::Draw& draw, const Tensor& x, NormActParts p,
               const NormActOptions& o, const Tensor& out, SourceLocation at) {
  const auto& impl = kernels::select(kernels::norm_act_registry<T>(), x.device(), g, at);
  Tensor y = output_tensor(op, x.shape(), x.options(), out, at);
  g.pitch.y = y.pitch();
  // With statistics of all ranks' samples the kernels are given them, and the gradient gets what they depend on.
  std::optional<RankMoments> over_ranks;
  if constexpr (std::is_same_v<T, float>)
    if (counts_over_ranks(o)) {
      check({x.device() == Device::cpu, at}, op,
            ": statistics over the samples of all ranks are taken on the CPU alone; use device=cpu or norm=instance");
      over_ranks = moments_over_ranks(x, RankNorms::current()->counts(), at);
      over_ranks->move_running(p.running_mean, p.running_variance, o.momentum);
      p.running_mean = over_ranks->mean, p.running_variance = over_ranks->variance;
      g.frozen = true;
    }
  const Shape statistics = o.per_sample ? Shape{g.n, g.c} : Shape{g.c};
  Tensor mean = Tensor::empty(statistics, {.device = x.device()}),
         inverse = Tensor::empty(statistics, {.device = x.device()});
  auto data = [](const Tensor& t) { return t ? t.data() : nullptr; };
  // Frozen statistics are only read: that must not count as a write.
  auto running = [&](Tensor& t) { return !t ? nullptr : g.frozen ? const_cast<float*>(t.data()) : t.mutate(); };
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g, x.data<T>(),
               {.weight = data(p.weight),
                .bias = data(p.bias),
                .slope = data(p.slope),
                .step = draw.step_on(x.device(), at),
                .running_mean = running(p.running_mean),
                .running_variance = running(p.running_variance)},
               p.residual ? p.residual.data<T>() : nullptr, y.mutate<T>(), mean.mutate(), inverse.mutate());
  struct Kept {
    Saved x, weight, bias, slope;
    Tensor mean, inverse;
    Generator::Draw draw;
    kernels::NormActInputs<float> inputs(const char* op) const {
      auto data = [op](const Saved& t) { return t ? t.get(op).data() : nullptr; };
      return {.weight = data(weight), .bias = data(bias), .slope = data(slope), .step = draw.step_on(mean.device())};
    }
  };
  Trace::note(g, {p.running_mean, p.running_variance});
  const Kept kept{x, p.weight, p.bias, p.slope, mean, inverse, draw};
  record(op, {x, p.weight, p.bias, p.slope, p.residual}, y,
         [op, g, &impl, kept, over_ranks](const Tensor& dy, Grads& d) mutable {
           if (d.want(4)) d.set(4, dy);
           if (!d.want(0) && !d.want(1) && !d.want(2) && !d.want(3)) return;
           g.pitch.dy = dy.pitch();
           Tensor dweight, dbias;  // which a norm over ranks has a use for itself
           if (over_ranks && d.want(0)) {
             dweight = d.want(1) ? d[1] : Tensor::empty({g.c});
             dbias = d.want(2) ? d[2] : Tensor::empty({g.c});
           }
           auto gradient = [&](size_t i, Tensor own = {}) {
             return own ? own.mutate() : d.want(i) ? d[i].mutate() : nullptr;
           };
           T* dx = d.want(0) ? d[0].mutate<T>() : nullptr;
           const LateScratch scratch(dy.device(), impl.workspace(g), LateScratch::Of::norms);
           if (LateGradients* const late = LateGradients::current()) late->keep(kept.inverse);
           impl.backward(scratch.exec(), g, dy.data<T>(), kept.x.get(op).template data<T>(), kept.inputs(op),
                         kept.mean.data(), kept.inverse.data(), dx, gradient(1, dweight), gradient(2, dbias),
                         gradient(3));
           if constexpr (std::is_same_v<T, float>)
             if (dweight)
               over_ranks->add_to_gradient(kept.x.get(op), kept.weight ? kept.weight.get(op) : Tensor(),
                                           kept.inverse.data(), dweight, dbias, d[0]);
         });
  // For whoever saves y: it follows from what is kept anyway. Not where the residual would have to be made again too,
  // or a chain of residual blocks would be made all at once.
  if (y.requires_grad() && !(p.residual && p.residual.impl().recompute)) {
    auto again = [op, g, &impl, kept, residual = Saved(p.residual)](Tensor& into) mutable {
      g.pitch.y = into.pitch();
      impl.apply(Workspace(into.device(), impl.workspace(g)).exec(), g, kept.x.get(op).template data<T>(),
                 kept.inputs(op), kept.mean.data(), kept.inverse.data(),
                 residual ? residual.get(op).template data<T>() : nullptr, into.mutate<T>());
    };
    y.impl().recompute = std::make_shared<Recompute>(Recompute{.make = std::move(again), .version = y.version()});
  }
  return y;
}

}  // namespace

Tensor norm_act(const Tensor& x, NormActParts p, const NormActOptions& o, const Tensor& out, Generator& generator,
                SourceLocation at) {
  const char* op = "norm_act";
  check({x.rank() >= 2, at}, op, ": input must be [N, positions..., C], got ", x.shape());
  const int64_t n = x.dim(0), rows = n > 0 ? x.rows() / n : 1, c = x.channels();
  auto is_channels = [&](const Tensor& t) { return !t || t.shape() == Shape{c}; };
  check({is_channels(p.weight) && is_channels(p.bias) && is_channels(p.running_mean) &&
             is_channels(p.running_variance) && bool(p.running_mean) == bool(p.running_variance),
         at},
        op, ": weight, bias and running statistics must each be [", c, "]");
  check({(o.per_sample ? rows : x.rows()) != 1 || (!o.per_sample && !o.training) || counts_over_ranks(o), at}, op,
        ": statistics over one value per channel are meaningless, input is ", x.shape(),
        "; use a larger input or batch, or no norm here");
  check({o.per_sample || o.training || p.running_mean, at}, op,
        ": without training the running mean and variance must be given");
  check({(o.act == Activation::prelu) == bool(p.slope), at}, op, ": a slope belongs to prelu, and only to it");
  check({!p.slope || (p.slope.rank() == 1 && (p.slope.dim(0) == 1 || p.slope.dim(0) == c)), at}, op,
        ": the slope must be [1] or [", c, "], got ", p.slope ? p.slope.shape() : Shape{});
  check({!p.residual || p.residual.shape() == x.shape(), at}, op, ": the residual must be ", x.shape(), ", got ",
        p.residual ? p.residual.shape() : Shape{});
  if (p.residual) p.residual = cast(p.residual, x.dtype());
  check({o.dropout >= 0 && o.dropout <= 1, at}, op, ": the probability to drop must be from 0 to 1, got ", o.dropout);
  Generator::Draw draw{};
  if (o.dropout > 0) draw = generator.draw(RandomStream::dropout);
  const kernels::NormActSpec g{.n = n,
                               .rows = rows,
                               .c = c,
                               .per_sample = o.per_sample,
                               .frozen = !o.per_sample && !o.training,
                               .eps = o.eps,
                               .momentum = o.momentum,
                               .act = o.act,
                               .slopes = p.slope ? p.slope.dim(0) : 1,
                               .p = o.dropout,
                               .key = draw.key,
                               .call = draw.call,
                               .pitch = {.x = x.pitch()},
                               .residual_pitch = p.residual ? p.residual.pitch() : 0};
  return x.dtype() == DType::bf16 ? applied<Bf16>(op, g, draw, x, std::move(p), o, out, at)
                                  : applied<float>(op, g, draw, x, std::move(p), o, out, at);
}

}  // namespace kern
