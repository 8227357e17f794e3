// A user's program, by <kern/kern.h> alone: it trains, saves and loads; a layer, a gzip file and a configuration besides.
// It must find every header and every archive through kern::kern.
#include <kern/data/gzip.h>
#include <kern/kern.h>
#include <kern/training/config.h>

#include <cstdio>
using namespace kern;

// A folder of the user's own may have the name of one of Kern's.
#include "data/own.h"

int main() {
  Sequential net(Conv1d({.in = 2, .out = 8, .kernel = 5, .padding = 2}), Relu(),
                 Conv1d({.in = 8, .out = 2, .kernel = 1}));
  const Tensor x = Tensor::full({1, 32, 2}, kOwnValue);
  const Tensor truth = Tensor::from({1, 32}, std::vector<int32_t>(32, 1));
  training::Optimiser optimiser(net, AdamOptions{}, 0.01);
  const float before = cross_entropy(net(x), truth).item();
  for (int step = 0; step < 50; ++step) {
    cross_entropy(net(x), truth).backward();
    optimiser.step();
  }
  const float after = cross_entropy(net(x), truth).item();
  if (!(after < 0.1f * before)) return 1;
  save(net, "net.safetensors");
  Sequential again(Conv1d({.in = 2, .out = 8, .kernel = 5, .padding = 2}), Relu(),
                   Conv1d({.in = 8, .out = 2, .kernel = 1}));
  load(again, "net.safetensors");
  if (cross_entropy(again(x), truth).item() != after) return 2;

  int epochs = 3;
  training::Schema keys("consumer");
  keys.key("epochs", epochs, "passes over the data", training::at_least(1));
  keys.load_text("epochs: 5", "text");
  keys.check();
  if (epochs != 5) return 3;
  const unsigned char packed[] = {31, 139, 8, 0, 0,   0,   0,   0,  2, 255, 203, 78,
                                  45, 202, 3, 0, 254, 241, 124, 52, 4, 0,   0,   0};  // "kern"
  if (data::gunzip({reinterpret_cast<const char*>(packed), sizeof packed}, "packed") != "kern") return 4;
  std::puts("kern works here");
}
