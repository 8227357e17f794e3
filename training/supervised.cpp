#include "training/supervised.h"

#include <optional>

#include "engine/communicator.h"
#include "engine/rank_gradient_sums.h"
#include "engine/rank_norms.h"
#include "training/rank_share.h"

namespace kern::training {

Supervised::Supervised(AnyModule network, Optimiser& optimiser, SupervisedOptions options)
    : network_(std::move(network)), optimiser_(optimiser), options_(std::move(options)), graphs_(network_.device()) {
  check(options_.accumulate >= 1 && options_.clip >= 0, "accumulate must be at least 1 and clip not negative");
  weights_ = class_weight_tensor(options_.class_weights, network_.device());
}

StepResult Supervised::step(const std::function<LabelledBatch()>& next) {
  return network_.device() == Device::cpu ? step_at_once(next) : step_recorded(next);
}

Tensor Supervised::factor_of(double share, Device device) const {
  return Tensor::full({1}, float(share) / float(options_.accumulate), {.device = device});
}

Tensor Supervised::forward_backward(const Tensor& x, const Tensor& labels, const Tensor& factor) const {
  const Tensor loss = labelled_loss(options_.loss, network_, {x, labels}, weights_);
  backward(loss, factor);
  return loss.detach();
}

void Supervised::apply_update() {
  if (options_.clip > 0) optimiser_.clip_gradient_norm(options_.clip);
  optimiser_.apply_step();
}

StepResult Supervised::step_at_once(const std::function<LabelledBatch()>& next) {
  StepResult result;
  std::optional<RankGradientSums> sums;
  if (!communicator().alone()) sums.emplace(optimiser_.arena());
  for (int i = 0; i < options_.accumulate; ++i) {
    const LabelledBatch batch = next();
    if (!batch.x) break;
    const double share = share_of_loss(batch, options_.class_weights);
    const auto watch = sums && i + 1 == options_.accumulate ? sums->watch() : nullptr;
    std::optional<RankNorms> norms;
    if (sums && options_.sync_batch_norm) norms.emplace(!batch.whole.lent);
    const Tensor loss = forward_backward(batch.x, batch.labels, factor_of(share, network_.device()));
    result.loss.add(loss, batch.samples(), share);
    result.samples += batch.samples();
  }
  if (sums) sums->finish();
  optimiser_.prepare_step();
  apply_update();
  return result;
}

// All batches are there before the step begins: it has no end in the middle.
StepResult Supervised::step_recorded(const std::function<LabelledBatch()>& next) {
  struct Part {
    int64_t samples;
    double share;
  };
  std::vector<Tensor> inputs;  // of each batch x, labels and, where it changes from step to step, its factor
  std::vector<Part> parts;
  const bool ranks = !communicator().alone();
  for (int i = 0; i < options_.accumulate; ++i) {
    LabelledBatch batch = next();
    if (!batch.x) break;
    parts.push_back({batch.samples(), share_of_loss(batch, options_.class_weights)});
    inputs.push_back(std::move(batch.x));
    inputs.push_back(std::move(batch.labels));
    if (ranks) inputs.push_back(factor_of(parts.back().share, Device::cpu));
  }
  const size_t each = ranks ? 3 : 2;
  std::vector<int64_t> frozen;  // parameters that are trained now decide what is computed
  for (const Tensor& p : optimiser_.arena().parameters()) frozen.push_back(!p.requires_grad());
  optimiser_.prepare_step();
  const std::vector<Tensor> losses = graphs_.run(
      inputs,
      [&](const std::vector<Tensor>& there) {
        std::vector<Tensor> out;
        for (size_t i = 0; i < there.size(); i += each)
          out.push_back(forward_backward(there[i], there[i + 1], ranks ? there[i + 2] : factor_of(1, Device::cuda)));
        optimiser_.sum_gradients_over_ranks();
        apply_update();
        return out;
      },
      frozen);
  StepResult result;
  for (size_t i = 0; i < losses.size(); ++i) {
    result.loss.add(losses[i], parts[i].samples, parts[i].share);
    result.samples += parts[i].samples;
  }
  return result;
}

}  // namespace kern::training
