// The loss of a step. On a GPU it is still being computed when the step returns: asking for it is what waits.
#pragma once
#include <cmath>
#include <vector>

#include "engine/host_copy.h"

namespace kern::training {

class StepLoss {
 public:
  StepLoss(double value = 0) : value_(value) {}
  // The mean of several tensors of one value, weighed by samples; a tensor may be written to afterwards. share: of the
  // whole batch's loss, where several ranks compute parts (training/rank_share.h); the sum over ranks is the loss.
  void add(const Tensor& loss, int64_t samples, double share = 1) {
    parts_.push_back({HostCopy(loss), double(samples), share});
  }
  // Whether a GPU brings it. The loop then reads it while the next step is under way.
  bool late() const {
    for (const Part& p : parts_)
      if (p.loss.late()) return true;
    return false;
  }
  double value() const {
    if (parts_.empty()) return value_;
    double sum = 0, count = 0;
    for (const Part& p : parts_) {
      if (p.share != 0) sum += double(p.loss.values()[0]) * p.samples * p.share;
      count += p.samples;
    }
    return count > 0 ? sum / count : 0;
  }

 private:
  double value_;
  struct Part {
    HostCopy loss;
    double samples, share;
  };
  std::vector<Part> parts_;
};

}  // namespace kern::training
