#include "kernels/conv2d.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(Conv2dSpec{.h = 7, .w = 5, .r = 3, .s = 3, .pad_top = 1, .pad_bottom = 1}.p() == 7);
static_assert(Conv2dSpec{.w = 8, .s = 3, .stride_w = 2, .pad_right = 1}.q() == 4);
static_assert(Conv2dSpec{.w = 10, .s = 3, .dil_w = 3}.q() == 4);

struct Case {
  const char* name;
  Conv2dSpec g;
  bool bias = true;
};
const Case kCases[] = {
    {"same3x3",
     {.n = 2,
      .c = 3,
      .h = 7,
      .w = 5,
      .k = 4,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"stride",
     {.n = 1,
      .c = 2,
      .h = 9,
      .w = 8,
      .k = 3,
      .r = 3,
      .s = 2,
      .stride_h = 2,
      .stride_w = 3,
      .pad_top = 1,
      .pad_bottom = 1}},
    {"dilation",
     {.n = 2,
      .c = 2,
      .h = 11,
      .w = 10,
      .k = 2,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .dil_h = 2,
      .dil_w = 3,
      .pad_top = 2,
      .pad_bottom = 2,
      .pad_left = 2,
      .pad_right = 2},
     false},
    {"signal", {.n = 2, .c = 4, .w = 37, .k = 8, .s = 3, .pad_left = 1, .pad_right = 1}},
    {"signal5_one_channel", {.n = 1, .c = 1, .w = 70, .k = 1, .s = 5, .pad_left = 2, .pad_right = 2}, false},
    {"pointwise", {.n = 2, .c = 6, .h = 3, .w = 5, .k = 7}},
    {"even_filter_asymmetric",
     {.n = 1,
      .c = 3,
      .h = 6,
      .w = 6,
      .k = 5,
      .r = 4,
      .s = 2,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 0,
      .pad_bottom = 1,
      .pad_left = 0,
      .pad_right = 1}},
    {"groups",
     {.n = 2,
      .c = 6,
      .h = 5,
      .w = 4,
      .k = 4,
      .r = 3,
      .s = 3,
      .groups = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"depthwise",
     {.n = 2,
      .c = 5,
      .h = 5,
      .w = 6,
      .k = 5,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .groups = 5,
      .pad_top = 0,
      .pad_bottom = 1,
      .pad_left = 0,
      .pad_right = 1}},
    {"depthwise_doubling",
     {.n = 1,
      .c = 3,
      .h = 4,
      .w = 4,
      .k = 6,
      .r = 3,
      .s = 3,
      .groups = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"width_one", {.n = 2, .c = 3, .h = 6, .w = 1, .k = 2, .r = 3, .s = 1, .pad_top = 1, .pad_bottom = 1}},
    {"no_batch", {.n = 0, .c = 3, .h = 4, .w = 4, .k = 2, .r = 3, .s = 3}},
    {"pitched",
     {.n = 2,
      .c = 3,
      .h = 5,
      .w = 4,
      .k = 4,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1,
      .pitch = {.x = 7, .y = 9, .dx = 5, .dy = 6}}},
    {"pitched_signal_16_channels",
     {.n = 2,
      .c = 16,
      .w = 33,
      .k = 32,
      .s = 3,
      .pad_left = 1,
      .pad_right = 1,
      .pitch = {.x = 48, .y = 40, .dx = 17, .dy = 64}}},
    {"channels_19_to_37",
     {.n = 1,
      .c = 19,
      .h = 6,
      .w = 30,
      .k = 37,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"channels_64_to_48_stride",
     {.n = 1,
      .c = 64,
      .h = 9,
      .w = 17,
      .k = 48,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"large_padding",
     {.n = 1,
      .c = 2,
      .h = 3,
      .w = 3,
      .k = 3,
      .r = 5,
      .s = 5,
      .pad_top = 4,
      .pad_bottom = 4,
      .pad_left = 4,
      .pad_right = 4}},
    // What tiles of 6, 12 or 14 pixels and vectors of 4, 8 or 16 channels leave over.
    {"row_of_15_to_33_channels",
     {.n = 2,
      .c = 15,
      .h = 3,
      .w = 29,
      .k = 33,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"row_of_17_to_16_channels",
     {.n = 1,
      .c = 17,
      .h = 4,
      .w = 15,
      .k = 16,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"row_of_1_to_5_channels", {.n = 3, .c = 1, .w = 200, .k = 5, .s = 3, .pad_left = 1, .pad_right = 1}},
    {"row_of_4_to_4_channels", {.n = 2, .c = 4, .w = 131, .k = 4, .s = 3, .pad_left = 1, .pad_right = 1}},
    {"row_of_8_to_1_channels", {.n = 2, .c = 8, .w = 77, .k = 1, .s = 7, .pad_left = 3, .pad_right = 3}, false},
    {"long_row_of_2_to_3_channels",
     {.n = 1, .c = 2, .w = 3000, .k = 3, .s = 5, .dil_w = 2, .pad_left = 4, .pad_right = 4}},
    {"narrow_images",
     {.n = 2,
      .c = 20,
      .h = 40,
      .w = 2,
      .k = 31,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"one_pixel", {.n = 3, .c = 70, .k = 65}},
    {"filter_wider_than_the_image",
     {.n = 2,
      .c = 5,
      .h = 4,
      .w = 3,
      .k = 18,
      .r = 3,
      .s = 7,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 3,
      .pad_right = 3}},
    {"stride_over_pointwise", {.n = 2, .c = 9, .h = 7, .w = 33, .k = 20, .stride_h = 2, .stride_w = 2}, false},
    {"stride_that_leaves_a_rest",
     {.n = 1, .c = 16, .h = 12, .w = 40, .k = 16, .r = 2, .s = 2, .stride_h = 3, .stride_w = 3}},
    {"stride_and_dilation_with_a_common_factor",
     {.n = 1, .c = 6, .w = 90, .k = 19, .s = 5, .stride_w = 4, .dil_w = 6, .pad_left = 9, .pad_right = 2}},
    {"padding_beyond_the_filter",
     {.n = 1,
      .c = 3,
      .h = 4,
      .w = 5,
      .k = 17,
      .r = 2,
      .s = 2,
      .pad_top = 4,
      .pad_bottom = 3,
      .pad_left = 5,
      .pad_right = 4}},
    {"grouped_pitched",
     {.n = 2,
      .c = 24,
      .h = 5,
      .w = 18,
      .k = 36,
      .r = 3,
      .s = 3,
      .groups = 4,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1,
      .pitch = {.x = 25, .y = 50, .dx = 40, .dy = 37}}},
    {"depthwise_35_pitched",
     {.n = 2,
      .c = 35,
      .h = 6,
      .w = 21,
      .k = 35,
      .r = 3,
      .s = 3,
      .groups = 35,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1,
      .pitch = {.x = 40, .y = 36, .dx = 35, .dy = 41}}},
    // Few output channels of one direction or the other: pixels in vectors, rings of rows, parts of rows.
    {"three_taps_stride_two",
     {.n = 2,
      .c = 5,
      .h = 9,
      .w = 61,
      .k = 35,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 0,
      .pitch = {.x = 7, .y = 36, .dx = 5, .dy = 40}}},
    {"three_taps_no_padding", {.n = 2, .c = 20, .h = 4, .w = 300, .k = 33, .r = 2, .s = 3}},
    {"three_taps_wide_padding", {.n = 1, .c = 18, .w = 19, .k = 16, .s = 3, .pad_left = 4, .pad_right = 6}},
    {"three_taps_grouped",
     {.n = 2,
      .c = 10,
      .h = 11,
      .w = 9,
      .k = 40,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .groups = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 0,
      .pad_right = 2,
      .pitch = {.x = 12, .y = 41, .dx = 11, .dy = 43}}},
    {"stride_of_five",
     {.n = 1, .c = 18, .h = 7, .w = 44, .k = 6, .r = 3, .s = 6, .stride_h = 2, .stride_w = 5, .pad_left = 2}},
    {"depthwise_five_by_five",
     {.n = 2,
      .c = 20,
      .h = 13,
      .w = 25,
      .k = 20,
      .r = 5,
      .s = 5,
      .stride_h = 2,
      .stride_w = 2,
      .groups = 20,
      .pad_top = 2,
      .pad_bottom = 2,
      .pad_left = 2,
      .pad_right = 2,
      .pitch = {.x = 22, .y = 24, .dx = 21, .dy = 23}}},
    {"few_of_32_channels",
     {.n = 2,
      .c = 32,
      .h = 37,
      .w = 45,
      .k = 3,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"few_of_130_channels_asymmetric",
     {.n = 1,
      .c = 130,
      .h = 5,
      .w = 67,
      .k = 2,
      .r = 2,
      .s = 4,
      .pad_top = 1,
      .pad_left = 3,
      .pitch = {.x = 133, .y = 5, .dx = 131, .dy = 2}}},
    {"few_channels_dilated",
     {.n = 2,
      .c = 7,
      .h = 19,
      .w = 50,
      .k = 6,
      .r = 3,
      .s = 3,
      .dil_h = 2,
      .dil_w = 3,
      .pad_top = 2,
      .pad_bottom = 1,
      .pad_left = 3,
      .pad_right = 5,
      .pitch = {.x = 9, .y = 8, .dx = 7, .dy = 11}}},
    {"few_channels_stride",
     {.n = 2,
      .c = 3,
      .h = 33,
      .w = 66,
      .k = 20,
      .r = 4,
      .s = 4,
      .stride_h = 2,
      .stride_w = 2,
      .pad_top = 1,
      .pad_bottom = 1,
      .pad_left = 1,
      .pad_right = 1}},
    {"few_channels_stride_of_rows",
     {.n = 1, .c = 5, .h = 23, .w = 40, .k = 4, .r = 3, .s = 3, .stride_h = 4, .pad_left = 1, .pad_right = 1}},
    {"row_of_8_to_8_channels_pitched",
     {.n = 3,
      .c = 8,
      .w = 1100,
      .k = 8,
      .s = 3,
      .pad_left = 1,
      .pad_right = 1,
      .pitch = {.x = 24, .y = 9, .dx = 12, .dy = 16}}},
    {"row_of_1_to_1_channel", {.n = 4, .c = 1, .w = 1101, .k = 1, .s = 3, .pad_left = 1, .pad_right = 1}},
    {"row_of_1_to_1_channel_pitched",
     {.n = 2,
      .c = 1,
      .w = 100,
      .k = 1,
      .s = 3,
      .pad_left = 2,
      .pad_right = 0,
      .pitch = {.x = 3, .y = 2, .dx = 5, .dy = 4}}},
    {"row_of_7_to_2_channels", {.n = 1, .c = 7, .w = 18, .k = 2, .s = 3, .pad_left = 1, .pad_right = 1}},
    {"padding_wider_than_a_part", {.n = 1, .c = 4, .h = 2, .w = 20, .k = 4, .s = 3, .pad_left = 40, .pad_right = 100}},
    {"depthwise_stride_dilation",
     {.n = 2,
      .c = 16,
      .h = 9,
      .w = 30,
      .k = 16,
      .r = 3,
      .s = 5,
      .stride_h = 2,
      .stride_w = 2,
      .dil_w = 2,
      .groups = 16,
      .pad_top = 1,
      .pad_left = 4,
      .pad_right = 4},
     false},
    // Tensor cores: tiles of 128 pixels, 16 to 64 channels, 8 or 32 at a time.
    {"mma_rests_pitched",
     {.n = 2,
      .c = 40,
      .h = 11,
      .w = 19,
      .k = 72,
      .r = 3,
      .s = 3,
      .pad_top = 1,
      .pad_bottom = 2,
      .pad_left = 0,
      .pad_right = 1,
      .pitch = {.x = 44, .y = 77, .dx = 42, .dy = 76}}},
    {"mma_pointwise_stride", {.n = 2, .c = 56, .h = 17, .w = 33, .k = 24, .stride_h = 2, .stride_w = 2}, false},
    {"mma_stride_dilation",
     {.n = 1,
      .c = 16,
      .h = 21,
      .w = 40,
      .k = 24,
      .r = 3,
      .s = 4,
      .stride_h = 2,
      .stride_w = 3,
      .dil_h = 2,
      .dil_w = 2,
      .pad_top = 2,
      .pad_bottom = 1,
      .pad_left = 3,
      .pad_right = 4}},
    {"mma_signal_stride", {.n = 2, .c = 24, .w = 290, .k = 40, .s = 5, .stride_w = 2, .pad_left = 2, .pad_right = 2}},
    {"mma_one_row", {.n = 1, .c = 32, .w = 131, .k = 136}},
    // Winograd's tiles of 4x4: borders on each side, rests of channels, several blocks of each kind.
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
};

class Conv2dKernel : public ::testing::TestWithParam<Case> {};
class Conv2dReference : public ::testing::TestWithParam<Case> {};

std::vector<Case> small_cases() {  // the complex step costs a forward pass per value
  std::vector<Case> small;
  for (const Case& c : kCases)
    if (c.g.macs() * (c.g.x_rows() * c.g.c + c.g.w_size()) <= 4'000'000) small.push_back(c);
  return small;
}

// Of a row that is not exact: a share of the largest value, since its errors are those of whole tiles.
template <class A>
Tolerance rounding(const Conv2dRow& row, const A& expected) {
  if (row.exact) return {};
  double largest = 0;
  for (int64_t i = 0; i < expected.rows(); ++i)
    for (int64_t j = 0; j < expected.c(); ++j) largest = std::max(largest, std::abs(double(expected.at(i, j))));
  return {.absolute = 4e-6 * largest};
}

// Every row against the reference, exactly where the row is: small integers; and twice, bit for bit.
TEST_P(Conv2dKernel, rows_equal_the_reference) {
  const Conv2dSpec g = GetParam().g;
  const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
             b = Array<>::integers(g.k, 1, 0, 3), dy = Array<>::integers(g.y_rows(), g.k, g.pitch.dy, 4);
  const float* bias = GetParam().bias ? b.data() : nullptr;
  Array<> y0(g.y_rows(), g.k, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx), dw0(g.w_size(), 1), db0(g.k, 1);
  conv2d_forward_reference(g, x.data(), w.data(), bias, y0.data());
  conv2d_backward_data_reference(g, dy.data(), w.data(), dx0.data());
  conv2d_backward_weight_reference(g, dy.data(), x.data(), dw0.data());
  conv2d_backward_bias_reference(g, dy.data(), db0.data());
  for_each_row(conv2d_table(), g, [&](const Conv2dRow& row, const Exec& exec) {
    const bool slow = row.device == Device::cuda && g.macs() > 200'000;  // where it is emulated
    if (slow && g.macs() > 10'000'000) return;
    for (int pass = 0; pass < (slow ? 1 : 2); ++pass) {
      Array<> y(g.y_rows(), g.k, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx), dw(g.w_size(), 1), db(g.k, 1);
      row.forward(exec, g, x.data(), w.data(), bias, y.data());
      EXPECT_TRUE(close(y, y0, rounding(row, y0))) << "forward";
      row.backward_data(exec, g, dy.data(), w.data(), dx.data());
      EXPECT_TRUE(close(dx, dx0, rounding(row, dx0))) << "backward_data";
      row.backward_weight(exec, g, dy.data(), x.data(), dw.data());
      EXPECT_TRUE(close(dw, dw0, rounding(row, dw0))) << "backward_weight";
      row.backward_bias(exec, g, dy.data(), db.data());
      EXPECT_TRUE(close(db, db0)) << "backward_bias";
    }
  });
}

// Work is cut by the problem, not by the number of threads: any number gives the same bits.
TEST(Conv2dThreads, change_no_bit) {
  const int before = thread_count();
  for (const Conv2dSpec& g : {Conv2dSpec{.n = 3,
                             .c = 20,
                             .h = 40,
                             .w = 37,
                             .k = 35,
                             .r = 3,
                             .s = 3,
                             .stride_w = 2,
                             .pad_top = 1,
                             .pad_bottom = 1,
                             .pad_left = 1,
                             .pad_right = 1},
                              Conv2dSpec{.n = 1, .c = 40, .w = 70, .k = 300, .s = 3, .pad_left = 1, .pad_right = 1},
                              Conv2dSpec{.n = 3,
                              .c = 16,
                              .h = 70,
                              .w = 45,
                              .k = 3,
                              .r = 3,
                              .s = 3,
                              .pad_top = 1,
                              .pad_bottom = 1,
                              .pad_left = 1,
                              .pad_right = 1},
                              Conv2dSpec{.n = 4, .c = 4, .w = 1100, .k = 8, .s = 3, .pad_left = 1, .pad_right = 1},
                              Conv2dSpec{.n = 1,
                              .c = 40,
                              .h = 41,
                              .w = 37,
                              .k = 35,
                              .r = 3,
                              .s = 3,
                              .pad_top = 1,
                              .pad_bottom = 1,
                              .pad_left = 1,
                              .pad_right = 1},
                              Conv2dSpec{.n = 2, .c = 40, .w = 900, .k = 35, .s = 3, .pad_left = 1, .pad_right = 1},
                              Conv2dSpec{.n = 4,
                              .c = 24,
                              .h = 40,
                              .w = 40,
                              .k = 24,
                              .r = 3,
                              .s = 3,
                              .groups = 24,
                              .pad_top = 1,
                              .pad_bottom = 1,
                              .pad_left = 1,
                              .pad_right = 1}}) {
    const auto x = Array<>::uniform(g.x_rows(), g.c, 0, 1), w = Array<>::uniform(g.w_size(), 1, 0, 2),
               b = Array<>::uniform(g.k, 1, 0, 3), dy = Array<>::uniform(g.y_rows(), g.k, 0, 4);
    for_each_row(conv2d_table(), g, [&](const Conv2dRow& row, const Exec& exec) {
      if (std::string_view(row.name) == "reference" || row.device != Device::cpu) return;
      Array<> y1(g.y_rows(), g.k), dx1(g.x_rows(), g.c), dw1(g.w_size(), 1), db1(g.k, 1);
      for (int threads = 1; threads <= 3; ++threads) {
        SCOPED_TRACE(threads);
        set_thread_count(threads);
        Array<> y(g.y_rows(), g.k), dx(g.x_rows(), g.c), dw(g.w_size(), 1), db(g.k, 1);
        row.forward(exec, g, x.data(), w.data(), b.data(), y.data());
        row.backward_data(exec, g, dy.data(), w.data(), dx.data());
        row.backward_weight(exec, g, dy.data(), x.data(), dw.data());
        row.backward_bias(exec, g, dy.data(), db.data());
        if (threads == 1) y1 = y, dx1 = dx, dw1 = dw, db1 = db;
        EXPECT_TRUE(close(y, y1)) << "forward";
        EXPECT_TRUE(close(dx, dx1)) << "backward_data";
        EXPECT_TRUE(close(dw, dw1)) << "backward_weight";
        EXPECT_TRUE(close(db, db1)) << "backward_bias";
      }
    });
  }
  set_thread_count(before);
}

// What Winograd's transforms cost: errors of a row that is not exact, as a share of the result's root mean square. A
// direct sum in float has 3e-7 to 5e-7 here.
TEST(Conv2dAccuracy, of_rows_that_are_not_exact) {
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
                              Conv2dSpec{.n = 4, .c = 64, .w = 275, .k = 64, .s = 3, .pad_left = 1, .pad_right = 1}}) {
    const auto x = Array<>::uniform(g.x_rows(), g.c, 0, 1), w = Array<>::uniform(g.w_size(), 1, 0, 2),
               b = Array<>::uniform(g.k, 1, 0, 3), dy = Array<>::uniform(g.y_rows(), g.k, 0, 4);
    const auto xd = x.as<double>(), wd = w.as<double>(), bd = b.as<double>(), dyd = dy.as<double>();
    Array<double> y0(g.y_rows(), g.k), dx0(g.x_rows(), g.c), dw0(g.w_size(), 1);
    conv2d_forward_reference(g, xd.data(), wd.data(), bd.data(), y0.data());
    conv2d_backward_data_reference(g, dyd.data(), wd.data(), dx0.data());
    conv2d_backward_weight_reference(g, dyd.data(), xd.data(), dw0.data());
    int inexact = 0;
    for_each_row(conv2d_table(), g, [&](const Conv2dRow& row, const Exec& exec) {
      if (row.exact) return;
      ++inexact;
      Array<> y(g.y_rows(), g.k), dx(g.x_rows(), g.c), dw(g.w_size(), 1);
      row.forward(exec, g, x.data(), w.data(), b.data(), y.data());
      row.backward_data(exec, g, dy.data(), w.data(), dx.data());
      row.backward_weight(exec, g, dy.data(), x.data(), dw.data());
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
  EXPECT_FALSE(select(conv2d_table(), Device::cpu, g).exact);
  set_winograd(false);
  EXPECT_TRUE(select(conv2d_table(), Device::cpu, g).exact);
  set_winograd(before);
}

// The references' backward is the derivative of their forward, exactly.
TEST_P(Conv2dReference, is_its_own_derivative) {
  Conv2dSpec g = GetParam().g;
  g.pitch = {};
  auto x = Array<Complex>::integers(g.x_rows(), g.c, 0, 1), w = Array<Complex>::integers(g.w_size(), 1, 0, 2),
       b = Array<Complex>::integers(g.k, 1, 0, 3);
  const auto dy = Array<double>::integers(g.y_rows(), g.k, 0, 4);
  const auto xd = Array<double>::integers(g.x_rows(), g.c, 0, 1), wd = Array<double>::integers(g.w_size(), 1, 0, 2);
  auto loss = [&] {
    Array<Complex> y(g.y_rows(), g.k);
    conv2d_forward_reference(g, x.data(), w.data(), b.data(), y.data());
    return weighted_sum(dy, y);
  };
  Array<double> dx(g.x_rows(), g.c), dw(g.w_size(), 1), db(g.k, 1);
  conv2d_backward_data_reference(g, dy.data(), wd.data(), dx.data());
  conv2d_backward_weight_reference(g, dy.data(), xd.data(), dw.data());
  conv2d_backward_bias_reference(g, dy.data(), db.data());
  EXPECT_TRUE(close(complex_step(x, loss), dx));
  EXPECT_TRUE(close(complex_step(w, loss), dw));
  EXPECT_TRUE(close(complex_step(b, loss), db));
}

INSTANTIATE_TEST_SUITE_P(Cases, Conv2dKernel, ::testing::ValuesIn(kCases), [](const auto& i) { return i.param.name; });
INSTANTIATE_TEST_SUITE_P(Cases, Conv2dReference, ::testing::ValuesIn(small_cases()),
                         [](const auto& i) { return i.param.name; });

}  // namespace
}  // namespace kern::kernels
