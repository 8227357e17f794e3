// A network made ready to predict on the CPU: norms that use running statistics are folded into the convolutions before
// them, ReLU and ReLU6 are applied before a convolution stores its output, and filters are packed (transformed for
// Winograd) at the first forward instead of at every one (engine/prepared_filters.h). Linear layers' weights are packed too.
#pragma once
#include <atomic>
#include <memory>
#include <utility>

#include "engine/prepared_filters.h"
#include "layers/module.h"

namespace kern {

// What the calls of one network share. A call through it is as any other where gradients are recorded, in a dry run and
// on a GPU.
class Preparation {
 public:
  // says: a note after the first call tells what was done.
  explicit Preparation(bool says = true) : state_(std::make_shared<State>()) { state_->said = !says; }
  // forward() with what is prepared.
  template <class F>
  auto operator()(F&& forward) const {
    const PreparedFilters::Scope scope(state_->filters);
    auto y = forward();
    if (!state_->said) say();
    return y;
  }
  PreparedFilters::Summary summary() const { return state_->filters.summary(); }

 private:
  struct State {
    PreparedFilters filters;
    std::atomic<bool> said = false;
  };
  void say() const;
  std::shared_ptr<State> state_;
};

// The same network (its tensors, its modes), prepared. Outputs differ from the plain network's by rounding alone: by at
// most 1e-4 of the largest value of an output for the networks of models/ (a test holds that), usually by 1e-6. Weights
// may be written to afterwards. Memory beside the weights: as much again, up to four times that for 3x3 filters of at
// most 8192 output positions.
AnyModule prepare(const AnyModule& network, const Preparation& preparation = Preparation());

}  // namespace kern
