#include "training/supervised.h"

namespace kern::training {

Supervised::Supervised(AnyModule network, Optimiser& optimiser, SupervisedOptions options)
    : network_(std::move(network)), optimiser_(optimiser), options_(std::move(options)), graphs_(network_.device()) {
  check(options_.accumulate >= 1 && options_.clip >= 0, "accumulate must be at least 1 and clip not negative");
  weights_ = class_weight_tensor(options_.class_weights, network_.device());
}

StepResult Supervised::step(const std::function<LabelledBatch()>& next) {
  return network_.device() == Device::cpu ? step_at_once(next) : step_recorded(next);
}

Tensor Supervised::forward_backward(const Tensor& x, const Tensor& labels) const {
  const Tensor loss = labelled_loss(options_.loss, network_, {x, labels}, weights_);
  backward(loss, Tensor::full({1}, 1.0f / float(options_.accumulate), {.device = loss.device()}));
  return loss.detach();
}

void Supervised::apply_update() {
  if (options_.clip > 0) optimiser_.clip_gradient_norm(options_.clip);
  optimiser_.apply_step();
}

StepResult Supervised::step_at_once(const std::function<LabelledBatch()>& next) {
  StepResult result;
  for (int i = 0; i < options_.accumulate; ++i) {
    const LabelledBatch batch = next();
    if (!batch.x) break;
    result.loss.add(forward_backward(batch.x, batch.labels), batch.x.dim(0));
    result.samples += batch.x.dim(0);
  }
  optimiser_.prepare_step();
  apply_update();
  return result;
}

// All batches are there before the step begins: it has no end in the middle.
StepResult Supervised::step_recorded(const std::function<LabelledBatch()>& next) {
  std::vector<Tensor> inputs;
  for (int i = 0; i < options_.accumulate; ++i) {
    LabelledBatch batch = next();
    if (!batch.x) break;
    inputs.push_back(std::move(batch.x));
    inputs.push_back(std::move(batch.labels));
  }
  std::vector<int64_t> frozen;  // parameters that are trained now decide what is computed
  for (const Tensor& p : optimiser_.arena().parameters()) frozen.push_back(!p.requires_grad());
  optimiser_.prepare_step();
  const std::vector<Tensor> losses = graphs_.run(
      inputs,
      [&](const std::vector<Tensor>& there) {
        std::vector<Tensor> out;
        for (size_t i = 0; i < there.size(); i += 2) out.push_back(forward_backward(there[i], there[i + 1]));
        apply_update();
        return out;
      },
      frozen);
  StepResult result;
  for (size_t i = 0; i < losses.size(); ++i) {
    const int64_t samples = inputs[2 * i].dim(0);
    result.loss.add(losses[i], samples);
    result.samples += samples;
  }
  return result;
}

}  // namespace kern::training
