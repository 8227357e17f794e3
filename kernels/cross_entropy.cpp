#include "kernels/cross_entropy.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {

void throw_bad_target(const CrossEntropySpec& g, int64_t row, int32_t target) {
  throw Error(text("cross_entropy: the target of row ", row, " is ", target, "; with ", g.k,
                   " classes it must be 0 to ", g.k - 1, ", or ", kIgnore,
                   " for a row to ignore. Map the labels to class numbers first"));
}

namespace {

struct Part {  // of one chunk of rows
  double loss, weight;
  int64_t bad_row;  // the first with an impossible target, or -1
};

void forward(const Exec& exec, const CrossEntropySpec& g, const float* x, const int32_t* target, const float* weight,
             float* loss, float* saved) {
  const Chunks chunks(g.rows, g.k);
  Part* parts = static_cast<Part*>(exec.scratch);
  parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
    Part part{0, 0, -1};
    for (int64_t i = begin; i < end; ++i) {
      const int32_t t = target[i];
      if (t == kIgnore) continue;
      if (t < 0 || t >= g.k) {
        part.bad_row = i;
        break;
      }
      const double w = weight ? double(weight[t]) : 1.0;
      part.loss += w * double(cross_entropy_row(x + i * g.x_pitch(), g.k, t, saved[2 * i], saved[2 * i + 1]));
      part.weight += w;
    }
    parts[begin / chunks.grain] = part;
  });
  double sum = 0, total = 0;
  for (int64_t j = 0; j < chunks.count(); ++j) {
    if (parts[j].bad_row >= 0) throw_bad_target(g, parts[j].bad_row, target[parts[j].bad_row]);
    sum += parts[j].loss;
    total += parts[j].weight;
  }
  saved[2 * g.rows] = float(total);
  *loss = total == 0 ? 0.0f : float(sum / total);
}

void backward(const Exec&, const CrossEntropySpec& g, const float* dy, const float* x, const int32_t* target,
              const float* weight, const float* saved, float* dx) {
  const float total = saved[2 * g.rows], scale = *dy / total;
  parallel_for(g.rows, Chunks(g.rows, g.k).grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int32_t t = target[i];
      float* to = dx + i * g.dx_pitch();
      if (t == kIgnore || total == 0) {
        std::fill_n(to, g.k, 0.0f);
        continue;
      }
      const float *from = x + i * g.x_pitch(), max = saved[2 * i], w = weight ? scale * weight[t] : scale,
                  f = w / saved[2 * i + 1];
      for (int64_t k = 0; k < g.k; ++k) to[k] = f * std::exp(from[k] - max);
      to[t] -= w;
    }
  });
}

constexpr CrossEntropyRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = [](const CrossEntropySpec& g) { return size_t(Chunks(g.rows, g.k).count()) * sizeof(Part); },
     .forward = forward,
     .backward = backward},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = no_workspace,
     .forward = [](const Exec&, const CrossEntropySpec& g, const float* x, const int32_t* target, const float* weight,
                   float* loss, float* saved) { cross_entropy_forward_reference(g, x, target, weight, loss, saved); },
     .backward = [](const Exec&, const CrossEntropySpec& g, const float* dy, const float* x, const int32_t* target,
                    const float* weight, const float* saved,
                    float* dx) { cross_entropy_backward_reference(g, dy, x, target, weight, saved, dx); }},
};
constexpr Table<CrossEntropyRow> kTable{"cross_entropy", kRows};

}  // namespace

const Table<CrossEntropyRow>& cross_entropy_table() { return kTable; }
OpInfo cross_entropy_info() { return info_of(kTable); }

}  // namespace kern::kernels
