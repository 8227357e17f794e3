#include "kernels/labels/labels.h"

#include "kernels/common/parallel.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

constexpr LabelsImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .relabel = [](const Exec&, const LabelsSpec& g, const int32_t* l, int32_t* y) { relabel_reference(g, l, y); },
    .one_hot = [](const Exec&, const LabelsSpec& g, const int32_t* l, const float* otherwise,
                  float* y) { one_hot_reference(g, l, otherwise, y); },
    .choose = [](const Exec&, const LabelsSpec& g, const int32_t* l, const float* a, const float* b,
                 float* y) { choose_reference(g, l, a, b, y); },
    .move_labels = [](const Exec&, const LabelsSpec& g, const int32_t* l, const int32_t* origin,
                      int32_t* y) { move_reference(g, l, origin, kIgnore, y); },
    .move_rows = [](const Exec&, const LabelsSpec& g, const float* x, const int32_t* origin,
                    float* y) { move_reference(g, x, origin, 0.0f, y); },
    .mean = [](const Exec&, const LabelsSpec& g, const float* x, const int32_t* l,
               float* s) { labelled_mean_reference(g, x, l, s); }};

// Threads share the rows; each does what the reference does with a part of them: f(spec of the part, its first implementation).
// Moves are cut between samples.
template <class F>
void in_parts(const LabelsSpec& g, int64_t positions, F&& f) {
  const int64_t samples = positions > 0 ? g.rows / positions : 0;
  parallel_for(samples, Chunks(samples, positions * g.c).grain, [&](int64_t begin, int64_t end) {
    LabelsSpec part = g;
    part.rows = (end - begin) * positions;
    f(part, begin * positions);
  });
}
constexpr LabelsImpl kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = [](const LabelsSpec& g) { return sum_flat_workspace(g.rows); },
    .relabel =
        [](const Exec&, const LabelsSpec& g, const int32_t* l, int32_t* y) {
          in_parts(g, 1, [=](const LabelsSpec& part, int64_t i) { relabel_reference(part, l + i, y + i); });
        },
    .one_hot =
        [](const Exec&, const LabelsSpec& g, const int32_t* l, const float* otherwise, float* y) {
          in_parts(g, 1, [=, c = g.c](const LabelsSpec& part, int64_t i) {
            one_hot_reference(part, l + i, otherwise ? otherwise + i * c : nullptr, y + i * c);
          });
        },
    .choose =
        [](const Exec&, const LabelsSpec& g, const int32_t* l, const float* a, const float* b, float* y) {
          in_parts(g, 1, [=, c = g.c](const LabelsSpec& part, int64_t i) {
            choose_reference(part, l + i, a + i * c, b + i * c, y + i * c);
          });
        },
    .move_labels =
        [](const Exec&, const LabelsSpec& g, const int32_t* l, const int32_t* origin, int32_t* y) {
          in_parts(g, g.positions,
                   [=](const LabelsSpec& part, int64_t i) { move_reference(part, l + i, origin + i, kIgnore, y + i); });
        },
    .move_rows =
        [](const Exec&, const LabelsSpec& g, const float* x, const int32_t* origin, float* y) {
          in_parts(g, g.positions, [=, c = g.c](const LabelsSpec& part, int64_t i) {
            move_reference(part, x + i * c, origin + i, 0.0f, y + i * c);
          });
        },
    .mean =
        [](const Exec& exec, const LabelsSpec& g, const float* x, const int32_t* l, float* s) {
          const double sum =
                           sum_flat(exec, g.rows, [=](int64_t i) { return x && l[i] >= 0 ? x[i * g.x_pitch] : 0.0f; }),
                       n = sum_flat(exec, g.rows, [=](int64_t i) { return l[i] >= 0 ? 1.0f : 0.0f; });
          s[0] = n > 0 ? float(sum / n) : 0.0f;
          s[1] = float(n);
          s[2] = n > 0 ? float(double(g.rows) / n) : 0.0f;
        }};

}  // namespace

const Registry<LabelsImpl>& labels_registry() {
  static const LabelsImpl impls[] = {KERN_CUDA_IMPL(labels_cuda_impl()) kCpu, kReference};
  static const Registry<LabelsImpl> registry{"labels", impls};
  return registry;
}
OpInfo labels_info() { return info_of(labels_registry()); }

}  // namespace kern::kernels
