#include "kernels/bce_with_logits.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

struct Part {  // of one chunk of rows
  double loss, weight;
};

void forward(const Exec& exec, const BceSpec& g, const float* x, const float* t, const float* w, float* loss,
             float* saved) {
  const Chunks chunks(g.rows, g.c);
  Part* parts = static_cast<Part*>(exec.scratch);
  parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
    Part part{0, 0};
    for (int64_t i = begin; i < end; ++i) {
      const float *xi = x + i * g.x_pitch(), *ti = t + i * g.t_pitch(), *wi = w ? w + i * g.w_pitch() : nullptr;
      for (int64_t c = 0; c < g.c; ++c) {
        const float weight = wi ? wi[c] : 1.0f;
        if (weight == 0) continue;
        part.loss += double(weight) * double(bce_value_precise(xi[c], ti[c], g.pos_weight));
        part.weight += double(weight);
      }
    }
    parts[begin / chunks.grain] = part;
  });
  double sum = 0, weights = 0;
  for (int64_t k = 0; k < chunks.count(); ++k) sum += parts[k].loss, weights += parts[k].weight;
  const double divisor = g.by_weight ? weights : double(g.size());
  *saved = float(divisor);
  *loss = divisor == 0 ? 0.0f : float(sum / divisor);
}

void backward(const Exec&, const BceSpec& g, const float* dy, const float* x, const float* t, const float* w,
              const float* saved, float* dx) {
  const float scale = *saved == 0 ? 0.0f : *dy / *saved;
  const bool any = *saved != 0;
  parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float *xi = x + i * g.x_pitch(), *ti = t + i * g.t_pitch(), *wi = w ? w + i * g.w_pitch() : nullptr;
      float* to = dx + i * g.dx_pitch();
      for (int64_t c = 0; c < g.c; ++c) {
        const float weight = wi ? wi[c] : 1.0f;
        to[c] = any && weight != 0 ? scale * weight * bce_derivative(xi[c], ti[c], g.pos_weight) : 0.0f;
      }
    }
  });
}

constexpr BceRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = [](const BceSpec& g) { return size_t(Chunks(g.rows, g.c).count()) * sizeof(Part); },
     .forward = forward,
     .backward = backward},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = no_workspace,
     .forward = [](const Exec&, const BceSpec& g, const float* x, const float* t, const float* w, float* loss,
                   float* saved) { bce_forward_reference(g, x, t, w, loss, saved); },
     .backward = [](const Exec&, const BceSpec& g, const float* dy, const float* x, const float* t, const float* w,
                    const float* saved, float* dx) { bce_backward_reference(g, dy, x, t, w, saved, dx); }},
};
constexpr Table<BceRow> kTable{"bce_with_logits", kRows};

}  // namespace

const Table<BceRow>& bce_with_logits_table() { return kTable; }
OpInfo bce_with_logits_info() { return info_of(kTable); }

}  // namespace kern::kernels
