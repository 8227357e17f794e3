#include "training/unlabelled_step.h"

#include <algorithm>
#include <utility>

#include "engine/communicator.h"
#include "engine/rank_gradient_sums.h"

namespace kern::training {
namespace {

// A batch's tensors in their order; which of them there are decides what a step computes.
std::vector<Tensor*> parts_of(LabelledBatch& l, UnlabelledBatch& u) {
  return {&l.x,
          &l.labels,
          &u.x,
          &u.present,
          &u.strong,
          &u.origin,
          &u.truth,
          &u.strong2,
          &u.origin2,
          &l.share,
          &l.share_of_positions,
          &u.share,
          &u.strong_share,
          &u.strong2_share};
}

}  // namespace

double ramp(double epochs, double length) {
  if (length <= 0) return 1;
  const double left = 1 - std::clamp(epochs / length, 0.0, 1.0);
  return std::exp(-5 * left * left);
}

void apply_update(Optimiser& optimiser, double clip) {
  optimiser.sum_gradients_over_ranks();
  if (clip > 0) optimiser.clip_gradient_norm(clip);
  optimiser.apply_step();
}

void learn_from(const Tensor& loss, Optimiser& optimiser, double clip) {
  if (communicator().alone() || loss.device() != Device::cpu) {
    backward(loss);
    return apply_update(optimiser, clip);
  }
  RankGradientSums sums(optimiser.arena());
  {
    const auto watch = sums.watch();
    backward(loss);
  }
  sums.finish();
  if (clip > 0) optimiser.clip_gradient_norm(clip);
  optimiser.apply_step();
}

UnlabelledStep::UnlabelledStep(Device device, std::vector<std::string> figures, std::vector<Optimiser*> optimisers,
                               const AmongRanks& ranks)
    : device_(device),
      ranks_(ranks),
      figures_(std::move(figures)),
      optimisers_(std::move(optimisers)),
      graphs_(device) {}

StepResult UnlabelledStep::run(const StepData& data, double weight, const Work& work,
                               std::vector<int64_t> circumstances) {
  LabelledBatch l = data.labelled ? data.labelled() : LabelledBatch();
  UnlabelledBatch u = data.unlabelled ? data.unlabelled() : UnlabelledBatch();
  StepResult result{.samples = l.x ? l.samples() : u.samples()};
  set_shares(l, u, ranks_.class_weights);
  std::vector<Tensor> inputs{Tensor::full({1}, float(weight))};
  for (Tensor* t : parts_of(l, u)) {
    circumstances.push_back(bool(*t));
    if (*t) inputs.push_back(*t);
  }
  for (Optimiser* optimiser : optimisers_) {
    for (const Tensor& p : optimiser->arena().parameters()) circumstances.push_back(!p.requires_grad());
    optimiser->prepare_step();
  }
  const std::vector<Tensor> out = graphs_.run(
      inputs,
      [&](const std::vector<Tensor>& there) {
        size_t next = 1;
        for (Tensor* t : parts_of(l, u))
          if (*t) *t = there[next++];
        const StepTerms terms = work(l, u, there[0]);
        return std::vector<Tensor>{terms.loss.detach(), StepFigures::pack(terms.figures, device_)};
      },
      circumstances);
  result.loss.add(out[0], 1);
  result.figures = StepFigures(figures_, out[1]);
  return result;
}

}  // namespace kern::training
