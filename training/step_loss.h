// The loss of a step. On a GPU it is still being computed when the step returns: asking for it is what waits.
#pragma once
#include <cmath>
#include <utility>
#include <vector>

#include "engine/host_copy.h"

namespace kern::training {

class StepLoss {
 public:
  StepLoss(double value = 0) : value_(value) {}
  // The mean of several tensors of one value, weighed by samples; a tensor may be written to afterwards.
  void add(const Tensor& loss, int64_t samples) { parts_.emplace_back(HostCopy(loss), double(samples)); }
  // Whether a GPU brings it. The loop then reads it while the next step is under way.
  bool late() const {
    for (const auto& [loss, samples] : parts_)
      if (loss.late()) return true;
    return false;
  }
  double value() const {
    if (parts_.empty()) return value_;
    double sum = 0, count = 0;
    for (const auto& [loss, samples] : parts_) sum += double(loss.values()[0]) * samples, count += samples;
    return count > 0 ? sum / count : 0;
  }

 private:
  double value_;
  std::vector<std::pair<HostCopy, double>> parts_;
};

}  // namespace kern::training
