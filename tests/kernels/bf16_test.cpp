// The rows for values kept as bf16: they give what the reference makes of the same values, rounded once. Small integers
// are exact until then, so == is fair.
#include <algorithm>

#include "kernels/common/precision.h"
#include "kernels/conv/conv2d_cuda_mma_bf16.h"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/elementwise/add.h"
#include "kernels/elementwise/unary_ops.h"
#include "kernels/loss/head_cross_entropy.h"
#include "kernels/norm/norm_act.h"
#include "kernels/pool/max_pool.h"
#include "kernels/pool/upsample.h"
#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

class Bf16Rows : public ::testing::Test {
  void SetUp() override {
    if (!cuda_available()) GTEST_SKIP() << "no CUDA: values are kept as bf16 on a GPU alone";
  }
};

TEST(Bf16, rounds_to_the_nearest_and_keeps_what_is_no_number) {
  struct Case {
    float from, to;
  };
  const float inf = std::numeric_limits<float>::infinity();
  for (const Case& c : {Case{1, 1},
                        {-0.0f, -0.0f},
                        {1.00390625f, 1},
                        {1.01171875f, 1.015625f},
                        {1.005f, 1.0078125f},
                        {-3.1415927f, -3.140625f},
                        {3.4e38f, inf},
                        {inf, inf},
                        {-inf, -inf},
                        {1e-40f, 0x1p-133f}})
    EXPECT_EQ(float(Bf16(c.from)), c.to) << c.from;
  for (uint32_t bits : {0x7f800001u, 0xff80ffffu, 0x7fffffffu, 0x7fc00000u})
    EXPECT_TRUE(std::isnan(float(Bf16(std::bit_cast<float>(bits))))) << bits;
}

template <class Spec>
struct ConvCase {
  Spec g;
  std::string_view first;  // the implementation that serves it
};

template <class Table, class Spec, class Reference>
std::string_view check_convolution(const Table& table, const Spec& g, const Reference& reference) {
  const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
             b = Array<>::integers(g.k, 1, 0, 3), dy = Array<>::integers(g.y_rows(), g.k, g.pitch.dy, 4);
  const auto xb = x.template as<Bf16>(), dyb = dy.template as<Bf16>();
  Array<> y0(g.y_rows(), g.k, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx), dw0(g.w_size(), 1), db0(g.k, 1);
  reference(x, w, b, dy, y0, dx0, dw0, db0);
  std::string_view first;
  for_each_impl(table, g, [&](const auto& impl, const Exec& exec) {
    if (first.empty()) first = impl.name;
    // cuDNN rounds before the bias is added, and has filters and their gradients in bf16 too.
    const Tolerance t = std::string_view(impl.name) == "cudnn_bf16" ? Tolerance{.relative = 0x1p-7} : Tolerance{};
    Array<Bf16> y(g.y_rows(), g.k, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx);
    Array<> dw(g.w_size(), 1), db(g.k, 1);
    impl.forward(exec, g, xb.data(), w.data(), b.data(), y.data());
    EXPECT_TRUE(close(y, y0.as<Bf16>(), t)) << "forward";
    impl.backward_data(exec, g, dyb.data(), w.data(), dx.data());
    EXPECT_TRUE(close(dx, dx0.as<Bf16>(), t)) << "backward_data";
    impl.backward_weight(exec, g, dyb.data(), xb.data(), dw.data());
    EXPECT_TRUE(close(dw, dw0, t)) << "backward_weight";
    impl.backward_bias(exec, g, dyb.data(), db.data());
    EXPECT_TRUE(close(db, db0)) << "backward_bias";
    if constexpr (requires { impl.backward_data_plus; }) {
      const auto added = Array<>::integers(g.c, 1, 0, 5);
      impl.backward_data_plus(exec, g, dyb.data(), w.data(), added.data(), dx.data());
      Array<> plus = dx0;
      for (int64_t i = 0; i < plus.rows(); ++i)
        for (int64_t c = 0; c < g.c; ++c) plus.at(i, c) += added.at(c, 0);
      EXPECT_TRUE(close(dx, plus.as<Bf16>(), t)) << "backward_data_plus";
      for (const int64_t more : {0, 3}) {
        if (!impl.backward_data_added) break;
        const auto base = Array<>::integers(g.x_rows(), g.c, g.c + more, 6);
        const auto given = base.template as<Bf16>();
        impl.backward_data_added(exec, g, dyb.data(), w.data(), given.data(), given.pitch(), dx.data());
        Array<> sum = dx0;
        for (int64_t i = 0; i < sum.rows(); ++i)
          for (int64_t c = 0; c < g.c; ++c) sum.at(i, c) += base.at(i, c);
        EXPECT_TRUE(close(dx, sum.as<Bf16>(), t)) << "backward_data_added, pitch " << given.pitch();
      }
    }
  });
  return first;
}

constexpr Conv2dSpec same(int n, int c, int h, int w, int k, int r, int s) {
  return {.n = n,
          .c = c,
          .h = h,
          .w = w,
          .k = k,
          .r = r,
          .s = s,
          .pad_top = r / 2,
          .pad_bottom = r / 2,
          .pad_left = s / 2,
          .pad_right = s / 2};
}
constexpr Conv2dSpec with(Conv2dSpec g, Pitches pitch) {
  g.pitch = pitch;
  return g;
}
constexpr Conv2dSpec strided(Conv2dSpec g, int stride) {
  g.stride_h = g.stride_w = stride;
  return g;
}
// Of volumes: as many taps in depth as down, as the rest is down.
constexpr Conv2dSpec deep(Conv2dSpec g, int planes) {
  g.d = planes, g.t = g.r, g.stride_d = g.stride_h, g.dil_d = g.dil_h;
  g.pad_front = g.pad_top, g.pad_back = g.pad_bottom;
  return g;
}
constexpr Conv2dSpec dilated(Conv2dSpec g, int dilation) {
  g.dil_h = g.dil_w = dilation;
  g.pad_top = g.pad_bottom = g.pad_left = g.pad_right = dilation;
  return g;
}

std::string_view check_conv2d(const Registry<Conv2dImplOf<Bf16>>& registry, const Conv2dSpec& g) {
  return check_convolution(
      registry, g,
      [&g](const auto& x, const auto& w, const auto& b, const auto& dy, auto& y, auto& dx, auto& dw, auto& db) {
        conv2d_forward_reference(g, x.data(), w.data(), b.data(), y.data());
        conv2d_backward_data_reference(g, dy.data(), w.data(), dx.data());
        conv2d_backward_weight_reference(g, dy.data(), x.data(), dw.data());
        conv2d_backward_bias_reference(g, dy.data(), db.data());
      });
}

TEST_F(Bf16Rows, conv2d) {
  Conv2dSpec depthwise = same(1, 16, 9, 11, 16, 3, 3);
  depthwise.groups = 16;
  const ConvCase<Conv2dSpec> cases[] = {
      {same(1, 16, 13, 20, 16, 3, 3), "cuda_mma_bf16"},
      {same(2, 24, 14, 15, 40, 3, 3), "cuda_mma_bf16"},  // channels that fill no step and no tile
      {same(1, 72, 8, 16, 96, 3, 3), "cuda_mma_bf16"},
      {with(same(1, 32, 11, 17, 16, 3, 3), {.x = 40, .y = 18, .dx = 33, .dy = 24}), "cuda_mma_bf16"},
      {same(1, 64, 16, 16, 32, 1, 1), "cuda_mma_bf16"},
      {same(2, 16, 1, 70, 32, 1, 9), "cuda_mma_bf16"},  // a signal
      {strided(same(1, 16, 16, 24, 32, 3, 3), 2), "cuda_mma_bf16"},
      {strided({.n = 1, .c = 32, .h = 16, .w = 32, .k = 16, .r = 2, .s = 2}, 2), "cuda_mma_bf16"},
      {dilated(same(1, 16, 14, 18, 16, 3, 3), 2), "cuda_mma_bf16"},
      {same(1, 3, 9, 11, 16, 3, 3), "cuda_plain_bf16"},
      {with(same(1, 16, 9, 11, 5, 3, 3), {.x = 17, .y = 7, .dx = 19, .dy = 6}), "cuda_plain_bf16"},
      {depthwise, "cuda_depthwise_bf16"},
      {deep(same(1, 16, 8, 16, 16, 3, 3), 3), "cuda_mma_bf16"},
      {with(deep(same(2, 24, 9, 8, 40, 3, 3), 2), {.x = 32, .y = 42, .dx = 25, .dy = 48}), "cuda_mma_bf16"},
      {deep(strided(same(1, 16, 15, 16, 32, 3, 3), 2), 5), "cuda_mma_bf16"},
      {deep(strided({.n = 1, .c = 32, .h = 16, .w = 16, .k = 16, .r = 2, .s = 2}, 2), 4), "cuda_mma_bf16"},
      {deep(dilated(same(1, 16, 9, 16, 16, 3, 3), 2), 5), "cuda_mma_bf16"},
      {deep(same(1, 1, 5, 6, 16, 3, 3), 4), "cuda_plain_bf16"},
      {deep(same(1, 16, 5, 6, 5, 3, 3), 4), "cuda_plain_bf16"},
      {deep(depthwise, 3), "cuda_depthwise_bf16"},
  };
  for (const auto& [g, first] : cases) {
    SCOPED_TRACE(text(g.c, " -> ", g.k, ", ", g.h, " x ", g.w, ", filter ", g.r, " x ", g.s));
    EXPECT_EQ(check_conv2d(conv2d_registry<Bf16>(), g), first);
  }
}

#ifdef KERN_CUDA
// The kernel for few taps: each of its shapes, with tiles of either size, of images that fill none.
TEST_F(Bf16Rows, conv2d_of_few_taps) {
  static const Conv2dImplOf<Bf16> impls[] = {conv2d_cuda_mma_bf16_of_tiles<128>(),
                                             conv2d_cuda_mma_bf16_of_tiles<256>()};
  const Registry<Conv2dImplOf<Bf16>> registry{"conv2d", impls};
  const Conv2dSpec four_by_two{.n = 1,
                               .c = 16,
                               .h = 22,
                               .w = 34,
                               .k = 48,
                               .r = 4,
                               .s = 4,
                               .stride_h = 2,
                               .stride_w = 2,
                               .pad_top = 1,
                               .pad_bottom = 1,
                               .pad_left = 1,
                               .pad_right = 1};
  Conv2dSpec odd_rows = same(1, 16, 18, 17, 32, 2, 2);
  odd_rows.pad_left = 2, odd_rows.pad_top = 0;
  const Conv2dSpec cases[] = {
      same(1, 48, 13, 20, 80, 3, 3),
      same(2, 16, 17, 16, 32, 3, 3),
      same(1, 32, 9, 40, 16, 3, 3),
      with(same(1, 64, 11, 17, 16, 3, 3), {.x = 72, .y = 18, .dx = 65, .dy = 24}),
      same(1, 96, 17, 16, 48, 1, 1),
      same(2, 16, 1, 270, 48, 1, 3),
      same(1, 48, 9, 16, 16, 1, 3),
      four_by_two,
      with(four_by_two, {.x = 24, .y = 49, .dx = 17, .dy = 56}),
      odd_rows,
      strided({.n = 2, .c = 32, .h = 17, .w = 32, .k = 64, .r = 2, .s = 2}, 2),
      strided({.n = 1, .c = 32, .h = 1, .w = 258, .k = 64, .s = 2}, 2),
      strided(same(1, 32, 32, 33, 32, 1, 1), 2),
  };
  for (const Conv2dSpec& g : cases) {
    SCOPED_TRACE(text(g.c, " -> ", g.k, ", ", g.h, " x ", g.w, ", filter ", g.r, " x ", g.s));
    EXPECT_TRUE(impls[0].packing(g, false).block) << "another kernel serves it";
    EXPECT_EQ(check_conv2d(registry, g), "cuda_mma_bf16");
  }
}

// A block that takes more tiles than it adds up in one go, and tiles at every edge.
TEST_F(Bf16Rows, gradients_of_few_taps_are_exact) {
  const std::pair<Conv2dSpec, int> cases[] = {
      {same(1, 40, 19, 33, 72, 3, 3), 1000},
      {same(3, 16, 17, 40, 64, 3, 3), 4},
      {same(1, 16, 24, 104, 16, 3, 3), 1},
      {with(same(1, 64, 33, 18, 16, 3, 3), {.x = 72, .dy = 24}), 3},
      {{.n = 2, .c = 24, .h = 18, .w = 20, .k = 32, .r = 3, .s = 3}, 2},  // no padding
      {same(1, 32, 1, 2300, 64, 1, 3), 1},
      {same(2, 72, 3, 130, 16, 1, 3), 5},
      {same(1, 64, 16, 141, 80, 1, 1), 1},
      {same(2, 96, 9, 16, 32, 1, 1), 1000},
  };
  for (const auto& [g, chunks] : cases) {
    SCOPED_TRACE(text(g.c, " -> ", g.k, ", ", g.h, " x ", g.w, ", filter ", g.r, " x ", g.s));
    const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1),
               dy = Array<>::integers(g.y_rows(), g.k, g.pitch.dy, 2);
    const auto xb = x.as<Bf16>(), dyb = dy.as<Bf16>();
    Array<> dw(g.w_size(), 1), dw0(g.w_size(), 1);
    conv2d_backward_weight_reference(g, dy.data(), x.data(), dw0.data());
    Values<> scratch(mma_bf16_weight_bytes(g) / sizeof(float));
    ASSERT_TRUE(mma_bf16_weights({.scratch = scratch.device()}, g, dyb.device(), xb.device(), dw.device(), chunks));
    EXPECT_TRUE(close(dw, dw0));
  }
}

// One image's NaN is its neighbours' in reach, and nobody's else.
TEST_F(Bf16Rows, conv2d_of_few_taps_reads_what_it_should) {
  const Conv2dImplOf<Bf16> impl = conv2d_cuda_mma_bf16_impl();
  const Conv2dSpec g = with(same(1, 16, 16, 16, 16, 3, 3), {.x = 24});
  Array<Bf16> x(g.x_rows(), g.c, g.pitch.x), y(g.y_rows(), g.k);
  Array<> w(g.w_size(), 1);
  for (int64_t i = 0; i < x.rows(); ++i)
    for (int c = 0; c < g.c; ++c) x.at(i, c) = Bf16(i == 16 * 5 + 7 && c == 9 ? NAN : 1.0f);
  for (int64_t i = 0; i < g.w_size(); ++i) w.at(i, 0) = 1;
  const Registry<Conv2dImplOf<Bf16>> registry{"conv2d", std::span(&impl, 1)};
  for_each_impl(registry, g, [&](const auto& one, const Exec& exec) {
    one.forward(exec, g, x.data(), w.data(), nullptr, y.data());
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 16; ++column)
        EXPECT_EQ(std::isnan(float(y.at(row * 16 + column, 3))), std::abs(row - 5) <= 1 && std::abs(column - 7) <= 1)
            << row << ' ' << column;
  });
}
#endif

TEST_F(Bf16Rows, conv_transpose2d) {
  const ConvCase<ConvTranspose2dSpec> cases[] = {
      {{.n = 1, .c = 32, .h = 8, .w = 16, .k = 16, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2}, "cuda_conv2d_bf16"},
      {{.n = 2,
        .c = 16,
        .h = 8,
        .w = 9,
        .k = 24,
        .r = 3,
        .s = 3,
        .stride_h = 2,
        .stride_w = 2,
        .crop_top = 1,
        .crop_bottom = 1,
        .crop_left = 1,
        .crop_right = 1,
        .rows_added = 1,
        .columns_added = 1,
        .pitch = {.x = 24, .y = 50}},
       "cuda_conv2d_bf16"},
      {{.n = 1, .c = 4, .w = 13, .k = 6, .s = 3, .stride_w = 2, .dil_w = 3, .columns_added = 2}, "cuda_bf16"},
      {{.n = 1,
        .c = 32,
        .h = 8,
        .w = 16,
        .k = 16,
        .r = 2,
        .s = 2,
        .stride_h = 2,
        .stride_w = 2,
        .d = 3,
        .t = 2,
        .stride_d = 2},
       "cuda_conv2d_bf16"},
      {{.n = 2,
        .c = 4,
        .h = 3,
        .w = 5,
        .k = 6,
        .s = 3,
        .d = 4,
        .t = 3,
        .stride_d = 2,
        .crop_front = 1,
        .planes_added = 3},
       "cuda_bf16"},
  };
  for (const auto& [g, first] : cases) {
    SCOPED_TRACE(text(g.c, " -> ", g.k, ", ", g.h, " x ", g.w, ", filter ", g.r, " x ", g.s));
    const std::string_view served = check_convolution(
        conv_transpose2d_registry<Bf16>(), g,
        [&g = g](const auto& x, const auto& w, const auto& b, const auto& dy, auto& y, auto& dx, auto& dw, auto& db) {
          conv_transpose2d_forward_reference(g, x.data(), w.data(), b.data(), y.data());
          conv_transpose2d_backward_data_reference(g, dy.data(), w.data(), dx.data());
          conv_transpose2d_backward_weight_reference(g, dy.data(), x.data(), dw.data());
          conv_transpose2d_backward_bias_reference(g, dy.data(), db.data());
        });
    EXPECT_EQ(served, first);
  }
}

constexpr Tolerance kRounded{.absolute = 2e-5, .relative = 0x1p-8};  // half of the last bit is 2^-9

TEST_F(Bf16Rows, norm_act) {
  for (const NormActSpec& g :
       {NormActSpec{.n = 2, .rows = 37, .c = 8, .act = Activation::relu},
        NormActSpec{.n = 3, .rows = 50, .c = 5, .per_sample = true, .act = Activation::prelu, .slopes = 5, .p = 0.3f},
        NormActSpec{.n = 2,
        .rows = 41,
        .c = 12,
        .act = Activation::prelu,
        .p = 0.4f,
        .pitch = {.x = 16, .y = 13, .dx = 20, .dy = 12},
        .residual_pitch = 14},
        NormActSpec{.n = 2, .rows = 4000, .c = 8, .act = Activation::relu},  // several blocks
        NormActSpec{.n = 2, .rows = 37, .c = 8, .act = Activation::relu6},
        NormActSpec{.n = 2, .rows = 37, .c = 8, .act = Activation::silu},
        NormActSpec{.n = 2, .rows = 30, .c = 4, .frozen = true}}) {
    SCOPED_TRACE(text(g.n, " x ", g.rows, " x ", g.c));
    const int64_t rows = g.n * g.rows, statistics = g.groups();
    const auto x = Array<Bf16>::uniform(rows, g.c, g.pitch.x, 1, -2, 3),
               dy = Array<Bf16>::uniform(rows, g.c, g.pitch.dy, 2),
               residual = Array<Bf16>::uniform(rows, g.c, g.residual_pitch, 3);
    const auto weight = Array<>::uniform(g.c, 1, 0, 4, 0.5, 1.5), bias = Array<>::uniform(g.c, 1, 0, 5),
               slope = Array<>::uniform(g.slopes, 1, 0, 6, 0.1, 0.4), mean_before = Array<>::uniform(g.c, 1, 0, 7),
               variance_before = Array<>::uniform(g.c, 1, 0, 8, 0.5, 2);
    const Values<uint64_t> step{3};
    const auto inputs = [&](const auto& w, const auto& b, const auto& s, auto& m, auto& v) {
      using T = std::remove_cvref_t<decltype(w.at(0, 0))>;
      return NormActInputs<T>{.weight = w.data(),
                              .bias = b.data(),
                              .slope = s.data(),
                              .step = step.data(),
                              .running_mean = m.data(),
                              .running_variance = v.data()};
    };
    const auto xd = x.as<double>(), dyd = dy.as<double>(), rd = residual.as<double>(), wd = weight.as<double>(),
               bd = bias.as<double>(), sd = slope.as<double>();
    auto mean_d = mean_before.as<double>(), variance_d = variance_before.as<double>();
    Array<double> y0(rows, g.c, g.pitch.y), m0(statistics, g.c), i0(statistics, g.c), dx0(rows, g.c, g.pitch.dx),
        dw0(g.c, 1), db0(g.c, 1), ds0(g.slopes, 1);
    const auto in0 = inputs(wd, bd, sd, mean_d, variance_d);
    norm_act_forward_reference(g, xd.data(), in0, rd.data(), y0.data(), m0.data(), i0.data());
    norm_act_backward_reference(g, dyd.data(), xd.data(), in0, m0.data(), i0.data(), dx0.data(), dw0.data(), db0.data(),
                                ds0.data());
    for_each_impl(norm_act_registry<Bf16>(), g, [&](const NormActImplOf<Bf16>& impl, const Exec& exec) {
      Array<> running_mean = mean_before, running_variance = variance_before, mean(statistics, g.c),
              inverse(statistics, g.c), dw(g.c, 1), db(g.c, 1), ds(g.slopes, 1);
      Array<Bf16> y(rows, g.c, g.pitch.y), again(rows, g.c, g.pitch.y), dx(rows, g.c, g.pitch.dx);
      const auto in = inputs(weight, bias, slope, running_mean, running_variance);
      impl.forward(exec, g, x.data(), in, residual.data(), y.data(), mean.data(), inverse.data());
      EXPECT_TRUE(close(y, y0, kRounded)) << "forward";
      EXPECT_TRUE(close(mean, m0, {.absolute = 1e-6, .relative = 1e-6}));
      EXPECT_TRUE(close(inverse, i0, {.relative = 1e-6}));
      EXPECT_TRUE(close(running_mean, mean_d, {.absolute = 1e-6, .relative = 1e-6}));
      EXPECT_TRUE(close(running_variance, variance_d, {.relative = 1e-5}));
      impl.apply(exec, g, x.data(), in, mean.data(), inverse.data(), residual.data(), again.data());
      EXPECT_TRUE(close(again, y)) << "apply is forward again";
      impl.backward(exec, g, dy.data(), x.data(), in, mean.data(), inverse.data(), dx.data(), dw.data(), db.data(),
                    ds.data());
      EXPECT_TRUE(close(dx, dx0, kRounded)) << "dx";
      EXPECT_TRUE(close(dw, dw0, {.absolute = 1e-4, .relative = 1e-4}));
      EXPECT_TRUE(close(db, db0, {.absolute = 1e-4, .relative = 1e-4}));
      EXPECT_TRUE(g.act != Activation::prelu || close(ds, ds0, {.absolute = 1e-4, .relative = 1e-4}));
    });
  }
}

TEST_F(Bf16Rows, max_pool) {
  for (const MaxPoolSpec& g :
       {MaxPoolSpec{.n = 2, .c = 8, .h = 8, .w = 6, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2},
        MaxPoolSpec{.n = 1,
        .c = 5,
        .h = 7,
        .w = 9,
        .r = 3,
        .s = 3,
        .pad_top = 1,
        .pitch = {.x = 6, .y = 7, .dx = 8, .dy = 9}}}) {
    const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1, 4),
               dy = Array<>::integers(g.y_rows(), g.c, g.pitch.dy, 2);
    Array<> y0(g.y_rows(), g.c, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx);
    max_pool_forward_reference(g, x.data(), y0.data());
    max_pool_backward_reference(g, dy.data(), x.data(), dx0.data());
    const auto xb = x.as<Bf16>(), dyb = dy.as<Bf16>();
    for_each_impl(max_pool_registry<Bf16>(), g, [&](const MaxPoolImplOf<Bf16>& impl, const Exec& exec) {
      Array<Bf16> y(g.y_rows(), g.c, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx);
      impl.forward(exec, g, xb.data(), y.data());
      EXPECT_TRUE(close(y, y0));
      impl.backward(exec, g, dyb.data(), xb.data(), dx.data());
      EXPECT_TRUE(close(dx, dx0));
    });
  }
}

TEST_F(Bf16Rows, upsample) {
  for (const UpsampleSpec& g :
       {UpsampleSpec{.n = 2, .c = 8, .h = 4, .w = 3, .p = 8, .q = 6}, UpsampleSpec{.n = 1,
                                                                      .c = 5,
                                                                      .h = 4,
                                                                      .w = 7,
                                                                      .p = 9,
                                                                      .q = 11,
                                                                      .how = Upsampling::linear,
                                                                      .pitch = {.x = 6, .y = 7, .dx = 8, .dy = 9}}}) {
    const auto x = Array<Bf16>::uniform(g.x_rows(), g.c, g.pitch.x, 1),
               dy = Array<Bf16>::uniform(g.y_rows(), g.c, g.pitch.dy, 2);
    const auto xd = x.as<double>(), dyd = dy.as<double>();
    Array<double> y0(g.y_rows(), g.c, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx);
    upsample_forward_reference(g, xd.data(), y0.data());
    upsample_backward_reference(g, dyd.data(), dx0.data());
    for_each_impl(upsample_registry<Bf16>(), g, [&](const UpsampleImplOf<Bf16>& impl, const Exec& exec) {
      Array<Bf16> y(g.y_rows(), g.c, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx);
      impl.forward(exec, g, x.data(), y.data());
      EXPECT_TRUE(close(y, y0, kRounded));
      impl.backward(exec, g, dy.data(), dx.data());
      EXPECT_TRUE(close(dx, dx0, kRounded));
    });
  }
}

// Sums of products of the formulas are float; only what is written is rounded.
template <class Op>
void check_unary(const Registry<UnaryImpl<Op, Bf16>>& table, const Op& op) {
  for (const UnarySpec<Op>& g :
       {UnarySpec<Op>{.rows = 37, .c = 8, .op = op},
        UnarySpec<Op>{.rows = 9, .c = 5, .op = op, .pitch = {.x = 6, .y = 7, .dx = 8, .dy = 9}}}) {
    const auto x = Array<Bf16>::uniform(g.rows, g.c, g.pitch.x, 1, -4, 8),
               dy = Array<Bf16>::uniform(g.rows, g.c, g.pitch.dy, 2);
    Array<> y0(g.rows, g.c, g.pitch.y), dx0(g.rows, g.c, g.pitch.dx);
    unary_forward_reference(g, x.template as<float>().data(), y0.data());
    const auto saved = Op::kSaves == Saves::input ? x : y0.template as<Bf16>();
    unary_backward_reference(g, dy.template as<float>().data(), saved.template as<float>().data(), dx0.data());
    for_each_impl(table, g, [&](const auto& impl, const Exec& exec) {
      Array<Bf16> y(g.rows, g.c, g.pitch.y), dx(g.rows, g.c, g.pitch.dx);
      impl.forward(exec, g, x.data(), y.data());
      EXPECT_TRUE(close(y, y0, kRounded));
      impl.backward(exec, g, dy.data(), saved.data(), dx.data());
      EXPECT_TRUE(close(dx, dx0, kRounded));
    });
  }
}
TEST_F(Bf16Rows, element_wise) {
  check_unary(unary_registry<Relu, Bf16>(), Relu{});
  check_unary(unary_registry<Relu6, Bf16>(), Relu6{});
  check_unary(unary_registry<Silu, Bf16>(), Silu{});
}

TEST_F(Bf16Rows, add) {
  for (const BinarySpec& g :
       {BinarySpec{.rows = 37, .c = 8}, BinarySpec{.rows = 9, .c = 5, .b_pitch = 6, .pitch = {.x = 7, .y = 8}}}) {
    const auto a = Array<Bf16>::uniform(g.rows, g.c, g.pitch.x, 1), b = Array<Bf16>::uniform(g.rows, g.c, g.b_pitch, 2);
    for_each_impl(add_registry<Bf16>(), g, [&](const AddImplOf<Bf16>& impl, const Exec& exec) {
      Array<Bf16> y(g.rows, g.c, g.pitch.y), y0 = y;
      for (int64_t i = 0; i < g.rows; ++i)
        for (int64_t c = 0; c < g.c; ++c) y0.at(i, c) = a.at(i, c) + b.at(i, c);
      impl.forward(exec, g, a.data(), b.data(), y.data());
      EXPECT_TRUE(close(y, y0));
    });
  }
}

TEST_F(Bf16Rows, head_cross_entropy) {
  for (const HeadCrossEntropySpec& g :
       {HeadCrossEntropySpec{.rows = 300, .c = 8, .k = 5},
        HeadCrossEntropySpec{.rows = 130, .c = 7, .k = 3, .smoothing = 0.1f, .pitch = {.x = 9, .dx = 10}},
        HeadCrossEntropySpec{.rows = 200, .c = 64, .k = 35},
        HeadCrossEntropySpec{.rows = 20, .c = 260, .k = 3, .pitch = {.x = 264, .dx = 261}}}) {  // of too many channels
    SCOPED_TRACE(text(g.rows, " x ", g.c, " -> ", g.k));
    const auto x = Array<Bf16>::uniform(g.rows, g.c, g.pitch.x, 1);
    const auto w = Array<>::uniform(g.k, g.c, 0, 2), b = Array<>::uniform(g.k, 1, 0, 3),
               weight = Array<>::uniform(g.k, 1, 0, 4, 0.1, 2);
    const Values<int32_t> target = class_targets(g.rows, g.k, true);
    const auto xd = x.as<double>(), wd = w.as<double>(), bd = b.as<double>(), weightd = weight.as<double>();
    Array<double> loss0(1, 1), dx0(g.rows, g.c, g.pitch.dx), dw0(g.k, g.c), db0(g.k, 1);
    std::vector<double> scratch(size_t(head_cross_entropy_scratch(g)));
    head_cross_entropy_forward_reference(
        g, {.x = xd.data(), .w = wd.data(), .b = bd.data(), .target = target.data(), .weight = weightd.data()},
        {.loss = loss0.data(), .dx = dx0.data(), .dw = dw0.data(), .db = db0.data()}, scratch.data());
    for_each_impl(head_cross_entropy_registry<Bf16>(), g,
                  [&](const HeadCrossEntropyImplOf<Bf16>& impl, const Exec& exec) {
                    const HeadInputs<float, Bf16> in{
                        .x = x.data(), .w = w.data(), .b = b.data(), .target = target.data(), .weight = weight.data()};
                    Array<> loss(1, 1), dw(g.k, g.c), db(g.k, 1);
                    Array<Bf16> dx(g.rows, g.c, g.pitch.dx);
                    Values<int32_t> prediction(size_t(g.rows), -7), confusion(size_t(g.k * g.k), -7);
                    impl.forward(exec, g, in,
                                 {.loss = loss.data(),
                                  .dx = dx.data(),
                                  .dw = dw.data(),
                                  .db = db.data(),
                                  .prediction = prediction.data(),
                                  .confusion = confusion.data()});
                    EXPECT_TRUE(close(loss, loss0, {.relative = 2e-6}));
                    EXPECT_TRUE(close(dx, dx0, {.absolute = 1e-8, .relative = 0x1p-8}));
                    EXPECT_TRUE(close(dw, dw0, {.absolute = 1e-6, .relative = 2e-5}));
                    EXPECT_TRUE(close(db, db0, {.absolute = 1e-6, .relative = 2e-5}));
                    Values<int32_t> counts(size_t(g.k * g.k));
                    head_confusion(g.rows, g.k, target.host(), prediction.host(), counts.host());
                    EXPECT_TRUE(std::ranges::equal(confusion, counts));
                    Array<> alone(1, 1);
                    impl.forward(exec, g, in, {.loss = alone.data()});
                    EXPECT_TRUE(close(alone, loss)) << "gradients may be left out";
                    const Values<> two{2};
                    Array<Bf16> twice = dx;
                    impl.backward(exec, g, two.data(), twice.data(), dw.data(), nullptr);
                    for (int64_t i = 0; i < g.rows; ++i)
                      for (int64_t c = 0; c < g.c; ++c) EXPECT_EQ(float(twice.at(i, c)), 2 * float(dx.at(i, c)));
                    Array<double> twice_dw0 = dw0;
                    twice_dw0.for_each([](double& v) { v *= 2; });
                    EXPECT_TRUE(close(dw, twice_dw0, {.absolute = 2e-6, .relative = 2e-5}));
                  });
  }
}

}  // namespace
}  // namespace kern::kernels
