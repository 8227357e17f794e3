#include "kernels/loss/bce_with_logits.h"

#include "kernels/common/elementary.h"
#include "kernels/common/isa.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

constexpr int64_t kBlock = 1024;  // values that stay in the nearest cache between loops

struct Part {  // of one chunk of rows
  double loss, weight;
};

// With e = exp(-|x|): log(1 + exp(-x)) and sigmoid(-x), as arithmetic that vectorises.
KERN_INLINE float loss_of(float x, float e, float t, float pos_weight) {
  const float softplus = (x < 0 ? -x : 0.0f) + logarithm_of_one_plus_share(e);
  return (1 - t) * x + (1 + (pos_weight - 1) * t) * softplus;
}
KERN_INLINE float slope_of(float x, float t, float pos_weight) {
  const float e = exponential(x < 0 ? x : -x), sigmoid = (x < 0 ? 1.0f : e) / (1 + e);
  return (1 - t) - (1 + (pos_weight - 1) * t) * sigmoid;
}

// f(first row, values) for what lies in one run: all rows of a chunk, or each.
template <class F>
KERN_INLINE void for_each_run(const BceSpec& g, bool dense, int64_t begin, int64_t end, const F& f) {
  const int64_t step = dense ? std::max<int64_t>(1, end - begin) : 1;
  for (int64_t i = begin; i < end; i += step) f(i, step * g.c);
}

template <Isa isa>
void forward(const Exec& exec, const BceSpec& g, const BceWithLogits::Forward<float>& a) {
  const Chunks chunks(g.rows, g.c);
  const bool dense = g.x_pitch() == g.c && g.t_pitch() == g.c && (!a.w || g.w_pitch() == g.c);
  Part* parts = static_cast<Part*>(exec.scratch);
  parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      const float pos_weight = g.pos_weight;
      Part part{0, 0};
      for_each_run(g, dense, begin, end, [&](int64_t row, int64_t count) {
        const float *xi = a.x + row * g.x_pitch(), *ti = a.t + row * g.t_pitch(), *w = a.w;
        float losses[kBlock];  // first exp(-|x|), then the values, then their sum: short loops, which overlap in time
        for (int64_t first = 0; first < count; first += kBlock) {
          const int64_t n = std::min(kBlock, count - first);
          const float *xs = xi + first, *ts = ti + first, *ws = w ? w + row * g.w_pitch() + first : nullptr;
          for (int64_t i = 0; i < n; ++i) losses[i] = exponential(xs[i] < 0 ? xs[i] : -xs[i]);
          for (int64_t i = 0; i < n; ++i) losses[i] = loss_of(xs[i], losses[i], ts[i], pos_weight);
          for (int64_t i = 0; w && i < n; ++i) {
            const float v = ws[i] * losses[i];
            losses[i] = ws[i] == 0 ? 0.0f : v;
          }
          part.loss += lane_sum(n, [&](int64_t i) { return losses[i]; });
          part.weight += w ? lane_sum(n, [=](int64_t i) { return ws[i]; }) : double(n);
        }
      });
      parts[begin / chunks.grain] = part;
    });
  });
  double sum = 0, weights = 0;
  for (int64_t k = 0; k < chunks.count(); ++k) sum += parts[k].loss, weights += parts[k].weight;
  const double divisor = g.by_weight ? weights : double(g.size());
  *a.saved = float(divisor);
  *a.loss = divisor == 0 ? 0.0f : float(sum / divisor);
}

template <Isa isa>
void backward(const Exec&, const BceSpec& g, const BceWithLogits::Backward<float>& a) {
  const bool any = *a.saved != 0,
             dense = g.x_pitch() == g.c && g.t_pitch() == g.c && g.dx_pitch() == g.c && (!a.w || g.w_pitch() == g.c);
  const float scale = any ? *a.dy / *a.saved : 0.0f;
  parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      const float f = scale, pos_weight = g.pos_weight;
      for_each_run(g, dense, begin, end, [&](int64_t row, int64_t count) {
        const float *xi = a.x + row * g.x_pitch(), *ti = a.t + row * g.t_pitch(),
                    *wi = a.w ? a.w + row * g.w_pitch() : nullptr;
        float* to = a.dx + row * g.dx_pitch();
        if (!any) std::fill_n(to, count, 0.0f);
        else if (!wi)
          for (int64_t i = 0; i < count; ++i) to[i] = f * slope_of(xi[i], ti[i], pos_weight);
        else
          for (int64_t i = 0; i < count; ++i) {
            const float v = f * wi[i] * slope_of(xi[i], ti[i], pos_weight);
            to[i] = wi[i] == 0 ? 0.0f : v;
          }
      });
    });
  });
}

template <Isa isa>
constexpr Implementation<BceWithLogits> simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .workspace = [](const BceSpec& g) { return size_t(Chunks(g.rows, g.c).count()) * sizeof(Part); },
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

const Registry<Implementation<BceWithLogits>>& BceWithLogits::registry() {
  static const Implementation<BceWithLogits> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                        reference_implementation<BceWithLogits>()};
  static const Registry<Implementation<BceWithLogits>> registry{kName, impls};
  return registry;
}
OpInfo bce_with_logits_info() { return info_of(BceWithLogits::registry()); }

}  // namespace kern::kernels
