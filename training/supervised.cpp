#include "training/supervised.h"

#include "layers/head_loss.h"

namespace kern::training {

Supervised::Supervised(AnyModule network, Optimiser& optimiser, SupervisedOptions options)
    : network_(std::move(network)), optimiser_(optimiser), options_(std::move(options)) {
  check(options_.accumulate >= 1 && options_.clip >= 0, "accumulate must be at least 1 and clip not negative");
  weights_ = class_weight_tensor(options_.class_weights, network_.device());
}

StepResult Supervised::step(const std::function<LabelledBatch()>& next) {
  StepResult result;
  double loss_sum = 0;
  for (int i = 0; i < options_.accumulate; ++i) {
    LabelledBatch batch = next();
    if (!batch.x) break;
    const Device device = network_.device();
    batch = to(batch, device);
    const Tensor loss = cross_entropy_of(network_, batch.x, batch.labels, weights_);
    backward(loss, Tensor::full({1}, 1.0f / float(options_.accumulate), {.device = device}));
    loss_sum += double(loss.item()) * double(batch.x.dim(0));
    result.samples += batch.x.dim(0);
  }
  update(optimiser_, options_.clip);
  result.loss = result.samples > 0 ? loss_sum / double(result.samples) : 0;
  return result;
}

}  // namespace kern::training
