#include "kernels/conv/conv_transpose2d.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(
    ConvTranspose2dSpec{
        .h = 4, .w = 4, .r = 3, .s = 2, .stride_h = 2, .stride_w = 2, .crop_top = 1, .crop_bottom = 1, .rows_added = 1}
        .p() == 8);
static_assert(ConvTranspose2dSpec{.h = 4, .w = 4, .r = 3, .s = 2, .stride_h = 2, .stride_w = 2}.q() == 8);
static_assert(ConvTranspose2dSpec{.w = 5, .s = 3, .stride_w = 2, .dil_w = 2}.q() == 13);
static_assert(ConvTranspose2dSpec{.w = 5, .s = 3, .stride_w = 2, .crop_left = 1, .crop_right = 1, .columns_added = 1}
                  .is_adjoint());
static_assert(!ConvTranspose2dSpec{.w = 5, .s = 3, .dil_w = 2, .columns_added = 1}.is_adjoint());

struct ConvTranspose2dCase {
  const char* name;
  ConvTranspose2dSpec g;
  bool bias = true;
};
void PrintTo(const ConvTranspose2dCase& c, std::ostream* out) { *out << c.name; }
const ConvTranspose2dCase kConvTranspose2dCases[] = {
    {"two_by_two_stride", {.n = 2, .c = 3, .h = 4, .w = 5, .k = 4, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2}},
    {"three_stride_two_output_padding",
     {.n = 1,
      .c = 3,
      .h = 4,
      .w = 3,
      .k = 2,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .crop_top = 1,
      .crop_bottom = 1,
      .crop_left = 1,
      .crop_right = 1,
      .rows_added = 1,
      .columns_added = 1}},
    {"crop_at_the_end",
     {.n = 1,
      .c = 2,
      .h = 4,
      .w = 3,
      .k = 3,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .crop_bottom = 1,
      .crop_right = 1},
     false},
    {"crop_asymmetric",
     {.n = 1,
      .c = 2,
      .h = 3,
      .w = 6,
      .k = 3,
      .r = 5,
      .s = 4,
      .stride_w = 3,
      .crop_top = 3,
      .crop_bottom = 1,
      .crop_left = 0,
      .crop_right = 2}},
    {"four_by_four_stride_two",
     {.n = 2,
      .c = 20,
      .h = 6,
      .w = 17,
      .k = 18,
      .r = 4,
      .s = 4,
      .stride_h = 2,
      .stride_w = 2,
      .crop_top = 1,
      .crop_bottom = 1,
      .crop_left = 1,
      .crop_right = 1,
      .pitch = {.x = 21, .y = 33, .dx = 22, .dy = 19}}},
    {"four_by_four_to_few_channels",
     {.n = 1,
      .c = 16,
      .h = 5,
      .w = 40,
      .k = 3,
      .r = 4,
      .s = 4,
      .stride_h = 2,
      .stride_w = 2,
      .crop_top = 1,
      .crop_bottom = 1,
      .crop_left = 1,
      .crop_right = 1}},
    {"signal", {.n = 2, .c = 8, .w = 37, .k = 4, .s = 3, .crop_left = 1, .crop_right = 1}},
    {"signal_one_channel",
     {.n = 1, .c = 1, .w = 70, .k = 1, .s = 4, .stride_w = 2, .crop_left = 1, .crop_right = 1},
     false},
    {"dilation",
     {.n = 2, .c = 2, .h = 5, .w = 4, .k = 3, .r = 3, .s = 2, .stride_h = 2, .dil_h = 2, .dil_w = 3, .crop_top = 1}},
    {"added_up_to_the_dilation",
     {.n = 1,
      .c = 2,
      .h = 3,
      .w = 4,
      .k = 2,
      .r = 2,
      .s = 2,
      .dil_h = 3,
      .dil_w = 2,
      .rows_added = 2,
      .columns_added = 1}},
    {"added_beyond_the_filter",
     {.n = 2, .c = 7, .h = 3, .w = 4, .k = 5, .r = 2, .s = 3, .stride_w = 2, .rows_added = 3, .columns_added = 2}},
    {"groups",
     {.n = 2,
      .c = 6,
      .h = 3,
      .w = 4,
      .k = 4,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .groups = 2,
      .crop_top = 1,
      .crop_left = 1}},
    {"depthwise", {.n = 1, .c = 5, .h = 3, .w = 4, .k = 5, .r = 2, .s = 3, .stride_h = 2, .stride_w = 2, .groups = 5}},
    {"pointwise", {.n = 2, .c = 6, .h = 3, .w = 5, .k = 7}},
    {"no_batch", {.n = 0, .c = 3, .h = 4, .w = 4, .k = 2, .r = 3, .s = 3}},
    {"width_one", {.n = 2, .c = 3, .h = 6, .w = 1, .k = 2, .r = 3, .s = 1, .crop_top = 1, .crop_bottom = 1}},
    {"stride_over_filter",
     {.n = 1, .c = 2, .h = 3, .w = 3, .k = 2, .r = 1, .s = 2, .stride_h = 2, .stride_w = 3, .columns_added = 2}},
    {"pitched",
     {.n = 2,
      .c = 3,
      .h = 3,
      .w = 4,
      .k = 4,
      .r = 3,
      .s = 3,
      .stride_h = 2,
      .stride_w = 2,
      .crop_top = 1,
      .crop_left = 1,
      .pitch = {.x = 7, .y = 9, .dx = 5, .dy = 6}}},
    {"pitched_signal_32_to_16",
     {.n = 2,
      .c = 32,
      .w = 33,
      .k = 16,
      .s = 3,
      .crop_left = 1,
      .crop_right = 1,
      .pitch = {.x = 48, .y = 32, .dx = 40, .dy = 32}}},
};

class ConvTranspose2dKernel : public ::testing::TestWithParam<ConvTranspose2dCase> {};
class ConvTranspose2dReference : public ::testing::TestWithParam<ConvTranspose2dCase> {};

std::vector<ConvTranspose2dCase> small_transposed_cases() {  // the complex step costs a forward pass per value
  std::vector<ConvTranspose2dCase> small;
  for (const ConvTranspose2dCase& c : kConvTranspose2dCases)
    if (c.g.macs() <= 10000) small.push_back(c);
  return small;
}

TEST_P(ConvTranspose2dKernel, rows_equal_the_reference) {
  const ConvTranspose2dSpec g = GetParam().g;
  const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
             b = Array<>::integers(g.k, 1, 0, 3), dy = Array<>::integers(g.y_rows(), g.k, g.pitch.dy, 4);
  const auto bias = [&] { return GetParam().bias ? b.data() : nullptr; };
  Array<> y0(g.y_rows(), g.k, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx), dw0(g.w_size(), 1), db0(g.k, 1);
  conv_transpose2d_forward_reference(g, x.data(), w.data(), bias(), y0.data());
  conv_transpose2d_backward_data_reference(g, dy.data(), w.data(), dx0.data());
  conv_transpose2d_backward_weight_reference(g, dy.data(), x.data(), dw0.data());
  conv_transpose2d_backward_bias_reference(g, dy.data(), db0.data());
  const int threads = thread_count();
  const bool winograd = winograd_enabled();
  set_winograd(false);  // conv2d_winograd_test.cpp tests it: here the convolution beneath is to be exact
  for_each_impl(conv_transpose2d_registry(), g, [&](const ConvTranspose2dImpl& impl, const Exec& exec) {
    for (int n : {1, 3}) {
      set_thread_count(n);
      Array<> y(g.y_rows(), g.k, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx), dw(g.w_size(), 1), db(g.k, 1);
      impl.forward(exec, g, x.data(), w.data(), bias(), y.data());
      EXPECT_TRUE(close(y, y0)) << "forward";
      impl.backward_data(exec, g, dy.data(), w.data(), dx.data());
      EXPECT_TRUE(close(dx, dx0)) << "backward_data";
      impl.backward_weight(exec, g, dy.data(), x.data(), dw.data());
      EXPECT_TRUE(close(dw, dw0)) << "backward_weight";
      impl.backward_bias(exec, g, dy.data(), db.data());
      EXPECT_TRUE(close(db, db0)) << "backward_bias";
    }
  });
  set_winograd(winograd);
  set_thread_count(threads);
}

TEST_P(ConvTranspose2dReference, is_its_own_derivative) {
  ConvTranspose2dSpec g = GetParam().g;
  g.pitch = {};
  auto x = Array<Complex>::integers(g.x_rows(), g.c, 0, 1), w = Array<Complex>::integers(g.w_size(), 1, 0, 2),
       b = Array<Complex>::integers(g.k, 1, 0, 3);
  const auto dy = Array<double>::integers(g.y_rows(), g.k, 0, 4);
  const auto xd = Array<double>::integers(g.x_rows(), g.c, 0, 1), wd = Array<double>::integers(g.w_size(), 1, 0, 2);
  auto loss = [&] {
    Array<Complex> y(g.y_rows(), g.k);
    conv_transpose2d_forward_reference(g, x.data(), w.data(), b.data(), y.data());
    return weighted_sum(dy, y);
  };
  Array<double> dx(g.x_rows(), g.c), dw(g.w_size(), 1), db(g.k, 1);
  conv_transpose2d_backward_data_reference(g, dy.data(), wd.data(), dx.data());
  conv_transpose2d_backward_weight_reference(g, dy.data(), xd.data(), dw.data());
  conv_transpose2d_backward_bias_reference(g, dy.data(), db.data());
  EXPECT_TRUE(close(complex_step(x, loss), dx));
  EXPECT_TRUE(close(complex_step(w, loss), dw));
  EXPECT_TRUE(close(complex_step(b, loss), db));
}

INSTANTIATE_TEST_SUITE_P(Cases, ConvTranspose2dKernel, ::testing::ValuesIn(kConvTranspose2dCases),
                         [](const auto& i) { return i.param.name; });
INSTANTIATE_TEST_SUITE_P(Cases, ConvTranspose2dReference, ::testing::ValuesIn(small_transposed_cases()),
                         [](const auto& i) { return i.param.name; });

// By hand: x = (1, 10), filter (1, 2, 3), stride 2 -> 1 2 3+10 20 30, cropped by one on each side.
TEST(ConvTranspose2dFormula, by_hand) {
  const ConvTranspose2dSpec g{.w = 2, .s = 3, .stride_w = 2, .crop_left = 1, .crop_right = 1};
  const Values<> x{1, 10}, w{1, 2, 3};
  for_each_impl(conv_transpose2d_registry(), g, [&](const ConvTranspose2dImpl& impl, const Exec& exec) {
    Array<> y(3, 1);
    impl.forward(exec, g, x.data(), w.data(), nullptr, y.data());
    EXPECT_EQ(y.at(0, 0), 2);
    EXPECT_EQ(y.at(1, 0), 13);
    EXPECT_EQ(y.at(2, 0), 20);
  });
}

}  // namespace
}  // namespace kern::kernels
