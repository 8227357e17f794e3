// The Winograd implementations of conv2d: the cases that their tiles, blocks and phases make special, their accuracy, their
// switch.
#include "kernels/conv/conv_transpose2d.h"
#include "tests/kernels/conv2d_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

struct Conv2dWinogradCase {
  const char* name;
  Conv2dSpec g;
  bool bias = true;
};
void PrintTo(const Conv2dWinogradCase& c, std::ostream* out) { *out << c.name; }
// Tiles of 4x4: borders on each side, rests of channels, several blocks of each kind.
const Conv2dWinogradCase kConv2dWinogradCases[] = {
    {"tiles_pitched_padded_at_one_side",
     {.n = 2,
      .c = 24,
      .h = 13,
      .w = 18,
      .k = 20,
      .r = 3,
      .s = 3,
      .pad_top = 2,
      .pad_bottom = 0,
      .pad_left = 0,
      .pad_right = 1,
      .pitch = {.x = 50, .y = 21, .dx = 29, .dy = 33}}},
    {"tiles_unpadded", {.n = 1, .c = 8, .h = 18, .w = 19, .k = 16, .r = 3, .s = 3}, false},
    {"tiles_padded_beyond_the_filter",
     {.n = 2,
      .c = 17,
      .h = 9,
      .w = 10,
      .k = 8,
      .r = 3,
      .s = 3,
      .pad_top = 4,
      .pad_bottom = 3,
      .pad_left = 5,
      .pad_right = 7}},
    {"tiles_of_many_channels",
     {.n = 1,
      .c = 70,
      .h = 14,
      .w = 15,
      .k = 133,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"tiles_too_few_for_the_filter",
     {.n = 1,
      .c = 130,
      .h = 13,
      .w = 13,
      .k = 128,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"tiles_of_a_signal_pitched",
     {.n = 3,
      .c = 33,
      .w = 61,
      .k = 40,
      .s = 3,
      .pad_left = 2,
      .pad_right = 0,
      .pitch = {.x = 40, .y = 49, .dx = 35, .dy = 41}}},
    {"stride_2",
     {.n = 3,
      .c = 16,
      .h = 46,
      .w = 48,
      .k = 16,
      .r = 4,
      .s = 4,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"stride_2_pitched_padded_at_one_side",
     {.n = 3,
      .c = 24,
      .h = 45,
      .w = 47,
      .k = 20,
      .r = 4,
      .s = 4,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 2,
      .pad_bottom = 1,
      .pad_left = 0,
      .pad_right = 2,
      .pitch = {.x = 50, .y = 21, .dx = 29, .dy = 33}}},
    {"stride_2_unpadded",
     {.n = 3, .c = 17, .h = 49, .w = 50, .k = 35, .r = 4, .s = 4, .stride_h = 2, .stride_w = 2},
     false},
    {"stride_2_padded_beyond_the_filter",
     {.n = 3,
      .c = 16,
      .h = 33,
      .w = 32,
      .k = 17,
      .r = 4,
      .s = 4,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 5,
      .pad_bottom = 8,
      .pad_left = 6,
      .pad_right = 9}},
    {"stride_2_of_many_channels",
     {.n = 1,
      .c = 34,
      .h = 74,
      .w = 72,
      .k = 36,
      .r = 4,
      .s = 4,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"stride_2_too_few_for_the_filter",
     {.n = 1,
      .c = 70,
      .h = 27,
      .w = 32,
      .k = 66,
      .r = 4,
      .s = 4,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"stride_2_of_3_taps",
     {.n = 4,
      .c = 17,
      .h = 70,
      .w = 63,
      .k = 16,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"stride_2_of_3_taps_pitched_padded_at_one_side",
     {.n = 4,
      .c = 16,
      .h = 67,
      .w = 66,
      .k = 33,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 0,
      .pad_bottom = 2,
      .pad_left = 0,
      .pad_right = 0,
      .pitch = {.x = 17, .y = 40, .dx = 19, .dy = 34}}},
    {"stride_2_of_3_taps_padded_by_two",
     {.n = 4,
      .c = 16,
      .h = 66,
      .w = 64,
      .k = 16,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 2,
      .pad_bottom = 0,
      .pad_left = 2,
      .pad_right = 1}},
    {"stride_2_of_3_taps_streamed",
     {.n = 4,
      .c = 21,
      .h = 32,
      .w = 31,
      .k = 43,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1,
      .pitch = {.x = 25, .y = 44, .dx = 29, .dy = 47}}},
    {"stride_2_of_3_taps_streamed_in_two_blocks_padded_at_one_side",
     {.n = 1,
      .c = 680,
      .h = 72,
      .w = 72,
      .k = 16,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .pad_bottom = 1,
      .pad_right = 1}},
    {"stride_2_of_3_taps_gradient_of_the_filter_alone",
     {.n = 4,
      .c = 40,
      .h = 14,
      .w = 16,
      .k = 130,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .pad_bottom = 1,
      .pad_right = 1,
      .pitch = {.x = 47, .dy = 133}}},
    // Gradients of filters by panels that many squares share: two blocks of tiles, then one.
    {"stride_2_of_3_taps_many_squares",
     {.n = 1,
      .c = 70,
      .h = 80,
      .w = 72,
      .k = 70,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .pad_bottom = 1,
      .pad_right = 1,
      .pitch = {.x = 75, .dy = 81}}},
    {"tiles_of_many_squares",
     {.n = 1,
      .c = 193,
      .h = 14,
      .w = 13,
      .k = 200,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
};

class Conv2dWinogradCases : public ::testing::TestWithParam<Conv2dWinogradCase> {};

TEST_P(Conv2dWinogradCases, rows_equal_the_reference) {
  const Conv2dSpec g = GetParam().g;
  EXPECT_EQ(select(conv2d_registry(), Device::cpu, g).exact, !winograd_enabled());
  check_rows(g, GetParam().bias);
}
INSTANTIATE_TEST_SUITE_P(Cases, Conv2dWinogradCases, ::testing::ValuesIn(kConv2dWinogradCases),
                         [](const auto& i) { return i.param.name; });

TEST(Conv2dWinograd, threads_change_no_bit) {
  check_threads({.n = 3,
                 .c = 20,
                 .h = 46,
                 .w = 47,
                 .k = 35,
                 .r = 4,
                 .s = 4,
                 .stride_h = 2,
                 .stride_w = 2,
                 .pad_top = 1,
                 .pad_bottom = 1,
                 .pad_left = 1,
                 .pad_right = 1});
  check_threads({.n = 4,
                 .c = 33,
                 .h = 70,
                 .w = 63,
                 .k = 17,
                 .r = 3,
                 .s = 3,
                 .stride_h = 2,
                 .stride_w = 2,
                 .pad_top = 1,
                 .pad_bottom = 1,
                 .pad_left = 1,
                 .pad_right = 1});
  check_threads({.n = 1,
                 .c = 70,
                 .h = 80,
                 .w = 72,
                 .k = 70,
                 .r = 3,
                 .s = 3,
                 .stride_h = 2,
                 .stride_w = 2,
                 .pad_bottom = 1,
                 .pad_right = 1});
}

// What the transforms cost: errors of a row that is not exact, as a share of the result's root mean square. A direct
// sum in float has 3e-7 to 5e-7 here.
TEST(Conv2dWinograd, accuracy) {
  const bool before = winograd_enabled();
  set_winograd(true);
  auto check_errors = [](const Array<>& got, const Array<double>& expected) {
    double squares = 0, error_squares = 0, largest = 0;
    for (int64_t i = 0; i < got.rows(); ++i)
      for (int64_t j = 0; j < got.c(); ++j) {
        const double want = expected.at(i, j), error = got.at(i, j) - want;
        squares += want * want, error_squares += error * error, largest = std::max(largest, std::abs(error));
      }
    const double rms = std::sqrt(squares / double(got.rows() * got.c()));
    EXPECT_LE(std::sqrt(error_squares / squares), 1.2e-6);
    EXPECT_LE(largest / rms, 1.5e-5);
  };
  for (const Conv2dSpec& g : {Conv2dSpec{.n = 2,
                             .c = 64,
                             .h = 21,
                             .w = 18,
                             .k = 64,
                             .r = 3,
                             .s = 3,
                             .pad_top = 1,
                             .pad_bottom = 1,
                             .pad_left = 1,
                             .pad_right = 1},
                              Conv2dSpec{.n = 4, .c = 64, .w = 275, .k = 64, .s = 3, .pad_left = 1, .pad_right = 1},
                              Conv2dSpec{.n = 4,
                              .c = 32,
                              .h = 46,
                              .w = 44,
                              .k = 32,
                              .r = 4,
                              .s = 4,
                              .stride_h = 2,
                              .stride_w = 2,
                              .pad_top = 1,
                              .pad_bottom = 1,
                              .pad_left = 1,
                              .pad_right = 1},
                              Conv2dSpec{.n = 4,
                              .c = 32,
                              .h = 70,
                              .w = 63,
                              .k = 32,
                              .r = 3,
                              .s = 3,
                              .stride_h = 2,
                              .stride_w = 2,
                              .pad_top = 1,
                              .pad_bottom = 1,
                              .pad_left = 1,
                              .pad_right = 1}}) {
    const auto x = Array<>::uniform(g.x_rows(), g.c, 0, 1), w = Array<>::uniform(g.w_size(), 1, 0, 2),
               b = Array<>::uniform(g.k, 1, 0, 3), dy = Array<>::uniform(g.y_rows(), g.k, 0, 4);
    const auto xd = x.as<double>(), wd = w.as<double>(), bd = b.as<double>(), dyd = dy.as<double>();
    Array<double> y0(g.y_rows(), g.k), dx0(g.x_rows(), g.c), dw0(g.w_size(), 1);
    conv2d_forward_reference(g, xd.data(), wd.data(), bd.data(), y0.data());
    conv2d_backward_data_reference(g, dyd.data(), wd.data(), dx0.data());
    conv2d_backward_weight_reference(g, dyd.data(), xd.data(), dw0.data());
    int inexact = 0;
    for_each_impl(conv2d_registry(), g, [&](const Conv2dImpl& impl, const Exec& exec) {
      if (impl.exact) return;
      ++inexact;
      Array<> y(g.y_rows(), g.k), dx(g.x_rows(), g.c), dw(g.w_size(), 1);
      impl.forward(exec, g, x.data(), w.data(), b.data(), y.data());
      impl.backward_data(exec, g, dy.data(), w.data(), dx.data());
      impl.backward_weight(exec, g, dy.data(), x.data(), dw.data());
      check_errors(y, y0), check_errors(dx, dx0), check_errors(dw, dw0);
    });
    EXPECT_GE(inexact, 1);
  }
  set_winograd(before);
}

TEST(Conv2dWinograd, can_be_switched_off) {
  const Conv2dSpec g{.n = 1, .c = 32, .h = 32, .w = 32, .k = 32, .r = 3, .s = 3};
  const bool before = winograd_enabled();
  set_winograd(true);
  EXPECT_FALSE(select(conv2d_registry(), Device::cpu, g).exact);
  set_winograd(false);
  EXPECT_TRUE(select(conv2d_registry(), Device::cpu, g).exact);
  set_winograd(before);
}

// Its forward pass is a backward_data that begins with a bias.
TEST(Conv2dWinograd, serves_transposed_convolutions) {
  const bool before = winograd_enabled();
  set_winograd(true);
  const ConvTranspose2dSpec g{.n = 3,
                              .c = 33,
                              .h = 23,
                              .w = 24,
                              .k = 20,
                              .r = 4,
                              .s = 4,
                              .stride_h = 2,
                              .stride_w = 2,
                              .crop_top = 1,
                              .crop_bottom = 1,
                              .crop_left = 1,
                              .crop_right = 1};
  EXPECT_FALSE(select(conv2d_registry(), Device::cpu, g.as_conv()).exact);
  const auto x = Array<>::integers(g.x_rows(), g.c, 0, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
             b = Array<>::integers(g.k, 1, 0, 3), dy = Array<>::integers(g.y_rows(), g.k, 0, 4);
  Array<> y0(g.y_rows(), g.k), dx0(g.x_rows(), g.c), dw0(g.w_size(), 1);
  conv_transpose2d_forward_reference(g, x.data(), w.data(), b.data(), y0.data());
  conv_transpose2d_backward_data_reference(g, dy.data(), w.data(), dx0.data());
  conv_transpose2d_backward_weight_reference(g, dy.data(), x.data(), dw0.data());
  for_each_impl(conv_transpose2d_registry(), g, [&](const ConvTranspose2dImpl& impl, const Exec& exec) {
    Array<> y(g.y_rows(), g.k), dx(g.x_rows(), g.c), dw(g.w_size(), 1);
    impl.forward(exec, g, x.data(), w.data(), b.data(), y.data());
    EXPECT_TRUE(close(y, y0, rounding(false, y0))) << "forward";
    impl.backward_data(exec, g, dy.data(), w.data(), dx.data());
    EXPECT_TRUE(close(dx, dx0, rounding(false, dx0))) << "backward_data";
    impl.backward_weight(exec, g, dy.data(), x.data(), dw.data());
    EXPECT_TRUE(close(dw, dw0, rounding(false, dw0))) << "backward_weight";
  });
  set_winograd(before);
}

}  // namespace
}  // namespace kern::kernels
