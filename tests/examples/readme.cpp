#include <kern/kern.h>

#include <cstdio>
using namespace kern;

int main() {  // learns which pixels of random images are more red than green
  const Device device = device_of(DeviceChoice::automatic);  // a GPU where there is one
  Sequential net(Conv2d({.in = 3, .out = 8, .kernel = 3, .padding = 1}), Relu(),
                 Conv2d({.in = 8, .out = 2, .kernel = 1}));
  to(net, device);
  RandomSequence random(/*seed=*/1, RandomStream::synthesize);
  std::vector<float> images(4 * 16 * 16 * 3);  // [N,H,W,C]
  std::vector<int32_t> classes;
  for (float& v : images) v = random.uniform();
  for (size_t i = 0; i < images.size(); i += 3) classes.push_back(images[i] > images[i + 1]);
  const Tensor x = Tensor::from({4, 16, 16, 3}, images).to(device);
  const Tensor truth = Tensor::from({4, 16, 16}, classes).to(device);
  training::Optimiser optimiser(net, AdamOptions{}, /*lr=*/0.02);
  for (int step = 0; step <= 200; ++step) {
    const Tensor loss = cross_entropy(net(x), truth);
    loss.backward();
    optimiser.step();
    if (step % 50 == 0) std::printf("step %3d  loss %.3f\n", step, loss.item());
  }
  save(net, "net.safetensors");  // and load(net, "net.safetensors")
}
