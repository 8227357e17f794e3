// What a training step of each model gives to a GPU: nodes of its graph, and bytes that must move. Whoever makes a
// step longer sees it here; whoever makes it shorter writes the new figures down
// (kern bench ledger precision=... models=...).
#include "benchmarks/ledger.h"

#include <gtest/gtest.h>

#include "engine/tensor.h"
#include "tests/support/error_of.h"

namespace kern {
namespace {

struct Known {
  const char* model;
  kernels::Precision precision;
  int nodes;
  double megabytes;
};
constexpr auto kF32 = kernels::Precision::f32, kBf16 = kernels::Precision::bf16;
constexpr Known kKnown[] = {
    {"a", kF32, 222, 72922.1}, {"a", kBf16, 224, 37098.6}, {"b256", kF32, 133, 6390.8}, {"b256", kBf16, 135, 3212.8},
    {"C", kF32, 388, 4208.4},  {"C", kBf16, 392, 2264.7},  {"d", kF32, 197, 866.4},     {"d", kBf16, 202, 439.2},
    {"D", kF32, 109, 229.7},   {"D", kBf16, 114, 117.1},   {"e", kF32, 61, 339.9},      {"e", kBf16, 65, 186.3},
    {"f", kF32, 182, 8077.9},  {"f", kBf16, 186, 4945.2},
};

TEST(Ledger, HoldsTheNodesAndBytesOfAStep) {
  if (!benchmarks::ledger_available()) GTEST_SKIP() << "this build has no emulated device";
  for (const Known& known : kKnown) {
    SCOPED_TRACE(std::string(known.model) + " in " + std::string(kernels::name_of(known.precision)));
    const benchmarks::Ledger ledger = benchmarks::ledger_of(known.model, known.precision);
    EXPECT_EQ(int(ledger.nodes.size()), known.nodes);
    EXPECT_LE(std::abs(ledger.bytes * 1e-6 - known.megabytes), 0.05) << ledger.bytes * 1e-6;
  }
}

TEST(Ledger, KnowsWhatEveryKernelIsFor) {
  if (!benchmarks::ledger_available()) GTEST_SKIP() << "this build has no emulated device";
  for (const char* model : {"a", "b256", "C", "d", "D", "e", "f"})
    for (const benchmarks::LedgerNode& node : benchmarks::ledger_of(model, kBf16).nodes)
      EXPECT_TRUE(node.kind == "copy" || !node.op.empty() || node.kernel == "finish_chunks_kernel" ||
                  node.kernel == "norm_parameters_kernel" || node.kernel == "pack_filters_kernel")
          << model << " " << node.kernel;
}

TEST(Ledger, LeavesTheDeviceAsItWas) {
  if (!benchmarks::ledger_available()) GTEST_SKIP() << "this build has no emulated device";
  const Tensor x = Tensor::full({3, 5}, 2.5f, {.device = Device::cuda});
  benchmarks::ledger_of("d", kF32, 2);
  EXPECT_EQ(kernels::precision(), kF32);
  Tensor y = Tensor::empty({3, 5}, {.device = Device::cuda});
  y.copy_from(x);
  for (const float v : y.values()) EXPECT_EQ(v, 2.5f);
}

TEST(Ledger, SaysWhatABuildWithoutAnEmulatedDeviceLacks) {
  if (benchmarks::ledger_available()) GTEST_SKIP() << "this build has an emulated device";
  testing::expect_words(testing::error_of([] { benchmarks::ledger_of("d", kF32); }),
                        {"model d", "emulated device", "KERN_CUDA=EMULATED"});
}

}  // namespace
}  // namespace kern
