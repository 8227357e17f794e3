// The convolution by TMA and wgmma: which cases it takes, and its results where stages, tiles and channels are not full.
// What every row of values kept as bf16 is held to is in bf16_test.cpp.
#ifdef KERN_CUDA
#include <gtest/gtest.h>

#include <string_view>

#include "kernels/common/tensor_map.h"
#include "kernels/conv/conv2d.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

const Conv2dImplOf<Bf16>* row_of_wgmma() {
  for (const Conv2dImplOf<Bf16>& impl : conv2d_registry<Bf16>().impls)
    if (impl.name == std::string_view("cuda_wgmma_bf16")) return &impl;
  return nullptr;
}
bool wgmma_takes(const Conv2dSpec& g) { return row_of_wgmma() && row_of_wgmma()->supports(g); }

constexpr Conv2dSpec padded(int n, int c, int h, int w, int k, int taps, int pad) {
  return {.n = n,
          .c = c,
          .h = h,
          .w = w,
          .k = k,
          .r = taps,
          .s = taps,
          .pad_top = pad,
          .pad_bottom = pad,
          .pad_left = pad,
          .pad_right = pad};
}

// On the emulator under six orders of threads and copies.
template <class F>
void in_every_order(F&& f) {
#ifdef KERN_CUDA_EMULATED
  const uint64_t before = emulator::seed();
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(text("seed ", seed));
    emulator::set_seed(seed);
    f();
  }
  emulator::set_seed(before);
#else
  f();
#endif
}
bool runs_here() { return cuda_available() && device_is_hopper(); }

TEST(Conv2dWgmma, takes_filters_that_step_by_one) {
  if (!runs_here()) GTEST_SKIP() << "no GPU of compute capability 9.0";
  EXPECT_TRUE(wgmma_takes(padded(1, 64, 16, 16, 64, 3, 1)));
  EXPECT_TRUE(wgmma_takes(padded(1, 64, 16, 16, 64, 1, 0)));
  EXPECT_FALSE(wgmma_takes(padded(1, 64, 16, 16, 64, 5, 2)));
  EXPECT_FALSE(wgmma_takes(padded(1, 64, 16, 16, 20, 3, 1)));
  Conv2dSpec strided = padded(1, 64, 16, 16, 64, 3, 1), dilated = strided, grouped = strided, oblong = strided,
             volume = strided;
  strided.stride_h = strided.stride_w = 2;
  dilated.dil_h = dilated.dil_w = 2;
  grouped.groups = 2;
  oblong.s = 1, oblong.pad_left = oblong.pad_right = 0;
  volume.d = 3, volume.t = 3;
  for (const Conv2dSpec& g : {strided, dilated, grouped, oblong, volume}) EXPECT_FALSE(wgmma_takes(g));
}

TEST(Conv2dWgmma, equals_the_reference) {
  if (!runs_here()) GTEST_SKIP() << "no GPU of compute capability 9.0";
  Conv2dSpec pitched = padded(1, 80, 17, 11, 48, 3, 1), lopsided = padded(1, 64, 19, 13, 72, 3, 0);
  pitched.pitch = {.x = 88, .y = 50, .dx = 83, .dy = 56};
  lopsided.pad_top = 2, lopsided.pad_left = 1;
  const Conv2dSpec cases[] = {
      pitched,
      lopsided,
      padded(1, 200, 16, 9, 24, 3, 1),   // more stages than a ring has
      padded(2, 16, 33, 17, 136, 3, 1),  // a tile of channels that has 8
      padded(1, 72, 18, 20, 128, 3, 1),  // tiles of 128
      padded(1, 328, 17, 16, 128, 1, 0),
  };
  for (const Conv2dSpec& g : cases) {
    SCOPED_TRACE(text(g.c, " -> ", g.k, ", ", g.h, " x ", g.w, ", filter ", g.r));
    ASSERT_TRUE(wgmma_takes(g));
    const Conv2dImplOf<Bf16>& row = *row_of_wgmma();
    const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
               b = Array<>::integers(g.k, 1, 0, 3), dy = Array<>::integers(g.y_rows(), g.k, g.pitch.dy, 4);
    Array<> y0(g.y_rows(), g.k, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx);
    conv2d_forward_reference(g, x.data(), w.data(), b.data(), y0.data());
    conv2d_backward_data_reference(g, dy.data(), w.data(), dx0.data());
    const Registry<Conv2dImplOf<Bf16>> alone{"conv2d", {&row, 1}};
    const auto xb = x.as<Bf16>(), dyb = dy.as<Bf16>();
    in_every_order([&] {
      for_each_impl(alone, g, [&](const Conv2dImplOf<Bf16>& impl, const Exec& exec) {
        Array<Bf16> y(g.y_rows(), g.k, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx);
        impl.forward(exec, g, xb.data(), w.data(), b.data(), y.data());
        EXPECT_TRUE(close(y, y0.as<Bf16>())) << "forward";
        impl.backward_data(exec, g, dyb.data(), w.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0.as<Bf16>())) << "backward_data";
      });
    });
  }
}

}  // namespace
}  // namespace kern::kernels
#endif
