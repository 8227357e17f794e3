// A network against what PyTorch computed: forward, loss and every gradient from a file of "x", "target", "logits",
// "loss", "dx", and "weight.<name>" and "grad.<name>" of every part.
#pragma once
#include "engine/model_file.h"
#include "engine/ops/cross_entropy.h"
#include "layers/module.h"
#include "tests/support/golden.h"

namespace kern::testing {

// The parts of the network that the file has no "weight." for: none, but constants.
inline void load_golden(const AnyModule& network, const TensorFile& golden, std::string_view constants = "scaling") {
  std::vector<FileTensor> targets;
  for (const NamedTensor& t : network.tensors())
    if (t.name.find(constants) == t.name.npos) targets.push_back({t.name, t.tensor});
  load_into(targets, golden, "weight.");
}

inline void expect_gradients(const AnyModule& network, const TensorFile& golden, double tolerance) {
  for (const NamedTensor& p : network.parameters()) {
    ASSERT_TRUE(p.tensor.grad()) << p.name << " got no gradient";
    const Tensor& want = *golden.find("grad." + p.name);
    double scale = 0;
    for (float v : want.values()) scale = std::max(scale, double(std::abs(v)));
    // A bias before a norm has gradient 0 up to rounding: there the comparison is absolute.
    if (scale < 1e-9)
      for (float v : p.tensor.grad().values()) EXPECT_NEAR(v, 0, 1e-6) << p.name;
    else EXPECT_LE(distance(p.tensor.grad(), want), tolerance) << p.name;
  }
}

inline void expect_as_pytorch(const AnyModule& network, const TensorFile& golden, double tolerance = 1e-4) {
  load_golden(network, golden);
  network.set_training(golden.metadata.at("training") == "1");
  Tensor x = golden.find("x")->clone();
  x.require_grad();
  const Tensor logits = network(x);
  EXPECT_LE(distance(logits, *golden.find("logits")), tolerance / 5);
  const Tensor loss = cross_entropy(logits, *golden.find("target"));
  EXPECT_NEAR(loss.item(), golden.find("loss")->item(), tolerance / 10);
  backward(loss);
  EXPECT_LE(distance(x.grad(), *golden.find("dx")), tolerance);
  expect_gradients(network, golden, tolerance);
}

}  // namespace kern::testing
