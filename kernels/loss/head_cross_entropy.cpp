#include "kernels/loss/head_cross_entropy.h"

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

// A block of rows goes through the fast implementations of linear and cross_entropy, forth and back, while its logits are in the
// cache. Blocks are dealt to groups, which run side by side; each adds up its blocks' dw and db.
constexpr int64_t kBlockValues = 16384, kMaxGroups = 32, kMaxWeights = 65536;

struct Plan {
  int64_t rows, block;  // rows of a block
  int64_t blocks, per_group, groups;
  explicit Plan(const HeadCrossEntropySpec& g) : rows(g.rows) {
    // Where a head has so many weights that their sums outweigh the logits, all rows are one block.
    block = g.w_size() > kMaxWeights ? std::max<int64_t>(1, rows) : std::max<int64_t>(64, kBlockValues / g.k / 8 * 8);
    blocks = ceil_div(rows, block);
    per_group = std::max<int64_t>(1, ceil_div(blocks, kMaxGroups));
    groups = ceil_div(blocks, per_group);
  }
  int64_t largest() const { return std::min(rows, block); }
  int64_t rows_of(int64_t b) const { return std::min(rows, (b + 1) * block) - b * block; }
};

// The implementations of linear and cross_entropy that serve blocks of n rows.
struct Parts {
  LinearSpec linear;
  CrossEntropySpec loss;
  const LinearImpl* linear_impl;
  const Implementation<CrossEntropy>* loss_impl;
  Parts(const HeadCrossEntropySpec& g, int64_t n)
      : linear(g.linear(n)),
        loss(g.cross_entropy(n)),
        linear_impl(&select(linear_registry(), Device::cpu, linear)),
        loss_impl(&select(CrossEntropy::registry(), Device::cpu, loss)) {}
  size_t workspace() const { return std::max(linear_impl->workspace(linear), loss_impl->workspace(loss)); }
};

struct Sums {  // of a group
  double loss = 0, weight = 0;
  int64_t bad_row = -1;
};
// Where a group finds its scratch.
struct Places {
  size_t work, z, d, saved, dw, totals, group;  // bytes from the group's beginning; totals: of dw, then of db
  Places(const HeadCrossEntropySpec& g, const Plan& plan) {
    size_t end = 0;
    auto place = [&](size_t bytes) { return std::exchange(end, end + (bytes + 63) / 64 * 64); };
    const int64_t n = plan.largest(), tail = plan.blocks > 0 ? plan.rows_of(plan.blocks - 1) : 0;
    const size_t floats = sizeof(float);
    work = place(std::max(Parts(g, n).workspace(), Parts(g, tail).workspace()));
    z = place(size_t(n * g.k) * floats);
    d = place(size_t(n * g.k) * floats);
    saved = place(size_t(g.cross_entropy(n).saved().size()) * floats);
    dw = place(size_t(g.w_size() + g.k) * floats);
    totals = place(size_t(g.w_size() + g.k) * sizeof(double));
    group = end;
  }
};
size_t sums_bytes(const Plan& plan) { return (size_t(plan.groups) * sizeof(Sums) + 63) / 64 * 64; }
size_t workspace(const HeadCrossEntropySpec& g) {
  const Plan plan(g);
  return sums_bytes(plan) + size_t(plan.groups) * Places(g, plan).group;
}

// The weights of the rows' targets, and the first that is impossible.
Sums look_at_targets(const HeadInputs<float>& in, int64_t classes, int64_t begin, int64_t end) {
  Sums s{.bad_row = first_bad_target(in.target + begin, end - begin, classes)};
  if (s.bad_row >= 0) s.bad_row += begin;
  else
    for (int64_t i = begin; i < end; ++i)
      if (in.target[i] != kIgnore) s.weight += in.weight ? double(in.weight[in.target[i]]) : 1.0;
  return s;
}

void forward(const Exec& exec, const HeadCrossEntropySpec& g, const HeadInputs<float>& in,
             const HeadOutputs<float>& out) {
  const Plan plan(g);
  const Places at(g, plan);
  Sums* const sums = static_cast<Sums*>(exec.scratch);
  std::byte* const areas = static_cast<std::byte*>(exec.scratch) + sums_bytes(plan);
  const int64_t group_rows = plan.per_group * plan.block;
  parallel_for(g.rows, group_rows,
               [&](int64_t begin, int64_t end) { sums[begin / group_rows] = look_at_targets(in, g.k, begin, end); });
  double weight = 0;
  for (int64_t j = 0; j < plan.groups; ++j) {
    const int64_t bad = sums[j].bad_row;
    if (bad >= 0) throw_bad_target("head_cross_entropy", g.k, bad, in.target[bad]);
    weight += sums[j].weight;
  }
  const bool gradients = out.dx || out.dw || out.db;
  const float one = 1;
  const Parts whole(g, plan.largest()), tail(g, plan.blocks > 0 ? plan.rows_of(plan.blocks - 1) : 0);
  parallel_for(plan.blocks, plan.per_group, [&](int64_t first, int64_t last) {
    std::byte* const area = areas + size_t(first / plan.per_group) * at.group;
    auto floats = [&](size_t place) { return reinterpret_cast<float*>(area + place); };
    float *z = floats(at.z), *d = floats(at.d), *saved = floats(at.saved), *dw = floats(at.dw), *db = dw + g.w_size();
    double* const totals = reinterpret_cast<double*>(area + at.totals);
    if (gradients) std::fill_n(totals, g.w_size() + g.k, 0.0);
    const Exec work{.stream = exec.stream, .scratch = area + at.work};
    double& loss = sums[first / plan.per_group].loss;
    for (int64_t b = first; b < last; ++b) {
      const int64_t i = b * plan.block, n = plan.rows_of(b);
      const Parts& p = n == whole.linear.rows ? whole : tail;
      const float* x = in.x + i * g.x_pitch();
      p.linear_impl->forward(work, p.linear, x, in.w, in.b, z);
      float mean = 0;
      p.loss_impl->forward(work, p.loss, {z, in.target + i, in.weight, &mean, saved});
      loss += double(mean) * double(saved[2 * n]);
      if (out.prediction) head_predictions(n, g.k, z, out.prediction + i);
      if (!gradients) continue;
      saved[2 * n] = float(weight);  // of all rows, not of this block
      p.loss_impl->backward(work, p.loss, {&one, z, in.target + i, in.weight, saved, d});
      if (out.dx) p.linear_impl->backward_data(work, p.linear, d, in.w, out.dx + i * g.dx_pitch());
      if (out.dw) {
        p.linear_impl->backward_weight(work, p.linear, d, x, dw);
        for (int64_t j = 0; j < g.w_size(); ++j) totals[j] += double(dw[j]);
      }
      if (out.db) {
        p.linear_impl->backward_bias(work, p.linear, d, db);
        for (int64_t k = 0; k < g.k; ++k) totals[g.w_size() + k] += double(db[k]);
      }
    }
  });
  double loss = 0;
  for (int64_t j = 0; j < plan.groups; ++j) loss += sums[j].loss;
  *out.loss = weight == 0 ? 0.0f : float(loss / weight);
  auto total = [&](int64_t j) {
    double sum = 0;
    for (int64_t group = 0; group < plan.groups; ++group)
      sum += reinterpret_cast<const double*>(areas + size_t(group) * at.group + at.totals)[j];
    return float(sum);
  };
  for (int64_t j = 0; out.dw && j < g.w_size(); ++j) out.dw[j] = total(j);
  for (int64_t k = 0; out.db && k < g.k; ++k) out.db[k] = total(g.w_size() + k);
  if (out.confusion) head_confusion(g.rows, g.k, in.target, out.prediction, out.confusion);
}

// A loss that is not scaled, the usual case, costs nothing.
void backward(const Exec&, const HeadCrossEntropySpec& g, const float* dy, float* dx, float* dw, float* db) {
  if (*dy == 1) return;
  head_cross_entropy_backward_reference<float>({.rows = 0, .c = g.c, .k = g.k}, dy, nullptr, dw, db);
  if (!dx) return;
  parallel_for(g.rows, std::max<int64_t>(1, kBlockValues / g.c), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t c = 0; c < g.c; ++c) dx[i * g.dx_pitch() + c] *= *dy;
  });
}

}  // namespace

template <>
const Registry<HeadCrossEntropyImpl>& head_cross_entropy_registry<float>() {
  static const HeadCrossEntropyImpl impls[] = {
      KERN_CUDA_IMPL(head_cross_entropy_cuda_impl<float>())  // head_cross_entropy.cu
      {.name = "blocks",
       .device = Device::cpu,
       .supports = supports_all,
       .workspace = workspace,
       .forward = forward,
       .backward = backward},
      {.name = "reference",
       .device = Device::cpu,
       .supports = supports_all,
       .workspace = [](const HeadCrossEntropySpec& g) { return size_t(head_cross_entropy_scratch(g)) * sizeof(float); },
       .forward =
           [](const Exec& exec, const HeadCrossEntropySpec& g, const HeadInputs<float>& in,
              const HeadOutputs<float>& out) {
             head_cross_entropy_forward_reference(g, in, out, static_cast<float*>(exec.scratch));
           },
       .backward = [](const Exec&, const HeadCrossEntropySpec& g, const float* dy, float* dx, float* dw,
                      float* db) { head_cross_entropy_backward_reference(g, dy, dx, dw, db); }},
  };
  static const Registry<HeadCrossEntropyImpl> registry{"head_cross_entropy", impls};
  return registry;
}
template <>
const Registry<HeadCrossEntropyImplOf<Bf16>>& head_cross_entropy_registry<Bf16>() {
  static const std::vector<HeadCrossEntropyImplOf<Bf16>> impls{KERN_CUDA_IMPL(head_cross_entropy_cuda_impl<Bf16>())};
  static const Registry<HeadCrossEntropyImplOf<Bf16>> registry{"head_cross_entropy", impls};
  return registry;
}
OpInfo head_cross_entropy_info() { return info_of(head_cross_entropy_registry(), head_cross_entropy_registry<Bf16>()); }

}  // namespace kern::kernels
