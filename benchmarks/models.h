// The models that are timed, by the letters of docs/benchmarks.md, each with the batch and the loss of its training
// step. Data are random, never zeros.
#pragma once
#include <span>
#include <string>

#include "layers/module.h"

namespace kern::benchmarks {

struct Case {
  AnyModule network;
  Tensor x, target;
  std::function<Tensor(const AnyModule& network, const Tensor& x, const Tensor& target)> loss;
  void move_to(Device device) {
    network.move_to(device);
    x = x.to(device), target = target.to(device);
  }
};
// Samples in a batch, and an image's or volume's side or a signal's length; 0: what is usual for the model.
struct Size {
  constexpr Size(int samples = 0, int length = 0) : batch(samples), side(length) {}
  int batch, side;
};
struct Model {
  const char *id, *what;
  Case (*make)(Size);  // Error: a side for a model whose weights fix it
};
std::span<const Model> models();
const Model& model_of(const std::string& id);  // Error: no such model

}  // namespace kern::benchmarks
