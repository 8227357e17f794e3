#pragma once
#include "engine/ops/log_softmax.h"
#include "layers/module.h"

namespace kern {

// x [...,C] -> the logarithms of the softmax, without its loss of small probabilities.
struct LogSoftmax {
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return log_softmax(x, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
