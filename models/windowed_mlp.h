// The fully connected network of well logs: each sample is labelled from the window round it alone. A layer that is
// applied to every window of 2 radius + 1 samples is a convolution of that width, and one that is applied to every
// sample a convolution of width 1: so it is written, and takes signals of any length.
#pragma once
#include <vector>

#include "layers/conv1d.h"
#include "layers/linear.h"

namespace kern::models {

struct WindowedMlpConfig {
  int in = 1, out = 5;
  int radius = 32;                    // samples to each side; outside the signal there are zeros
  std::vector<int> hidden{256, 128};  // units of the hidden layers, ReLU after each
};

class WindowedMlp {
 public:
  // Errors: sizes below 1, no hidden layer, a negative radius.
  explicit WindowedMlp(const WindowedMlpConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);  // [N,L,in] -> logits [N,L,out]
  BeforeHead before_head(const Tensor& x);
  template <class V>
  void visit(V&& v) {
    v("window", window_), v("hidden", hidden_), v("head", head_);
  }

 private:
  std::vector<Conv1d> window_;  // one
  std::vector<Linear> hidden_;
  std::vector<Linear> head_;  // one
};

}  // namespace kern::models
