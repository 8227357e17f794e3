// What is particular to conv2d's CUDA implementations; conv2d_test.cpp compares them with the reference like every row.
#include <cmath>

#include "kernels/common/precision.h"
#include "kernels/conv/conv2d.h"
#include "tests/kernels/conv2d_check.h"
#include "tests/support/error_of.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

template <class F>
void for_each_cuda_impl(const Conv2dSpec& g, F&& f) {
  for_each_impl(conv2d_registry(), g, [&](const Conv2dImpl& impl, const Exec& exec) {
    if (impl.device == Device::cuda) f(impl, exec);
  });
}
bool takes(std::string_view name, const Conv2dSpec& g) {
  for (const Conv2dImpl& impl : conv2d_registry().impls)
    if (impl.name == name) return impl.supports(g);
  return false;
}
// NaN where a difference is.
template <class T>
double largest_difference(const Array<>& a, const Array<T>& b) {
  double largest = 0;
  for (int64_t i = 0; i < a.rows(); ++i)
    for (int64_t j = 0; j < a.c(); ++j) {
      const double difference = std::abs(double(a.at(i, j)) - double(b.at(i, j)));
      if (std::isnan(difference)) return difference;
      largest = std::max(largest, difference);
    }
  return largest;
}
constexpr Conv2dSpec same3x3(int n, int c, int h, int w, int k) {
  return {.n = n,
          .c = c,
          .h = h,
          .w = w,
          .k = k,
          .r = 3,
          .s = 3,
          .pad_top = 1,
          .pad_bottom = 1,
          .pad_left = 1,
          .pad_right = 1};
}

constexpr Conv2dSpec same3x3x3(int n, int c, int d, int h, int w, int k) {
  Conv2dSpec g = same3x3(n, c, h, w, k);
  g.d = d, g.t = 3, g.pad_front = g.pad_back = 1;
  return g;
}
constexpr Conv2dSpec strided_volume(Conv2dSpec g, int stride) {
  g.stride_d = g.stride_h = g.stride_w = stride;
  return g;
}

TEST(Conv2dCuda, tensor_cores_take_many_channels_and_large_images) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA";
  EXPECT_TRUE(takes("cuda_mma", same3x3(8, 64, 512, 512, 64)));
  EXPECT_TRUE(takes("cuda_mma", same3x3(4, 512, 28, 28, 512)));
  EXPECT_TRUE(takes("cuda_mma", {.n = 16, .c = 32, .w = 1100, .k = 64, .s = 3, .pad_left = 1, .pad_right = 1}));
  EXPECT_TRUE(
      takes("cuda_mma", {.n = 32, .c = 64, .h = 32, .w = 32, .k = 128, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2}));
  EXPECT_FALSE(takes("cuda_mma", same3x3(8, 3, 512, 512, 64)));
  EXPECT_FALSE(takes("cuda_mma", same3x3(8, 64, 512, 512, 20)));
  EXPECT_FALSE(takes("cuda_mma", same3x3(8, 64, 3, 3, 64)));
  Conv2dSpec grouped = same3x3(8, 64, 512, 512, 64);
  grouped.groups = 2;
  EXPECT_FALSE(takes("cuda_mma", grouped));
}

TEST(Conv2dCuda, tensor_cores_take_volumes_of_large_planes) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA";
  EXPECT_TRUE(takes("cuda_mma", same3x3x3(4, 16, 128, 128, 128, 16)));
  EXPECT_TRUE(takes("cuda_mma", same3x3x3(1, 128, 8, 8, 8, 128)));
  EXPECT_TRUE(takes("cuda_mma", strided_volume(same3x3x3(2, 32, 64, 64, 64, 64), 2)));
  EXPECT_FALSE(takes("cuda_mma", same3x3x3(1, 128, 4, 4, 4, 128)));
  EXPECT_FALSE(takes("cuda_mma", same3x3x3(4, 1, 128, 128, 128, 16)));
}

// On tensor cores, as the emulator is quick enough for: what every row is held to.
TEST(Conv2dCuda, volumes_on_tensor_cores_equal_the_reference) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA";
  Conv2dSpec dilated = same3x3x3(1, 16, 5, 9, 16, 16), pitched = same3x3x3(1, 24, 2, 9, 8, 40),
             behind = same3x3x3(1, 16, 3, 8, 16, 16),
             depth_alone{.n = 2, .c = 32, .h = 8, .w = 8, .k = 16, .d = 4, .t = 3};
  dilated.dil_d = dilated.dil_h = dilated.dil_w = 2;
  dilated.pad_front = dilated.pad_back = dilated.pad_top = dilated.pad_bottom = dilated.pad_left = dilated.pad_right =
      2;
  pitched.pitch = {.x = 32, .y = 42, .dx = 25, .dy = 48};
  behind.pad_front = 4, behind.pad_back = 0;  // the first plane out reads none
  const std::pair<const char*, Conv2dSpec> cases[] = {
      {"3x3x3", same3x3x3(2, 16, 3, 8, 16, 16)},
      {"one plane", same3x3x3(1, 16, 1, 8, 16, 16)},
      {"planes of padding alone", behind},
      {"dilated", dilated},
      {"pitched", pitched},
      {"taps in depth alone", depth_alone},
      {"no tap in depth",
       {.n = 2, .c = 16, .h = 8, .w = 16, .k = 16, .r = 3, .s = 1, .pad_top = 1, .pad_bottom = 1, .d = 3}},
      {"stride in depth alone", {.n = 1, .c = 16, .h = 8, .w = 16, .k = 16, .d = 5, .t = 1, .stride_d = 2}},
      {"stride 2", strided_volume(same3x3x3(1, 16, 5, 15, 16, 16), 2)},
      {"2x2x2 of stride 2",
       strided_volume({.n = 1, .c = 16, .h = 16, .w = 16, .k = 32, .r = 2, .s = 2, .d = 6, .t = 2}, 2)},
  };
  for (const auto& [name, g] : cases) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(takes("cuda_mma", g));
    for (const Precision p : {Precision::f32, Precision::bf16}) {  // bf16: the rows of tf32 too
      if (p != Precision::f32 && g.macs() > 2'000'000) continue;
      set_precision(p);
      check_rows(g, true);
    }
    set_precision(Precision::f32);
  }
}

TEST(Conv2dCuda, more_pixels_than_kernels_count_are_refused) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA";
  const Conv2dSpec g = same3x3x3(2, 16, 1024, 1024, 1024, 16);
  for (const Conv2dImpl& impl : conv2d_registry().impls) {
    if (impl.name != std::string_view("cuda") && impl.name != std::string_view("cuda_mma")) continue;
    const std::string sentence = error_of([&] { impl.workspace(g); });
    EXPECT_NE(sentence.find("has 2147483648 pixels going in"), std::string::npos) << sentence;
  }
}

// Errors as a share of the result's root mean square, of sums of 288 to 1000 products: those of float, though tensor
// cores multiply numbers of 11 bits.
TEST(Conv2dCuda, errors_are_those_of_float) {
  auto worst = [](const Array<>& got, const Array<double>& expected) {
    double squares = 0;
    for (int64_t i = 0; i < got.rows(); ++i)
      for (int64_t j = 0; j < got.c(); ++j) squares += expected.at(i, j) * expected.at(i, j);
    return largest_difference(got, expected) / std::sqrt(squares / double(got.rows() * got.c()));
  };
  const Conv2dSpec g = same3x3(1, 32, 13, 20, 32);
  const auto x = Array<>::uniform(g.x_rows(), g.c, 0, 1), w = Array<>::uniform(g.w_size(), 1, 0, 2),
             b = Array<>::uniform(g.k, 1, 0, 3), dy = Array<>::uniform(g.y_rows(), g.k, 0, 4);
  const auto xd = x.as<double>(), wd = w.as<double>(), bd = b.as<double>(), dyd = dy.as<double>();
  Array<double> y0(g.y_rows(), g.k), dx0(g.x_rows(), g.c), dw0(g.w_size(), 1);
  conv2d_forward_reference(g, xd.data(), wd.data(), bd.data(), y0.data());
  conv2d_backward_data_reference(g, dyd.data(), wd.data(), dx0.data());
  conv2d_backward_weight_reference(g, dyd.data(), xd.data(), dw0.data());
  for_each_cuda_impl(g, [&](const Conv2dImpl& impl, const Exec& exec) {
    Array<> y(g.y_rows(), g.k), dx(g.x_rows(), g.c), dw(g.w_size(), 1);
    impl.forward(exec, g, x.data(), w.data(), b.data(), y.data());
    impl.backward_data(exec, g, dy.data(), w.data(), dx.data());
    impl.backward_weight(exec, g, dy.data(), x.data(), dw.data());
    EXPECT_LE(worst(y, y0), 8e-6);
    EXPECT_LE(worst(dx, dx0), 8e-6);
    EXPECT_LE(worst(dw, dw0), 8e-6);
  });
}

// Factors of 11 bits are exact in tf32, of 8 bits in bf16; others are rounded, by no more than half of the next bit.
struct Rounding {
  const char* impl;
  Precision precision;
  double most;  // error of a result, as a share of the largest
};
void PrintTo(const Rounding& c, std::ostream* out) { *out << c.impl; }
class RoundedProducts : public ::testing::TestWithParam<Rounding> {
  void TearDown() override { set_precision(Precision::f32); }
};

TEST_P(RoundedProducts, serve_when_they_are_asked_for) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA";
  const Rounding& rounding = GetParam();
  const Conv2dSpec g = same3x3(1, 32, 13, 20, 32);
  for (const Precision p : {Precision::f32, Precision::tf32, Precision::bf16}) {
    set_precision(p);
    EXPECT_EQ(takes(rounding.impl, g), p >= rounding.precision);
    EXPECT_TRUE(takes("cuda_mma", g));
  }
  const auto x = Array<>::uniform(g.x_rows(), g.c, 0, 1), w = Array<>::uniform(g.w_size(), 1, 0, 2),
             b = Array<>::uniform(g.k, 1, 0, 3), dy = Array<>::uniform(g.y_rows(), g.k, 0, 4),
             xi = Array<>::integers(g.x_rows(), g.c, 0, 1), wi = Array<>::integers(g.w_size(), 1, 0, 2),
             bi = Array<>::integers(g.k, 1, 0, 3), dyi = Array<>::integers(g.y_rows(), g.k, 0, 4);
  const auto error = [](const Array<>& got, const Array<>& expected) {
    const auto zeros = Array<>::integers(got.rows(), got.c(), 0, 1, 0);
    return largest_difference(got, expected) / largest_difference(expected, zeros);
  };
  struct Direction {
    const Array<>&x, &w, &b, &dy;
    bool exact;
  };
  int served = 0;
  for (const Direction& d : {Direction{xi, wi, bi, dyi, true}, Direction{x, w, b, dy, false}}) {
    Array<> y0(g.y_rows(), g.k), dx0(g.x_rows(), g.c), dw0(g.w_size(), 1);
    conv2d_forward_reference(g, d.x.data(), d.w.data(), d.b.data(), y0.data());
    conv2d_backward_data_reference(g, d.dy.data(), d.w.data(), dx0.data());
    conv2d_backward_weight_reference(g, d.dy.data(), d.x.data(), dw0.data());
    for_each_cuda_impl(g, [&](const Conv2dImpl& impl, const Exec& exec) {
      if (std::string_view(impl.name) != rounding.impl) return;
      ++served;
      Array<> y(g.y_rows(), g.k), dx(g.x_rows(), g.c), dw(g.w_size(), 1);
      impl.forward(exec, g, d.x.data(), d.w.data(), d.b.data(), y.data());
      impl.backward_data(exec, g, d.dy.data(), d.w.data(), dx.data());
      impl.backward_weight(exec, g, d.dy.data(), d.x.data(), dw.data());
      for (const double e : {error(y, y0), error(dx, dx0), error(dw, dw0)}) {
        EXPECT_LE(e, d.exact ? 0 : rounding.most);
        EXPECT_TRUE(d.exact || e > rounding.most / 100) << "too exact to have been rounded: " << e;
      }
    });
  }
  EXPECT_EQ(served, 2);
}
INSTANTIATE_TEST_SUITE_P(Conv2dCuda, RoundedProducts,
                         ::testing::Values(Rounding{"cuda_tf32", Precision::tf32, 1e-3},
                                           Rounding{"cuda_bf16", Precision::bf16, 8e-3}),
                         [](const auto& p) { return std::string(p.param.impl); });

#ifdef KERN_CUDA
// A block that takes more tiles than it adds up in one go.
TEST(Conv2dCuda, long_sums_are_folded) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA";
  const Conv2dSpec g{.n = 1, .c = 16, .h = 3, .w = 1450, .k = 24};
  const auto x = Array<>::integers(g.x_rows(), g.c, 0, 1), dy = Array<>::integers(g.y_rows(), g.k, 0, 2);
  Array<> dw(g.w_size(), 1), dw0(g.w_size(), 1);
  conv2d_backward_weight_reference(g, dy.data(), x.data(), dw0.data());
  Values<> scratch(size_t(g.w_size()));
  conv2d_cuda_mma_weights({.scratch = scratch.device()}, g, 1, dy.device(), x.device(), dw.device());
  EXPECT_TRUE(close(dw, dw0));
}
TEST(Conv2dCuda, long_sums_of_volumes_are_folded) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA";
  const Conv2dSpec g{.n = 2, .c = 16, .h = 3, .w = 300, .k = 16, .d = 4, .t = 3, .pad_front = 1, .pad_back = 1};
  const auto x = Array<>::integers(g.x_rows(), g.c, 0, 1), dy = Array<>::integers(g.y_rows(), g.k, 0, 2);
  Array<> dw0(g.w_size(), 1);
  conv2d_backward_weight_reference(g, dy.data(), x.data(), dw0.data());
  for (const int chunks : {1, 5}) {
    Array<> dw(g.w_size(), 1);
    Values<> scratch(size_t(chunks) * size_t(g.w_size()));
    conv2d_cuda_mma_weights({.scratch = scratch.device()}, g, chunks, dy.device(), x.device(), dw.device());
    EXPECT_TRUE(close(dw, dw0)) << chunks;
  }
}
#endif

// Slices of a concatenation may begin at any channel: what cannot be read 16 bytes at a time is read otherwise.
TEST(Conv2dCuda, slots_may_begin_anywhere) {
  Conv2dSpec g = same3x3(1, 16, 9, 17, 24);
  g.pitch = {.x = 20, .y = 28, .dx = 20, .dy = 28};
  const auto x = Array<>::integers(g.x_rows(), 20, 0, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
             b = Array<>::integers(g.k, 1, 0, 3), dy = Array<>::integers(g.y_rows(), 28, 0, 4);
  Array<> y0(g.y_rows(), 28), dx0(g.x_rows(), 20), dw0(g.w_size(), 1);
  auto zero = [](float& v) { v = 0; };
  y0.for_each(zero), dx0.for_each(zero);
  conv2d_forward_reference(g, x.data() + 1, w.data(), b.data(), y0.data() + 3);
  conv2d_backward_data_reference(g, dy.data() + 3, w.data(), dx0.data() + 1);
  conv2d_backward_weight_reference(g, dy.data() + 3, x.data() + 1, dw0.data());
  for_each_cuda_impl(g, [&](const Conv2dImpl& impl, const Exec& exec) {
    Array<> y(g.y_rows(), 28), dx(g.x_rows(), 20), dw(g.w_size(), 1);
    y.for_each(zero), dx.for_each(zero);
    impl.forward(exec, g, x.data() + 1, w.data(), b.data(), y.data() + 3);
    impl.backward_data(exec, g, dy.data() + 3, w.data(), dx.data() + 1);
    impl.backward_weight(exec, g, dy.data() + 3, x.data() + 1, dw.data());
    EXPECT_TRUE(close(y, y0));
    EXPECT_TRUE(close(dx, dx0));
    EXPECT_TRUE(close(dw, dw0));
  });
}

TEST(Conv2dCuda, nan_stays_in_its_window_of_a_volume) {
  const Conv2dSpec g = same3x3x3(1, 16, 4, 8, 16, 16);
  auto x = Array<>::integers(g.x_rows(), g.c, 0, 1);
  const auto w = Array<>::integers(g.w_size(), 1, 0, 2);
  x.at((1 * 8 + 3) * 16 + 5, 7) = std::numeric_limits<float>::quiet_NaN();
  for_each_cuda_impl(g, [&](const Conv2dImpl& impl, const Exec& exec) {
    Array<> y(g.y_rows(), g.k);
    impl.forward(exec, g, x.data(), w.data(), nullptr, y.data());
    for (int d = 0; d < 4; ++d)
      for (int h = 0; h < 8; ++h)
        for (int v = 0; v < 16; ++v)
          EXPECT_EQ(std::isnan(y.at((d * 8 + h) * 16 + v, 3)),
                    std::abs(d - 1) <= 1 && std::abs(h - 3) <= 1 && std::abs(v - 5) <= 1)
              << d << " " << h << " " << v;
  });
}

// A NaN in x reaches the outputs that read it, and no other.
TEST(Conv2dCuda, nan_stays_in_its_window) {
  const Conv2dSpec g = same3x3(1, 16, 8, 16, 16);
  auto x = Array<>::integers(g.x_rows(), g.c, 0, 1);
  const auto w = Array<>::integers(g.w_size(), 1, 0, 2);
  x.at(3 * 16 + 5, 7) = std::numeric_limits<float>::quiet_NaN();
  for_each_cuda_impl(g, [&](const Conv2dImpl& impl, const Exec& exec) {
    Array<> y(g.y_rows(), g.k);
    impl.forward(exec, g, x.data(), w.data(), nullptr, y.data());
    for (int h = 0; h < 8; ++h)
      for (int v = 0; v < 16; ++v)
        EXPECT_EQ(std::isnan(y.at(h * 16 + v, 3)), std::abs(h - 3) <= 1 && std::abs(v - 5) <= 1) << h << " " << v;
  });
}

}  // namespace
}  // namespace kern::kernels
