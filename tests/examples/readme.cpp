#include <cstdio>

#include "engine/ops/cross_entropy.h"
#include "engine/ops/sgd.h"
#include "layers/conv2d.h"
#include "layers/relu.h"
using namespace kern;

int main() {  // learns which pixels of random pictures are more red than green
  Sequential net(Conv2d({.in = 3, .out = 8, .kernel = 3, .padding = 1}), Relu(),
                 Conv2d({.in = 8, .out = 2, .kernel = 1}));
  RandomSequence random(/*seed=*/1, RandomStream::synthesize);
  std::vector<float> pictures(4 * 16 * 16 * 3);  // [N,H,W,C]
  std::vector<int32_t> classes;
  for (float& v : pictures) v = random.uniform();
  for (size_t i = 0; i < pictures.size(); i += 3) classes.push_back(pictures[i] > pictures[i + 1]);
  const Tensor x = Tensor::from({4, 16, 16, 3}, pictures), truth = Tensor::from({4, 16, 16}, classes);
  Tensor momentum;  // none
  const float rate = 0.5f;
  for (int step = 0; step <= 200; ++step) {
    const Tensor loss = cross_entropy(net(x), truth);
    backward(loss);
    for (auto& [name, p, trained] : named_parameters(net)) sgd(p, p.grad(), momentum, {}, &rate), p.clear_grad();
    if (step % 50 == 0) std::printf("step %3d  loss %.3f\n", step, loss.item());
  }
}
