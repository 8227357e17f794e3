// A user's program: a tensor, an op, a layer, a gzip file, a configuration; it must find every header and every archive
// through kern::kern.
#include <cstdio>

#include "data/gzip.h"
#include "engine/ops/relu.h"
#include "engine/tensor.h"
#include "layers/conv2d.h"
#include "training/config.h"

int main() {
  int epochs = 3;
  kern::training::Schema keys("consumer");
  keys.key("epochs", epochs, "passes over the data", kern::training::at_least(1));
  keys.load_text("epochs: 5", "text");
  keys.check();
  const kern::Tensor y = kern::relu(kern::Tensor::full({1}, -2));
  if (epochs != 5 || y.item() != 0) return 1;
  kern::Conv2d layer({.in = 1, .out = 2, .kernel = 3});
  if (kern::parameter_count(layer) != 20) return 2;
  const unsigned char packed[] = {31, 139, 8, 0, 0,   0,   0,   0,  2, 255, 203, 78,
                                  45, 202, 3, 0, 254, 241, 124, 52, 4, 0,   0,   0};  // "kern"
  if (kern::data::gunzip({reinterpret_cast<const char*>(packed), sizeof packed}, "packed") != "kern") return 3;
  std::puts("kern works here");
}
