// A network on top of a simpler one: what the simple one says is part of the input, and the network learns to correct
// it.
#pragma once
#include <utility>

#include "engine/ops/add.h"
#include "engine/ops/slice.h"
#include "layers/linear.h"

namespace kern::models {

//   logits = b + A f(x) + a,   the input is [x, b] along the channels, A = 0 and a = 0 at the start
//
// At the start it is the simple one, whatever f; the first updates move A and a alone.
template <UnaryModule M>
struct OnBase {
  int classes;
  M network;
  Linear correction;

  // The network's logits are of so many classes.
  OnBase(M m, int logits) : classes(logits), network(std::move(m)), correction({logits, logits}) {
    correction.weight.fill(0);
    correction.bias.fill(0);
  }
  Tensor operator()(const Tensor& x) {
    check(x.rank() > 0 && x.channels() > classes, "a network on a base of ", classes,
          " classes takes its input and their logits behind it, got ", x.shape());
    const int64_t own = x.channels() - classes;
    return add(correction(network(slice(x, -1, 0, own))), slice(x, -1, own, x.channels()));
  }
  template <class V>
  void visit(V&& v) {
    v("network", network), v("correction", correction);
  }
};

}  // namespace kern::models
