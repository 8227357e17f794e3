// Channels of what an encoder hands to its decoder, dropped at random: how UniMatch (Yang et al. 2023) perturbs features.
// A training asks for it call by call, so it is no layer of a network and nothing of it is in a model file.
//
//   const FeatureDropout perturbed(0.5f);  // this thread, until the end of the scope
//   const Tensor logits = network(x);
#pragma once
#include "engine/tensor.h"

namespace kern {

class FeatureDropout {
 public:
  explicit FeatureDropout(float p);  // the share; Error outside of [0, 1)
  ~FeatureDropout();
  FeatureDropout(const FeatureDropout&) = delete;
  FeatureDropout& operator=(const FeatureDropout&) = delete;
  // For networks with an encoder: x [N,...,C], with whole channels of a sample dropped within a scope, the others
  // scaled by 1/(1-p); x itself outside of one.
  static Tensor applied(const Tensor& x);

 private:
  float before_;
};

}  // namespace kern
