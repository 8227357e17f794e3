#include "training/supervised.h"

#include "layers/head_loss.h"

namespace kern::training {

Supervised::Supervised(AnyModule network, Optimiser& optimiser, SupervisedOptions options)
    : network_(std::move(network)), optimiser_(optimiser), options_(std::move(options)) {
  check(options_.accumulate >= 1 && options_.clip >= 0, "accumulate must be at least 1 and clip not negative");
  if (!options_.class_weights.empty())
    weights_ = Tensor::from({int64_t(options_.class_weights.size())}, options_.class_weights).to(network_.device());
}

StepResult Supervised::step(const std::function<LabelledBatch()>& next) {
  StepResult result;
  double loss_sum = 0;
  for (int i = 0; i < options_.accumulate; ++i) {
    const LabelledBatch batch = next();
    if (!batch.x) break;
    const Device device = network_.device();
    const Tensor x = batch.x.to(device), labels = batch.labels.to(device);
    const Tensor loss =
        options_.loss ? options_.loss(network_, x, labels) : cross_entropy_of(network_, x, labels, weights_);
    backward(loss, Tensor::full({1}, 1.0f / float(options_.accumulate), {.device = device}));
    loss_sum += double(loss.item()) * double(batch.x.dim(0));
    result.samples += batch.x.dim(0);
  }
  if (options_.clip > 0) optimiser_.clip_gradient_norm(options_.clip);
  optimiser_.step();
  result.loss = result.samples > 0 ? loss_sum / double(result.samples) : 0;
  return result;
}

}  // namespace kern::training
