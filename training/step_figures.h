// What a step reports beside its loss: columns of metrics.csv. On a GPU they are still being computed when the step
// returns, and asking for them is what waits.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/host_copy.h"

namespace kern::training {

// An epoch's is the mean by weight, and NaN where all weights are 0.
struct StepFigure {
  std::string name;
  double value = 0, weight = 1;
};

class StepFigures {
 public:
  StepFigures() = default;
  StepFigures(std::vector<StepFigure> known) : known_(std::move(known)) {}
  StepFigures(const std::vector<std::string>& names, const Tensor& packed);
  // Figures as one tensor, for the other constructor: each is [1], a value of weight 1 (of several ranks this rank's part
  // of it), or [2], a value and its weight; empty: a figure that this step does not have.
  static Tensor pack(const std::vector<Tensor>& figures, Device device);

  std::vector<StepFigure> values() const;  // waits for them
  // The same over all ranks, which all ask: means by weight, and the weights' sums.
  std::vector<StepFigure> values_over_ranks() const;

 private:
  std::vector<StepFigure> known_;
  std::optional<HostCopy> late_;  // of the values and weights of known_
};

}  // namespace kern::training
