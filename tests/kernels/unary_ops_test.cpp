#include "kernels/elementwise/unary_ops.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kInf, kern::testing::kNaN;

// With the parameters that an op has from itself.
TEST(UnaryOps, complete) {
  for_each_unary_op([]<class Op>() {
    SCOPED_TRACE(Op::kName);
    testing::check_unary(Op{});
    EXPECT_TRUE(std::isnan(Op{}.forward(kNaN)));
  });
}

TEST(AffineKernel, complete) {
  testing::check_unary(Affine{.a = -2, .b = 0.5f});
  testing::check_unary(Affine{.a = 1, .b = 0});
}

TEST(AffineKernel, by_hand) { EXPECT_EQ((Affine{.a = 3, .b = -1}.forward(2.0f)), 5); }

TEST(ExpKernel, ends_and_nan) {
  EXPECT_EQ(Exp{}.forward(-kInf), 0);
  EXPECT_EQ(Exp{}.forward(kInf), kInf);
  EXPECT_TRUE(std::isnan(Exp{}.forward(kNaN)));
}

TEST(LogKernel, complete) { testing::check_unary(Log{}, 0.01, 20); }

TEST(LogKernel, ends_and_nan) {
  EXPECT_EQ(Log{}.forward(0.0f), -kInf);
  EXPECT_EQ(Log{}.forward(kInf), kInf);
  EXPECT_TRUE(std::isnan(Log{}.forward(-1.0f)));
  EXPECT_TRUE(std::isnan(Log{}.forward(kNaN)));
}

TEST(ReluKernel, keeps_nan) { EXPECT_TRUE(std::isnan(Relu{}.forward(kNaN))); }

TEST(Relu6Kernel, complete) { testing::check_unary(Relu6{}, -3, 9); }

TEST(Relu6Kernel, ends_and_nan) {
  EXPECT_EQ(Relu6{}.forward(-kInf), 0);
  EXPECT_EQ(Relu6{}.forward(kInf), 6);
  EXPECT_TRUE(std::isnan(Relu6{}.forward(kNaN)));
  EXPECT_EQ(Relu6{}.derivative(0.0f), 0);
  EXPECT_EQ(Relu6{}.derivative(6.0f), 0);
}

TEST(Relu6Kernel, golden) {  // torch.nn.functional.relu6 and its gradient
  testing::expect_unary(Relu6{}, {-3, -1, -0.25f, 0.5f, 2, 7}, {0, 0, 0, 0.5f, 2, 6}, {0, 0, 0, 1, 1, 0});
}

TEST(LeakyReluKernel, complete) {
  for (float slope : {0.2f, 0.0f, 2.0f}) testing::check_unary(LeakyRelu{slope});
}

TEST(LeakyReluKernel, keeps_nan) { EXPECT_TRUE(std::isnan(LeakyRelu{0}.forward(kNaN))); }

TEST(EluKernel, complete) {
  for (float alpha : {1.0f, 0.0f, 1.5f}) testing::check_unary(Elu{alpha});
}

TEST(EluKernel, ends_and_nan) {
  EXPECT_EQ(Elu{2}.forward(-kInf), -2);
  EXPECT_EQ(Elu{2}.forward(kInf), kInf);
  EXPECT_EQ(Elu{2}.forward(0.0f), 0);
  EXPECT_EQ(Elu{2}.derivative(0.0f), 2);
  EXPECT_NEAR(Elu{}.forward(-1e-6f), -1e-6f, 1e-12f);
  EXPECT_TRUE(std::isnan(Elu{0}.forward(kNaN)));
}

TEST(EluKernel, golden) {  // torch.nn.functional.elu(alpha=1.5) and its gradient
  testing::expect_unary(Elu{1.5f}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-1.42531943f, -0.948180795f, -0.331798822f, 0.5f, 2, 7},
                        {0.0746805966f, 0.551819205f, 1.16820121f, 1, 1, 1});
}

TEST(SoftplusKernel, complete) {
  testing::check_unary(Softplus{}, -6, 6);
  testing::check_unary(Softplus{.beta = 3, .threshold = 6}, -3, 3);
}

// Rows and float reference share their functions: the double formula checks both.
TEST(SoftplusKernel, is_near_the_double_formula_everywhere) {
  for (int i = -8000; i <= 8000; ++i) {
    const float x = float(i) * 0.01f;
    const double d = double(x), exact = std::log1p(std::exp(d));
    ASSERT_TRUE(std::abs(double(Softplus{}.forward(x)) - exact) <= 5e-7 * exact) << x;
  }
}

TEST(SoftplusKernel, ends_and_nan) {
  EXPECT_EQ(Softplus{}.forward(100.0f), 100);
  EXPECT_EQ(Softplus{}.forward(kInf), kInf);
  EXPECT_EQ(Softplus{}.forward(-kInf), 0);
  EXPECT_EQ(Softplus{}.derivative(kInf), 1);
  EXPECT_TRUE(std::isnan(Softplus{}.forward(kNaN)));
}

TEST(SoftplusKernel, golden) {  // torch.nn.functional.softplus(beta=3, threshold=6) and its gradient
  testing::expect_unary((Softplus{.beta = 3, .threshold = 6}), {-3, -1, -0.25f, 0.5f, 2, 7},
                        {4.11340625e-05f, 0.0161957834f, 0.128957003f, 0.567137778f, 2.00082517f, 7},
                        {0.00012339458f, 0.0474258736f, 0.320821285f, 0.817574501f, 0.997527361f, 1});
}

TEST(SigmoidKernel, complete) { testing::check_unary(Sigmoid{}, -6, 6, {.absolute = 1e-7}); }

// Rows and float reference share one exponential: the double formula checks both.
TEST(SigmoidKernel, is_near_the_double_formula_everywhere) {
  for (int i = -12000; i <= 12000; ++i) {
    const float x = float(i) * 0.01f;
    const double exact = 1 / (1 + std::exp(-double(x)));
    ASSERT_TRUE(std::abs(double(Sigmoid{}.forward(x)) - exact) <= 3e-7 * exact + 1e-37) << x;
  }
}

TEST(SigmoidKernel, ends_and_nan) {
  const float infinity = kInf;
  EXPECT_EQ(Sigmoid{}.forward(-infinity), 0);
  EXPECT_EQ(Sigmoid{}.forward(infinity), 1);
  EXPECT_EQ(Sigmoid{}.forward(0.0f), 0.5f);
  EXPECT_TRUE(std::isnan(Sigmoid{}.forward(kNaN)));
}

TEST(TanhKernel, complete) { testing::check_unary(Tanh{}, -4, 4); }

TEST(TanhKernel, ends_and_nan) {
  EXPECT_EQ(Tanh{}.forward(kInf), 1);
  EXPECT_EQ(Tanh{}.forward(-kInf), -1);
  EXPECT_TRUE(std::isnan(Tanh{}.forward(kNaN)));
}

TEST(TanhKernel, golden) {  // torch.nn.functional.tanh and its gradient
  testing::expect_unary(Tanh{}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-0.995054781f, -0.761594176f, -0.244918659f, 0.462117165f, 0.964027584f, 0.999998331f},
                        {0.00986598153f, 0.419974297f, 0.940014839f, 0.786447704f, 0.070650816f, 3.33785738e-06f});
}

TEST(SiluKernel, complete) { testing::check_unary(Silu{}, -6, 6); }

// Rows and float reference share their functions: the double formula checks both.
TEST(SiluKernel, is_near_the_double_formula_everywhere) {
  for (int i = -8000; i <= 8000; ++i) {
    const float x = float(i) * 0.01f;
    const double d = double(x), exact = d / (1 + std::exp(-d));
    ASSERT_TRUE(std::abs(double(Silu{}.forward(x)) - exact) <= 4e-7 * std::abs(exact)) << x;
  }
}

TEST(SiluKernel, ends_and_nan) {
  EXPECT_EQ(Silu{}.forward(100.0f), 100);
  EXPECT_EQ(Silu{}.forward(-100.0f), 0);
  EXPECT_TRUE(std::isnan(Silu{}.forward(kNaN)));
}

TEST(SiluKernel, golden) {  // torch.nn.functional.silu and its gradient
  testing::expect_unary(Silu{}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-0.142277613f, -0.268941432f, -0.109455876f, 0.311229676f, 1.76159406f, 6.99362278f},
                        {-0.0881041065f, 0.0723294839f, 0.376289994f, 0.739961207f, 1.09078431f, 1.00546014f});
}

TEST(HardswishKernel, complete) { testing::check_unary(Hardswish{}, -6, 6); }

TEST(HardswishKernel, ends_and_nan) {
  EXPECT_EQ(Hardswish{}.forward(-kInf), 0);
  EXPECT_EQ(Hardswish{}.forward(kInf), kInf);
  EXPECT_TRUE(std::isnan(Hardswish{}.forward(kNaN)));
  EXPECT_TRUE(std::isnan(Hardswish{}.derivative(kNaN)));
  EXPECT_EQ(Hardswish{}.derivative(-3.0f), 0);
  EXPECT_EQ(Hardswish{}.derivative(3.0f), 1);
}

TEST(HardswishKernel, golden) {  // torch.nn.functional.hardswish and its gradient
  testing::expect_unary(Hardswish{}, {-4, -2, -0.25f, 0.5f, 2, 7},
                        {0, -0.333333343f, -0.114583336f, 0.291666657f, 1.66666663f, 7},
                        {0, -0.166666672f, 0.416666657f, 0.666666687f, 1.16666675f, 1});
}

TEST(GeluKernel, complete) { testing::check_unary(Gelu{}, -6, 6); }

// Rows and float reference share their functions: the double formula checks both.
TEST(GeluKernel, is_near_the_double_formula_everywhere) {
  for (int i = -1500; i <= 1500; ++i) {
    const float x = float(i) * 0.01f;
    const double d = double(x), exact = d * 0.5 * std::erfc(-d * std::sqrt(0.5));
    ASSERT_TRUE(std::abs(double(Gelu{}.forward(x)) - exact) <= 3e-7 * std::abs(exact) + 3e-7 * std::abs(d) * (d < 0))
        << x;
  }
}

TEST(GeluKernel, ends_and_nan) {
  EXPECT_EQ(Gelu{}.forward(100.0f), 100);
  EXPECT_EQ(Gelu{}.forward(-100.0f), 0);
  EXPECT_TRUE(std::isnan(Gelu{}.forward(kNaN)));
  EXPECT_TRUE(std::isnan(Gelu{}.derivative(kNaN)));
}

TEST(GeluKernel, golden) {  // torch.nn.functional.gelu and its gradient (exact: -0.004049694 at -3)
  testing::expect_unary(Gelu{}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-0.00405022502f, -0.158655256f, -0.100323416f, 0.345731229f, 1.95449972f, 7},
                        {-0.0119456053f, -0.0833154321f, 0.304626703f, 0.86749506f, 1.0852319f, 1});
}

TEST(GeluTanhKernel, complete) { testing::check_unary(GeluTanh{}, -6, 6); }

// Rows and float reference share their functions: the double formula checks both.
TEST(GeluTanhKernel, is_near_the_double_formula_everywhere) {
  for (int i = -1500; i <= 1500; ++i) {
    const float x = float(i) * 0.01f;
    const double d = double(x),
                 exact = 0.5 * d * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (d + 0.044715 * d * d * d)));
    ASSERT_TRUE(std::abs(double(GeluTanh{}.forward(x)) - exact) <= 2e-6 * std::abs(exact) + 1e-9) << x;
  }
}

TEST(GeluTanhKernel, ends_and_nan) {
  EXPECT_EQ(GeluTanh{}.forward(100.0f), 100);
  EXPECT_EQ(GeluTanh{}.forward(-100.0f), 0);
  EXPECT_TRUE(std::isnan(GeluTanh{}.forward(kNaN)));
}

TEST(GeluTanhKernel, golden) {  // torch.nn.functional.gelu(approximate="tanh") and its gradient
  testing::expect_unary(GeluTanh{}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-0.00363743305f, -0.158807993f, -0.100324646f, 0.345714003f, 1.95459771f, 7},
                        {-0.0115842968f, -0.0829640925f, 0.304645896f, 0.86736989f, 1.08609927f, 1});
}

}  // namespace
}  // namespace kern::kernels
