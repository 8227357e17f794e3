#include "kernels/labels/pseudo_labels.h"

#include "kernels/common/parallel.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

constexpr PseudoLabelsImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward = [](const Exec&, const PseudoLabelsSpec& g, const float* p, const int32_t* present, const int32_t* truth,
                  const float* confidence, int32_t* labels,
                  float* figures) { pseudo_labels_reference(g, p, present, truth, confidence, labels, figures); }};

constexpr PseudoLabelsImpl kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace =
        [](const PseudoLabelsSpec& g) { return size_t(Chunks(g.rows, g.c).count()) * sizeof(PseudoLabelCounts); },
    .forward =
        [](const Exec& exec, const PseudoLabelsSpec& g, const float* p, const int32_t* present, const int32_t* truth,
           const float* confidence, int32_t* labels, float* figures) {
          const Chunks chunks(g.rows, g.c);
          PseudoLabelCounts* part = static_cast<PseudoLabelCounts*>(exec.scratch);
          parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
            part[begin / chunks.grain] = label_rows(g, begin, end, p, present, truth, confidence, labels);
          });
          PseudoLabelCounts all;
          for (int64_t k = 0; k < chunks.count(); ++k) {
            all.present += part[k].present;
            all.labelled += part[k].labelled;
            all.known += part[k].known;
            all.right += part[k].right;
          }
          all.shares(figures);
        }};

}  // namespace

const Registry<PseudoLabelsImpl>& pseudo_labels_registry() {
  static const PseudoLabelsImpl impls[] = {KERN_CUDA_IMPL(pseudo_labels_cuda_impl()) kCpu, kReference};
  static const Registry<PseudoLabelsImpl> registry{"pseudo_labels", impls};
  return registry;
}
OpInfo pseudo_labels_info() { return info_of(pseudo_labels_registry()); }

}  // namespace kern::kernels
