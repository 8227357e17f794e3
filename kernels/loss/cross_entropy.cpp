#include "kernels/loss/cross_entropy.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

// Chunks of blocks of rows that are whole vectors for every instruction set.
constexpr int64_t kBlock = 16;
Chunks chunks_of(const CrossEntropySpec& g) { return {ceil_div(g.rows, kBlock), kBlock * g.k}; }
template <class F>
void for_each_chunk(const CrossEntropySpec& g, F&& f) {  // f(chunk, begin, end)
  const Chunks chunks = chunks_of(g);
  parallel_for(chunks.rows, chunks.grain, [&](int64_t begin, int64_t end) {
    f(begin / chunks.grain, begin * kBlock, std::min(end * kBlock, g.rows));
  });
}

struct Part : CrossEntropyPart {  // of one chunk
  int64_t bad_row;                // the first with an impossible target, or -1
};

double sum_of_weights(const CrossEntropySpec& g, const float* weight) {
  if (!weight) return double(g.k);
  double sum = 0;
  for (int64_t k = 0; k < g.k; ++k) sum += double(weight[k]);
  return sum;
}

template <Isa isa>
void forward(const Exec& exec, const CrossEntropySpec& g, const CrossEntropy::Forward<float>& a) {
  Part* parts = static_cast<Part*>(exec.scratch);
  for_each_chunk(g, [&](int64_t chunk, int64_t begin, int64_t end) {
    Part part{{0, 0}, first_bad_target<isa>(a.target + begin, end - begin, g.k)};
    if (part.bad_row >= 0) part.bad_row += begin;
    else cross_entropy_steps<isa>().forward(g, a.x, a.target, a.weight, a.saved, begin, end, part);
    parts[chunk] = part;
  });
  double sum = 0, total = 0;
  for (int64_t j = 0; j < chunks_of(g).count(); ++j) {
    const int64_t bad = parts[j].bad_row;
    if (bad >= 0) throw_bad_target(CrossEntropy::kName, g.k, bad, a.target[bad]);
    sum += parts[j].loss;
    total += parts[j].weight;
  }
  a.saved[2 * g.rows] = float(total);
  *a.loss = total == 0 ? 0.0f : float(sum / total);
}

template <Isa isa>
void backward(const Exec&, const CrossEntropySpec& g, const CrossEntropy::Backward<float>& a) {
  const float total = a.saved[2 * g.rows], scale = *a.dy / total, all = float(g.spread() * sum_of_weights(g, a.weight));
  for_each_chunk(g, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t i = begin; total == 0 && i < end; ++i) std::fill_n(a.dx + i * g.dx_pitch(), g.k, 0.0f);
    if (total == 0) return;
    cross_entropy_steps<isa>().backward(g, scale, all, a.x, a.target, a.weight, a.saved, a.dx, begin, end);
  });
}

template <Isa isa>
Implementation<CrossEntropy> simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .workspace = [](const CrossEntropySpec& g) { return size_t(chunks_of(g).count()) * sizeof(Part); },
          .forward = forward<isa>,
          .backward = backward<isa>};
}
}  // namespace

const Registry<Implementation<CrossEntropy>>& CrossEntropy::registry() {
  static const Implementation<CrossEntropy> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                       reference_implementation<CrossEntropy>()};
  static const Registry<Implementation<CrossEntropy>> registry{kName, impls};
  return registry;
}
OpInfo cross_entropy_info() { return info_of(CrossEntropy::registry()); }

}  // namespace kern::kernels
