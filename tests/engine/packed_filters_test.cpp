// A recorded step whose filters are packed at its beginning gives what a step does whose kernels pack them.
#include "engine/packed_filters.h"

#include <gtest/gtest.h>

#include <functional>

#include "engine/autograd.h"
#include "engine/capture.h"
#include "engine/gpu.h"
#include "engine/ops/add.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/conv_transpose2d.h"
#include "engine/ops/sum.h"
#include "engine/ops/unary.h"
#include "kernels/common/precision.h"

namespace kern {
namespace {

using Values = std::vector<float>;
using Work = std::function<Tensor(const Tensor& x)>;

Tensor pattern(const Shape& shape, int seed) {
  Tensor t = Tensor::empty(shape);
  float* to = t.mutate();
  for (int64_t i = 0; i < t.size(); ++i) to[i] = float((int(i) * 7 + seed * 5) % 23 - 11) / 16;
  return t;
}
constexpr Conv2dOptions kSame{.padding = {1, 1, 1, 1}};

class PackedFiltersOnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!gpu_available(&why)) GTEST_SKIP() << why;
    kernels::set_precision(kernels::Precision::bf16);
  }
  void TearDown() override {
    kernels::set_precision(kernels::Precision::f32);
    set_graphs(true);
  }
  // What each of five steps gives, recorded or not. `make` makes the step, with parameters of its own.
  static std::vector<Values> steps(bool graphs, const std::function<Work()>& make) {
    set_graphs(graphs);
    const Work work = make();
    StepGraphs own(Device::cuda);
    std::vector<Values> out;
    for (int i = 0; i < 5; ++i)
      out.push_back(own.run({pattern({2, 12, 16, 16}, i)},
                            [&](const std::vector<Tensor>& in) { return std::vector<Tensor>{work(in[0])}; })[0]
                        .values());
    EXPECT_EQ(own.last(), graphs ? StepGraphs::Last::replayed : StepGraphs::Last::eager);
    return out;
  }
  static void expect_same(const std::function<Work()>& make) {
    const auto eager = steps(false, make), recorded = steps(true, make);
    for (size_t i = 0; i < eager.size(); ++i) EXPECT_EQ(eager[i], recorded[i]) << "step " << i;
    EXPECT_NE(eager[0], eager[4]);
  }
};

Tensor parameter(const Shape& shape, int seed) {
  Tensor w = pattern(shape, seed).to(Device::cuda);
  return w.require_grad();
}
// w + w.grad() / 1024, as an update would write it.
void update(Tensor w) {
  w.copy_from(add(w.detach(), affine(w.grad(), 1.0f / 1024)));
  w.clear_grad();
}

TEST_F(PackedFiltersOnGpu, a_step_with_its_update) {
  expect_same([]() -> Work {
    const Tensor v = parameter({32, 3, 3, 16}, 1), w = parameter({32, 3, 3, 32}, 2), t = parameter({32, 2, 2, 16}, 3);
    return [=](const Tensor& x) {
      const Tensor y = conv2d(conv2d(x, v, {}, kSame), w, {}, kSame);
      const Tensor z = conv_transpose2d(y, t, {}, {.stride = {2, 2}});
      backward(sum(z));
      for (const Tensor& p : {v, w, t}) update(p);
      return z.detach();
    };
  });
}

TEST_F(PackedFiltersOnGpu, a_filter_that_the_step_writes_to_before_it_is_used_again) {
  expect_same([]() -> Work {
    const Tensor w = parameter({16, 3, 3, 16}, 1);
    return [=](const Tensor& x) {
      backward(sum(conv2d(x, w, {}, kSame)));
      update(w);
      const Tensor y = conv2d(x, w, {}, kSame);  // the new one
      backward(sum(y));
      update(w);
      return y.detach();
    };
  });
}

TEST_F(PackedFiltersOnGpu, a_filter_that_the_step_makes) {
  expect_same([]() -> Work {
    const Tensor w = parameter({16, 3, 3, 16}, 1);
    return [=](const Tensor& x) {
      const Tensor y = conv2d(conv2d(x, affine(w, 0.5f), {}, kSame), affine(w.detach(), 0.25f).detach(), {}, kSame);
      backward(sum(y));
      update(w);
      return y.detach();
    };
  });
}

TEST_F(PackedFiltersOnGpu, are_given_while_they_are_what_they_were) {
  const Tensor w = parameter({16, 3, 3, 16}, 1);
  const kernels::FilterPacking straight{16, 9, 16, false}, transposed{16, 9, 16, true};
  EXPECT_FALSE(PackedFilters::of(w, straight).data) << "outside of a step";
  PackedFilters filters;
  const PackedFilters::Scope scope(filters);
  EXPECT_FALSE(PackedFilters::of(w, straight).data) << "not met before";
  filters.allocate();
  EXPECT_FALSE(PackedFilters::of(w, straight).data) << "not packed yet";
  filters.pack();
  EXPECT_TRUE(PackedFilters::of(w, straight).data);
  EXPECT_FALSE(PackedFilters::of(w, transposed).data);
  EXPECT_FALSE(PackedFilters::of(w, {}).data);
  EXPECT_FALSE(PackedFilters::of(parameter({16, 3, 3, 16}, 1), straight).data) << "equal, but another one";
  {
    PackedFilters others;
    const PackedFilters::Scope inner(others);
    EXPECT_FALSE(PackedFilters::of(w, straight).data);
  }
  EXPECT_TRUE(PackedFilters::of(w.detach(), straight).data);
  update([&] {
    backward(sum(w));
    return w;
  }());
  EXPECT_FALSE(PackedFilters::of(w, straight).data) << "written to";
  filters.pack();
  EXPECT_TRUE(PackedFilters::of(w, straight).data);
}

}  // namespace
}  // namespace kern
