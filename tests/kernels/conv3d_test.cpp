// conv2d of volumes: filters that sum over neighbouring planes too.
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv_transpose2d.h"
#include "tests/kernels/conv2d_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(Conv2dSpec{.d = 7, .t = 3, .pad_front = 1, .pad_back = 1}.o() == 7);
static_assert(Conv2dSpec{.d = 9, .t = 3, .stride_d = 2, .dil_d = 2, .pad_front = 1}.o() == 3);
static_assert(Conv2dSpec{.n = 2, .d = 7}.flattened() == Conv2dSpec{.n = 14});
static_assert(Conv2dSpec{.n = 2, .d = 7, .t = 3}.flattened() == Conv2dSpec{.n = 2, .d = 7, .t = 3});
static_assert(ConvTranspose2dSpec{.d = 4, .t = 4, .stride_d = 2, .crop_front = 1, .crop_back = 1}.o() == 8);

// Of `taps` in every direction, padded so that the output is as large as the input.
constexpr Conv2dSpec same(int n, int c, int d, int h, int w, int k, int taps = 3) {
  const int pad = taps / 2;
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
          .pad_right = pad,
          .d = d,
          .t = taps,
          .pad_front = pad,
          .pad_back = pad};
}
constexpr Conv2dSpec with(Conv2dSpec g, Pitches pitch) {
  g.pitch = pitch;
  return g;
}
constexpr Conv2dSpec strided(Conv2dSpec g, int stride) {
  g.stride_d = g.stride_h = g.stride_w = stride;
  return g;
}
constexpr Conv2dSpec dilated(Conv2dSpec g, int dilation) {
  g.dil_d = g.dil_h = g.dil_w = dilation;
  g.pad_front = g.pad_back = g.pad_top = g.pad_bottom = g.pad_left = g.pad_right = dilation;
  return g;
}
constexpr Conv2dSpec grouped(Conv2dSpec g, int groups) {
  g.groups = groups;
  return g;
}

struct Conv3dCase {
  const char* name;
  Conv2dSpec g;
  bool bias = true;
};
void PrintTo(const Conv3dCase& c, std::ostream* out) { *out << c.name; }
const Conv3dCase kConv3dCases[] = {
    {"same", same(2, 3, 4, 6, 5, 4)},
    {"stride", strided(same(1, 2, 5, 6, 7, 3), 2)},
    {"dilation", dilated(same(1, 2, 6, 6, 7, 2), 2), false},
    {"four_taps_stride_two", strided({.n = 2, .c = 2, .h = 6, .w = 7, .k = 3, .r = 4, .s = 4, .d = 6, .t = 4}, 2)},
    {"taps_in_depth_alone", {.n = 2, .c = 5, .h = 4, .w = 3, .k = 6, .d = 6, .t = 3, .pad_front = 2}},
    {"no_padding", {.n = 1, .c = 3, .h = 6, .w = 5, .k = 2, .r = 3, .s = 2, .d = 4, .t = 2}},
    {"thinner_than_the_filter", same(1, 2, 1, 5, 6, 3, 5)},
    {"depthwise", grouped(same(1, 6, 3, 5, 4, 6), 6)},
    {"groups", grouped(same(1, 4, 3, 4, 5, 6), 2)},
    {"pitched", with(same(1, 3, 3, 5, 6, 4), {.x = 7, .y = 8, .dx = 5, .dy = 9})},
    {"first_layer", same(1, 1, 6, 13, 20, 16)},
    {"sixteen", same(2, 16, 7, 14, 19, 16)},
    {"wide", same(1, 48, 5, 9, 8, 32)},
    {"last_layer", same(1, 16, 5, 9, 12, 1)},
    {"last_layer_of_long_rows", same(1, 16, 3, 37, 150, 1)},
    {"last_layer_of_rows_of_two_parts", same(1, 33, 2, 3, 300, 1)},
    {"last_layer_of_many_channels", same(1, 70, 4, 5, 16, 2)},
    {"many_channels_of_stride_two", strided(same(1, 3, 5, 7, 30, 66), 2)},
    {"one_plane", same(2, 8, 1, 9, 21, 3)},
    {"two_planes", same(1, 8, 2, 10, 18, 16)},
    {"few_out_every_second_plane",
     {.n = 2,
      .c = 5,
      .h = 6,
      .w = 20,
      .k = 2,
      .r = 3,
      .s = 3,
      .d = 7,
      .t = 3,
      .stride_d = 2,
      .dil_d = 2,
      .pad_front = 3}},
    {"few_in_of_stride_two", strided(same(1, 2, 6, 9, 40, 5), 2)},
    {"parts_of_stride_two", strided({.n = 1, .c = 16, .h = 8, .w = 12, .k = 32, .r = 2, .s = 2, .d = 4, .t = 2}, 2)},
    {"parts_of_stride_four", strided({.n = 1, .c = 8, .h = 8, .w = 16, .k = 12, .r = 4, .s = 4, .d = 8, .t = 4}, 4)},
    {"stride_beyond_the_filter", strided({.n = 1, .c = 3, .h = 7, .w = 8, .k = 4, .r = 2, .s = 2, .d = 5, .t = 1}, 3)},
    {"depthwise_of_stride_two", strided(grouped(same(1, 20, 5, 8, 19, 20), 20), 2)},
    {"groups_of_many", grouped(same(1, 32, 3, 4, 9, 64), 2)},
    // Tiles of 4x4 and columns of up to 32 planes: borders on each side, rests, several blocks of each kind.
    {"tiles_pitched_padded_at_one_side",
     {.n = 2,
      .c = 24,
      .h = 13,
      .w = 18,
      .k = 20,
      .r = 3,
      .s = 3,
      .pad_top = 2,
      .pad_left = 0,
      .pad_right = 1,
      .d = 18,
      .t = 3,
      .pad_front = 2,
      .pitch = {.x = 50, .y = 21, .dx = 29, .dy = 33}}},
    {"tiles_unpadded", {.n = 1, .c = 8, .h = 9, .w = 11, .k = 16, .r = 3, .s = 3, .d = 5, .t = 3}, false},
    {"tiles_padded_beyond_the_filter",
     {.n = 1,
      .c = 17,
      .h = 5,
      .w = 6,
      .k = 8,
      .r = 3,
      .s = 3,
      .pad_top = 4,
      .pad_bottom = 3,
      .pad_left = 5,
      .pad_right = 7,
      .d = 3,
      .t = 3,
      .pad_front = 5,
      .pad_back = 4}},
    {"tiles_of_many_channels", same(1, 70, 3, 9, 11, 133)},
    {"tiles_of_half_vectors", same(2, 8, 6, 9, 11, 8)},
    {"tiles_of_half_vectors_pitched",
     with({.n = 1, .c = 8, .h = 9, .w = 11, .k = 24, .r = 3, .s = 3, .d = 5, .t = 3, .pad_front = 1},
          {.x = 11, .y = 25, .dx = 9, .dy = 31})},
    {"tiles_of_one_plane", same(2, 16, 1, 13, 18, 24)},
    {"tiles_of_two_planes", same(1, 40, 2, 13, 18, 16)},
    {"tiles_of_35_planes", same(1, 8, 35, 9, 10, 24)},
    {"tiles_of_two_taps_in_depth",
     {.n = 1, .c = 16, .h = 12, .w = 13, .k = 16, .r = 3, .s = 3, .d = 6, .t = 2, .pad_back = 1}},
    {"tiles_of_one_tap_in_depth",
     {.n = 2, .c = 16, .h = 12, .w = 13, .k = 16, .r = 3, .s = 3, .pad_top = 1, .d = 4, .pad_front = 1}},
    {"one_wide_row", {.n = 1, .c = 4, .h = 1, .w = 300, .k = 8, .s = 3, .d = 3, .t = 3, .pad_front = 1, .pad_back = 1}},
};

class Conv3dKernel : public ::testing::TestWithParam<Conv3dCase> {};
class Conv3dReference : public ::testing::TestWithParam<Conv3dCase> {};

std::vector<Conv3dCase> small_volumes() {  // the complex step costs a forward pass per value
  std::vector<Conv3dCase> small;
  for (const Conv3dCase& c : kConv3dCases)
    if (c.g.macs() * (c.g.x_rows() * c.g.c + c.g.w_size()) <= 16'000'000) small.push_back(c);
  return small;
}

TEST_P(Conv3dKernel, rows_equal_the_reference) { check_rows(GetParam().g, GetParam().bias); }

TEST(Conv3dKernel, any_number_of_threads_gives_the_same_bits) {
  for (const Conv2dSpec& g :
       {same(2, 16, 9, 20, 22, 16), same(1, 32, 5, 13, 12, 48), same(1, 1, 9, 20, 22, 16), same(1, 16, 9, 20, 22, 1),
        same(1, 24, 35, 21, 22, 8), same(1, 8, 19, 20, 22, 8), strided(same(1, 8, 9, 16, 17, 16), 2)})
    check_threads(g);
}

// What Winograd's transforms cost, as in conv2d_winograd_test.cpp: shares of the result's root mean square. Sums are
// three times as long as there.
TEST(Conv3dWinograd, accuracy) {
  const bool before = winograd_enabled();
  set_winograd(true);
  const auto check_errors = [](const Array<>& got, const Array<double>& expected) {
    double squares = 0, error_squares = 0, largest = 0;
    for (int64_t i = 0; i < got.rows(); ++i)
      for (int64_t j = 0; j < got.c(); ++j) {
        const double want = expected.at(i, j), error = got.at(i, j) - want;
        squares += want * want, error_squares += error * error, largest = std::max(largest, std::abs(error));
      }
    EXPECT_LE(std::sqrt(error_squares / squares), 1.5e-6);
    EXPECT_LE(largest / std::sqrt(squares / double(got.rows() * got.c())), 1.5e-5);
  };
  for (const Conv2dSpec& g : {same(1, 64, 5, 11, 14, 64), same(1, 16, 18, 21, 18, 16)}) {
    const auto x = Array<>::uniform(g.x_rows(), g.c, 0, 1), w = Array<>::uniform(g.w_size(), 1, 0, 2),
               b = Array<>::uniform(g.k, 1, 0, 3), dy = Array<>::uniform(g.y_rows(), g.k, 0, 4);
    const auto xd = x.as<double>(), wd = w.as<double>(), bd = b.as<double>(), dyd = dy.as<double>();
    Array<double> y0(g.y_rows(), g.k), dx0(g.x_rows(), g.c), dw0(g.w_size(), 1);
    conv2d_forward_reference(g, xd.data(), wd.data(), bd.data(), y0.data());
    conv2d_backward_data_reference(g, dyd.data(), wd.data(), dx0.data());
    conv2d_backward_weight_reference(g, dyd.data(), xd.data(), dw0.data());
    int inexact = 0;
    for_each_impl(conv2d_registry(), g, [&](const Conv2dImpl& impl, const Exec& exec) {
      if (impl.exact || impl.device != Device::cpu) return;
      SCOPED_TRACE(impl.name);
      ++inexact;
      Array<> y(g.y_rows(), g.k), dx(g.x_rows(), g.c), dw(g.w_size(), 1);
      impl.forward(exec, g, x.data(), w.data(), b.data(), y.data());
      impl.backward_data(exec, g, dy.data(), w.data(), dx.data());
      impl.backward_weight(exec, g, dy.data(), x.data(), dw.data());
      check_errors(y, y0), check_errors(dx, dx0), check_errors(dw, dw0);
    });
    EXPECT_GE(inexact, 1);
    set_winograd(false);
    EXPECT_TRUE(select(conv2d_registry(), Device::cpu, g).exact);
    set_winograd(true);
    EXPECT_FALSE(select(conv2d_registry(), Device::cpu, g).exact);
  }
  set_winograd(before);
}

// Forward is the sum over the taps in depth of convolutions of images.
TEST_P(Conv3dReference, is_the_sum_of_its_taps) {
  Conv2dSpec g = GetParam().g;
  g.pitch = {};
  const auto x = Array<double>::integers(g.x_rows(), g.c, 0, 1), w = Array<double>::integers(g.w_size(), 1, 0, 2),
             b = Array<double>::integers(g.k, 1, 0, 3);
  Array<double> y(g.y_rows(), g.k), sum(g.y_rows(), g.k);
  conv2d_forward_reference(g, x.data(), w.data(), b.data(), y.data());
  for (int64_t i = 0; i < sum.rows(); ++i)
    for (int k = 0; k < g.k; ++k) sum.at(i, k) = b.data()[k];
  Conv2dSpec image = g;
  image.n = image.d = image.t = image.stride_d = image.dil_d = 1, image.pad_front = image.pad_back = 0;
  const int64_t tap = int64_t{g.r} * g.s * g.cg();
  for (int t = 0; t < g.t; ++t) {
    Array<double> wt(image.w_size(), 1);
    for (int k = 0; k < g.k; ++k)
      for (int64_t i = 0; i < tap; ++i) wt.data()[k * tap + i] = w.data()[(int64_t{k} * g.t + t) * tap + i];
    for (int n = 0; n < g.n; ++n)
      for (int o = 0; o < g.o(); ++o) {
        const int d = o * g.stride_d - g.pad_front + t * g.dil_d;
        if (d < 0 || d >= g.d) continue;
        Array<double> plane(image.y_rows(), g.k);
        conv2d_forward_reference(image, x.data() + (int64_t{n} * g.d + d) * image.x_rows() * g.c, wt.data(),
                                 static_cast<const double*>(nullptr), plane.data());
        for (int64_t i = 0; i < plane.rows(); ++i)
          for (int k = 0; k < g.k; ++k) sum.at((int64_t{n} * g.o() + o) * plane.rows() + i, k) += plane.at(i, k);
      }
  }
  EXPECT_TRUE(close(y, sum));
}

// The references' backward is the derivative of their forward, exactly; and a transposed convolution's is too.
TEST_P(Conv3dReference, is_its_own_derivative) {
  Conv2dSpec g = GetParam().g;
  g.pitch = {};
  auto x = Array<Complex>::integers(g.x_rows(), g.c, 0, 1), w = Array<Complex>::integers(g.w_size(), 1, 0, 2);
  const auto dy = Array<double>::integers(g.y_rows(), g.k, 0, 4);
  const auto xd = Array<double>::integers(g.x_rows(), g.c, 0, 1), wd = Array<double>::integers(g.w_size(), 1, 0, 2);
  auto loss = [&] {
    Array<Complex> y(g.y_rows(), g.k);
    conv2d_forward_reference(g, x.data(), w.data(), static_cast<const Complex*>(nullptr), y.data());
    return weighted_sum(dy, y);
  };
  Array<double> dx(g.x_rows(), g.c), dw(g.w_size(), 1);
  conv2d_backward_data_reference(g, dy.data(), wd.data(), dx.data());
  conv2d_backward_weight_reference(g, dy.data(), xd.data(), dw.data());
  EXPECT_TRUE(close(complex_step(x, loss), dx));
  EXPECT_TRUE(close(complex_step(w, loss), dw));
}

// A transposed convolution is the adjoint of the convolution that it names.
TEST_P(Conv3dReference, transposed_is_its_adjoint) {
  Conv2dSpec g = GetParam().g;
  g.pitch = {};
  const int reach_d = (g.o() - 1) * g.stride_d + g.dil_d * (g.t - 1) + 1 - g.pad_front - g.pad_back,
            reach_h = (g.p() - 1) * g.stride_h + g.dil_h * (g.r - 1) + 1 - g.pad_top - g.pad_bottom,
            reach_w = (g.q() - 1) * g.stride_w + g.dil_w * (g.s - 1) + 1 - g.pad_left - g.pad_right;
  const ConvTranspose2dSpec t{.n = g.n,
                              .c = g.k,
                              .h = g.p(),
                              .w = g.q(),
                              .k = g.c,
                              .r = g.r,
                              .s = g.s,
                              .stride_h = g.stride_h,
                              .stride_w = g.stride_w,
                              .dil_h = g.dil_h,
                              .dil_w = g.dil_w,
                              .groups = g.groups,
                              .crop_top = g.pad_top,
                              .crop_bottom = g.pad_bottom,
                              .crop_left = g.pad_left,
                              .crop_right = g.pad_right,
                              .rows_added = g.h - reach_h,
                              .columns_added = g.w - reach_w,
                              .d = g.o(),
                              .t = g.t,
                              .stride_d = g.stride_d,
                              .dil_d = g.dil_d,
                              .crop_front = g.pad_front,
                              .crop_back = g.pad_back,
                              .planes_added = g.d - reach_d};
  ASSERT_EQ(t.as_conv(), g);
  ASSERT_TRUE(t.is_adjoint());
  const auto dy = Array<double>::integers(g.y_rows(), g.k, 0, 4), w = Array<double>::integers(g.w_size(), 1, 0, 2);
  Array<double> dx(g.x_rows(), g.c), spread(g.x_rows(), g.c);
  conv2d_backward_data_reference(g, dy.data(), w.data(), dx.data());
  conv_transpose2d_forward_reference(t, dy.data(), w.data(), static_cast<const double*>(nullptr), spread.data());
  EXPECT_TRUE(close(spread, dx));
}

INSTANTIATE_TEST_SUITE_P(Cases, Conv3dKernel, ::testing::ValuesIn(kConv3dCases),
                         [](const auto& i) { return i.param.name; });
INSTANTIATE_TEST_SUITE_P(Cases, Conv3dReference, ::testing::ValuesIn(small_volumes()),
                         [](const auto& i) { return i.param.name; });

}  // namespace
}  // namespace kern::kernels
