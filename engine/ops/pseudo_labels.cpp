#include "engine/ops/pseudo_labels.h"

#include "engine/ops/class_targets.h"
#include "engine/ops/op.h"
#include "kernels/labels/pseudo_labels.h"

namespace kern {

PseudoLabels pseudo_labels(const Tensor& p, const Tensor& present, const Tensor& truth, double threshold,
                           const Tensor& confidence, SourceLocation at) {
  check_class_targets("pseudo_labels", p, present, at);
  if (truth) check_class_targets("pseudo_labels", p, truth, at);
  check({!confidence || (confidence.channels() == 1 && confidence.rows() == p.rows()), at},
        "pseudo_labels: one confidence a position is needed for ", p.shape(), ", got ",
        confidence ? confidence.shape() : Shape{});
  if (p.dtype() == DType::bf16 || (confidence && confidence.dtype() == DType::bf16))
    return pseudo_labels(as_float(p.detach()), present, truth, threshold,
                         confidence ? as_float(confidence.detach()) : confidence, at);
  const Tensor there = dense(present), known = truth ? dense(truth) : Tensor();
  const kernels::PseudoLabelsSpec g{.rows = p.rows(),
                                    .c = p.channels(),
                                    .threshold = threshold,
                                    .p_pitch = p.pitch(),
                                    .confidence_pitch = confidence ? confidence.pitch() : 1};
  const auto& impl = kernels::select(kernels::pseudo_labels_registry(), p.device(), g, at);
  Tensor labels = Tensor::empty(there.shape(), {.dtype = DType::i32, .device = p.device()}),
         figures = Tensor::empty({4}, {.device = p.device()});
  impl.forward(Workspace(p.device(), impl.workspace(g)).exec(), g, p.data(), there.data<int32_t>(),
               known ? known.data<int32_t>() : nullptr, confidence ? confidence.data() : nullptr,
               labels.mutate<int32_t>(), figures.mutate());
  return {labels, figures.channel_slice(0, 2), figures.channel_slice(2, 4)};
}

}  // namespace kern
