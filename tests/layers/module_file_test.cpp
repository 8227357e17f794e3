#include "layers/module_file.h"

#include <gtest/gtest.h>

#include "engine/gpu.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/relu.h"
#include "tests/support/error_of.h"

namespace kern {
namespace {
using testing::error_of, testing::expect_words;

auto small(uint64_t seed) {
  set_seed(seed);
  return Sequential(Conv2d({.in = 3, .out = 4, .kernel = 3}), BatchNorm({.channels = 4}), Relu());
}
std::filesystem::path file_of(const char* name) { return std::filesystem::path(::testing::TempDir()) / name; }

TEST(ModuleFile, gives_back_parameters_and_buffers) {
  auto first = small(1), second = small(2);
  Tensor mean = named_tensors(first)[4].tensor;  // a buffer
  mean.fill(3);
  save(first, file_of("small.safetensors"), {{"task", "test"}});
  EXPECT_EQ(load_metadata(file_of("small.safetensors")).at("task"), "test");
  load(second, file_of("small.safetensors"));
  const auto a = named_tensors(first), b = named_tensors(second);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].tensor.values(), b[i].tensor.values()) << a[i].name;
  const AnyModule any(small(3));
  load(any, file_of("small.safetensors"));
  EXPECT_EQ(any.tensors()[0].tensor.values(), a[0].tensor.values());
}

TEST(ModuleFile, another_structure_is_refused_and_nothing_is_changed) {
  auto one = small(1);
  save(one, file_of("one.safetensors"));
  Sequential other(Conv2d({.in = 3, .out = 5, .kernel = 3}), Relu());
  const auto before = named_tensors(other)[0].tensor.values();
  expect_words(error_of([&] { load(other, file_of("one.safetensors")); }),
               {"one.safetensors", "does not fit", "0.weight", "1.weight"});
  EXPECT_EQ(named_tensors(other)[0].tensor.values(), before);
}

TEST(ModuleFile, to_and_from_any_device) {
  auto net = small(4);
  if (!gpu_available()) GTEST_SKIP() << "no GPU";
  const auto weight = named_tensors(net)[0].tensor.values();
  EXPECT_EQ(&to(net, Device::cuda), &net);
  for (const NamedTensor& t : named_tensors(net)) EXPECT_EQ(t.tensor.device(), Device::cuda) << t.name;
  save(net, file_of("gpu.safetensors"));
  auto here = small(5);
  load(here, file_of("gpu.safetensors"));
  EXPECT_EQ(named_tensors(here)[0].tensor.values(), weight);
  auto there = small(6);
  load(to(there, Device::cuda), file_of("gpu.safetensors"));
  EXPECT_EQ(named_tensors(there)[0].tensor.values(), weight);
  EXPECT_EQ(named_tensors(there)[0].tensor.device(), Device::cuda);
}

}  // namespace
}  // namespace kern
