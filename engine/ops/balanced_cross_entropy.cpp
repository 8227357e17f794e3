#include "engine/ops/balanced_cross_entropy.h"

#include "engine/autograd.h"
#include "engine/ops/add.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/class_targets.h"
#include "engine/ops/focal.h"
#include "engine/ops/labels.h"
#include "engine/ops/mul.h"
#include "engine/ops/reshape.h"
#include "engine/ops/slice.h"
#include "engine/ops/sum.h"
#include "kernels/common/targets.h"

namespace kern {
namespace {

// 1 - the share of each class, [K].
Tensor shares_of_others(const Tensor& target, int64_t classes, SourceLocation at) {
  const NoGrad off;
  const Tensor counts = sum(reshape(one_hot(target, classes, {}, at), {-1, classes}, at), {0}, false, at);
  return sub(1, div(counts, maximum(sum(counts, at), 1, at), at), at);
}

}  // namespace

Tensor balanced_cross_entropy(const Tensor& logits, const Tensor& target, SourceLocation at) {
  check_class_targets("balanced_cross_entropy", logits, target, at);
  const int64_t k = logits.channels();
  const Tensor weight = shares_of_others(target, kernels::class_count(k), at);
  if (!kernels::is_binary(k)) return focal(logits, target, {.gamma = 0}, weight, at);
  // focal of gamma 0 is the cross entropy; of one logit, alpha 0 and 1 leave one class of the two.
  const auto of_class = [&](int c) {
    return mul(focal(logits, target, {.gamma = 0, .alpha = float(c)}, {}, at), slice(weight, 0, c, c + 1, at), {}, at);
  };
  return add(of_class(0), of_class(1), {}, at);
}

}  // namespace kern
