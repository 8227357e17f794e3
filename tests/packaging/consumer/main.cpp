// A user's program: a tensor, an op, a configuration; it must find every header and every archive through kern::kern.
#include <cstdio>

#include "engine/ops/relu.h"
#include "engine/tensor.h"
#include "training/config.h"

int main() {
  int epochs = 3;
  kern::training::Schema keys("consumer");
  keys.key("epochs", epochs, "passes over the data", kern::training::at_least(1));
  keys.load_text("epochs: 5", "text");
  keys.check();
  const kern::Tensor y = kern::relu(kern::Tensor::full({1}, -2));
  if (epochs != 5 || y.item() != 0) return 1;
  std::puts("kern works here");
}
