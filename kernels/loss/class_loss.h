// What a loss of class numbers with weights of classes reads and writes: cross_entropy, focal. Their specs say where:
// logits(), targets(), weights(), saved(), gradient().
#pragma once
#include "kernels/common/op.h"

namespace kern::kernels {

template <class Spec, class T>
struct ClassLossForward {
  static constexpr double kOperations = 4;
  const T* x;
  const int32_t* target;
  const T* weight;  // may be null
  T *loss, *saved;
  void arrays(const Spec& g, auto&& f) {
    f("x", x, g.logits()), f("target", target, g.targets()), f("weight", weight, g.weights());
    f("loss", loss, {}), f("saved", saved, g.saved());
  }
};
template <class Spec, class T>
struct ClassLossBackward {
  static constexpr double kOperations = 4;
  const T *dy, *x;
  const int32_t* target;
  const T *weight, *saved;
  T* dx;
  void arrays(const Spec& g, auto&& f) {
    f("dy", dy, {}), f("x", x, g.logits()), f("target", target, g.targets()), f("weight", weight, g.weights());
    f("saved", saved, g.saved()), f("dx", dx, g.gradient());
  }
};

}  // namespace kern::kernels
