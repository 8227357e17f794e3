// Cross pseudo supervision (Chen et al. 2021): two networks that began differently teach each other.
//   loss = CE(f(x), labels) + CE(g(x), labels)
//        + weight ramp(epochs) [CE(f, argmax g) + CE(g, argmax f)]  over the labelled and over the unlabelled batch
// f alone validates and is saved.
#pragma once
#include "training/unlabelled_step.h"

namespace kern::training {

struct CrossPseudoOptions {
  std::vector<float> class_weights;  // [K], of the labelled terms; empty: all 1
  double clip = 0;
  double weight = 1;
  double ramp = 5;               // epochs until the weight is whole
  bool sync_batch_norm = false;  // of several ranks
};

class CrossPseudo {
 public:
  // second: of the first network's kind, with other initial weights, and its optimiser.
  CrossPseudo(AnyModule first, Optimiser& first_optimiser, AnyModule second, Optimiser second_optimiser,
              const CrossPseudoOptions& options);
  StepResult step(const StepData& data);
  Parts parts() { return {{{"second", second_}}, {{"second_optimiser", &second_optimiser_}}, {}}; }
  // The loss of a step and its figures; the batches and the cross term's weight [1] are on the networks' device.
  StepTerms loss(const LabelledBatch& labelled, const UnlabelledBatch& unlabelled, const Tensor& weight);
  double weight(double epochs) const { return options_.weight * ramp(epochs, options_.ramp); }
  StepGraphs::Last last() const { return step_.last(); }

 private:
  AnyModule first_, second_;
  Optimiser& first_optimiser_;
  Optimiser second_optimiser_;
  CrossPseudoOptions options_;
  Tensor weights_;
  UnlabelledStep step_;
};

}  // namespace kern::training
