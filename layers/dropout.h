#pragma once
#include "engine/ops/dropout.h"
#include "layers/module.h"

namespace kern {

// In training every value is dropped with probability p and the others scaled by 1/(1-p); in evaluation the identity.
// Srivastava et al. 2014.
struct Dropout {
  float p;
  Mode mode;
  explicit Dropout(float probability = 0.5f) : p(probability) {}
  Tensor operator()(const Tensor& x) { return mode.training && p > 0 ? dropout(x, p) : x; }
  template <class V>
  void visit(V&& v) {
    v("mode", mode);
  }
};

// The same with whole channels of a sample. Tompson et al. 2015.
struct ChannelDropout {
  float p;
  Mode mode;
  explicit ChannelDropout(float probability = 0.5f) : p(probability) {}
  Tensor operator()(const Tensor& x) { return mode.training && p > 0 ? channel_dropout(x, p) : x; }
  template <class V>
  void visit(V&& v) {
    v("mode", mode);
  }
};

}  // namespace kern
