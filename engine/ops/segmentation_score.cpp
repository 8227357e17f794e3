#include "engine/ops/segmentation_score.h"

#include "engine/ops/op.h"
#include "kernels/labels/segmentation_score.h"

namespace kern {

SegmentationScore segmentation_score(const Tensor& probabilities, const Tensor& labels, double threshold,
                                     SourceLocation at) {
  check({probabilities.rank() == 4 && probabilities.dim(0) == 1 && probabilities.size() > 0, at},
        "segmentation_score: probabilities of one image are [1,h,w,C], got ", probabilities.shape());
  check({labels.dtype() == DType::i32 && labels.rank() == 3 && labels.dim(0) == 1 && labels.size() > 0, at},
        "segmentation_score: the labels of one image are i32 [1,H,W], got ", labels.shape(), " (", labels.dtype(), ")");
  const Tensor p = as_float(probabilities.detach()), l = dense(labels);
  const kernels::SegmentationScoreSpec g{.h = p.dim(1),
                                         .w = p.dim(2),
                                         .c = p.channels(),
                                         .rows = l.dim(1),
                                         .columns = l.dim(2),
                                         .threshold = threshold,
                                         .p_pitch = p.pitch()};
  const auto& impl = kernels::select(kernels::segmentation_score_registry(), p.device(), g, at);
  Tensor counts = Tensor::empty({g.classes(), g.classes()}, {.dtype = DType::i32, .device = p.device()}),
         loss = Tensor::empty({1}, {.device = p.device()});
  impl.forward(Workspace(p.device(), impl.workspace(g)).exec(), g, p.data(), l.data<int32_t>(),
               counts.mutate<int32_t>(), loss.mutate());
  return {counts, loss};
}

}  // namespace kern
