// Recorded steps in which NVIDIA's libraries do the products; on the emulated GPU their stand-ins do.
#include "kernels/common/cuda_libraries.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/capture.h"
#include "engine/ops/concat.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/conv_transpose2d.h"
#include "engine/ops/linear.h"
#include "engine/ops/mse.h"
#include "kernels/common/dispatch.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;
using Last = StepGraphs::Last;

// A little U: down, up into a slice beside its input, and out. Its loss and every gradient in three steps: as the code
// stands, recorded, and replayed.
std::vector<std::vector<float>> three_steps() {
  std::vector<Tensor> p;
  for (const Shape& shape : {Shape{8, 2, 2, 4}, Shape{8}, Shape{8, 2, 2, 4}, Shape{4}, Shape{5, 8}, Shape{5}}) {
    p.push_back(random_tensor(shape, uint32_t(p.size())).to(Device::cuda));
    p.back().require_grad();
  }
  StepGraphs graphs(Device::cuda);
  const Tensor target = random_tensor({2, 6, 4, 5}, 20).to(Device::cuda);
  const Last expected[] = {Last::eager, Last::recorded, Last::replayed};
  std::vector<std::vector<float>> all;
  for (uint32_t step = 0; step < 3; ++step) {
    const auto out =
        graphs.run({random_tensor({2, 6, 4, 4}, 10 + step)}, [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
          const int64_t widths[] = {4, 4};
          std::vector<Tensor> slices = Tensor::empty_channel_slices({2, 6, 4}, widths, in[0].options());
          slices[0].copy_from(in[0]);
          const Tensor down = conv2d(slices[0], p[0], p[1], {.stride = 2});
          const Tensor up = conv_transpose2d(down, p[2], p[3], {.stride = 2}, slices[1]);
          const Tensor loss = mse(linear(concat({slices[0], up}), p[4], p[5]), target);
          backward(loss);
          std::vector<Tensor> results{loss};
          for (Tensor& t : p) {
            results.push_back(t.grad());
            t.clear_grad();
          }
          return results;
        });
    EXPECT_EQ(graphs.last(), expected[step]);
    for (const Tensor& t : out) all.push_back(t.values());
  }
  return all;
}

TEST(CudaLibraries, serve_in_recorded_steps) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  for (const kernels::CudaLibrary& library : kernels::cuda_libraries())
    if (library.has_ops && library.found.starts_with("none"))
      GTEST_SKIP() << "nothing was run: " << library.name << ": " << library.found;
  const auto ours = three_steps();
  const kernels::PreferImpl prefer("conv2d=cudnn,conv_transpose2d=cudnn,linear=cublaslt");
  const auto theirs = three_steps(), again = three_steps();
  const auto used = kernels::impls_used();
  for (const auto& impl :
       {std::pair<std::string, std::string>{"conv2d", "cudnn"}, {"conv_transpose2d", "cudnn"}, {"linear", "cublaslt"}})
    EXPECT_TRUE(std::find(used.begin(), used.end(), impl) != used.end())
        << impl.first << " was not done by " << impl.second;
  EXPECT_EQ(theirs, again) << "bits differ from run to run";
  ASSERT_EQ(ours.size(), 21u);
  for (size_t i = 0; i < ours.size(); ++i)
    for (size_t j = 0; j < ours[i].size(); ++j) EXPECT_NEAR(theirs[i][j], ours[i][j], 1e-5) << i << " " << j;
}

}  // namespace
}  // namespace kern
