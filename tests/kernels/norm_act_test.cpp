#include "kernels/norm/norm_act.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(NormActSpec{.n = 4, .rows = 5, .per_sample = true}.groups() == 4);
static_assert(NormActSpec{.n = 4, .rows = 5}.group_rows() == 20);
static_assert(NormActSpec{.c = 3, .slopes = 1}.slope_of(2) == 0 && NormActSpec{.c = 3, .slopes = 3}.slope_of(2) == 2);

constexpr uint64_t kStep = 7;

// Everything a call of one case reads.
struct Inputs {
  NormActSpec g;
  Array<> x, dy, residual, weight, bias, slope, running_mean, running_variance;
  Values<uint64_t> step{kStep};
  explicit Inputs(const NormActSpec& spec, float offset = 0)
      : g(spec),
        x(Array<>::uniform(g.n * g.rows, g.c, g.pitch.x, 1)),
        dy(Array<>::uniform(g.n * g.rows, g.c, g.pitch.dy, 2)),
        residual(Array<>::uniform(g.n * g.rows, g.c, g.residual_pitch, 3)),
        weight(Array<>::uniform(g.c, 1, 0, 4, 0.5, g.act == Activation::relu6 ? 9 : 1.5)),  // so that some reach 6
        bias(Array<>::uniform(g.c, 1, 0, 5)),
        slope(Array<>::uniform(g.slopes, 1, 0, 6)),
        running_mean(Array<>::uniform(g.c, 1, 0, 7)),
        running_variance(Array<>::uniform(g.c, 1, 0, 8, 0.5, 2)) {
    x.for_each([&](float& v) { v += offset; });
    running_mean.for_each([&](float& v) { v += offset; });
  }
};

// What one implementation makes of it.
template <class T>
struct Outputs {
  Array<T> y, again, mean, inverse, dx, dweight, dbias, dslope, running_mean, running_variance;
  explicit Outputs(const NormActSpec& g)
      : y(g.n * g.rows, g.c, g.pitch.y),
        again(y),
        mean(g.groups() * g.c, 1),
        inverse(mean),
        dx(g.n * g.rows, g.c, g.pitch.dx),
        dweight(g.c, 1),
        dbias(g.c, 1),
        dslope(g.slopes, 1),
        running_mean(g.c, 1),
        running_variance(g.c, 1) {}
};

Outputs<double> expected(const Inputs& in, bool affine, bool residual) {
  const NormActSpec& g = in.g;
  Outputs<double> out(g);
  out.running_mean = in.running_mean.as<double>(), out.running_variance = in.running_variance.as<double>();
  const auto x = in.x.as<double>(), dy = in.dy.as<double>(), r = in.residual.as<double>(), w = in.weight.as<double>(),
             b = in.bias.as<double>(), s = in.slope.as<double>();
  const NormActInputs<double> parts{.weight = affine ? w.data() : nullptr,
                                    .bias = affine ? b.data() : nullptr,
                                    .slope = s.data(),
                                    .step = &kStep,
                                    .running_mean = g.per_sample ? nullptr : out.running_mean.data(),
                                    .running_variance = g.per_sample ? nullptr : out.running_variance.data()};
  norm_act_forward_reference(g, x.data(), parts, residual ? r.data() : nullptr, out.y.data(), out.mean.data(),
                             out.inverse.data());
  norm_act_backward_reference(g, dy.data(), x.data(), parts, out.mean.data(), out.inverse.data(), out.dx.data(),
                              out.dweight.data(), out.dbias.data(), out.dslope.data());
  return out;
}

Outputs<float> of_impl(const NormActImpl& impl, const Exec& exec, const Inputs& in, bool affine, bool residual) {
  const NormActSpec& g = in.g;
  Outputs<float> out(g);
  out.running_mean = in.running_mean, out.running_variance = in.running_variance;
  const NormActInputs<float> parts{.weight = affine ? in.weight.data() : nullptr,
                                   .bias = affine ? in.bias.data() : nullptr,
                                   .slope = in.slope.data(),
                                   .step = in.step.data(),
                                   .running_mean = g.per_sample ? nullptr : out.running_mean.data(),
                                   .running_variance = g.per_sample ? nullptr : out.running_variance.data()};
  const float* across = residual ? in.residual.data() : nullptr;
  impl.forward(exec, g, in.x.data(), parts, across, out.y.data(), out.mean.data(), out.inverse.data());
  impl.apply(exec, g, in.x.data(), parts, out.mean.data(), out.inverse.data(), across, out.again.data());
  impl.backward(exec, g, in.dy.data(), in.x.data(), parts, out.mean.data(), out.inverse.data(), out.dx.data(),
                out.dweight.data(), out.dbias.data(), out.dslope.data());
  return out;
}

void check_norm_act(const NormActSpec& g, bool affine, bool residual, float offset = 0, double tolerance = 3e-5) {
  SCOPED_TRACE(text(g.n, " x ", g.rows, " x ", g.c, " act ", int(g.act), g.per_sample ? " per sample" : "",
                    g.frozen ? " frozen" : "", " p ", g.p, affine ? " affine" : "", residual ? " residual" : ""));
  const Inputs in(g, offset);
  const Outputs<double> want = expected(in, affine, residual);
  const Tolerance near{.absolute = tolerance, .relative = tolerance},
      sums{.absolute = tolerance * double(10 + g.n * g.rows), .relative = tolerance};
  const int threads = thread_count();
  for_each_impl(norm_act_registry(), g, [&](const NormActImpl& impl, const Exec& exec) {
    if (std::string_view(impl.name) == "reference" && offset != 0) return;         // plain float sums
    const bool large = impl.device == Device::cuda && g.n * g.rows * g.c > 15000;  // for an emulated GPU
    if (large && g.act == Activation::identity && offset == 0) return;
    set_thread_count(1);
    const Outputs<float> one = of_impl(impl, exec, in, affine, residual);
    EXPECT_TRUE(close(one.y, want.y, near));
    EXPECT_TRUE(close(one.again, one.y)) << "apply gives other bits than forward";
    EXPECT_TRUE(close(one.mean, want.mean, {.absolute = 1e-6, .relative = 1e-6}));
    EXPECT_TRUE(close(one.inverse, want.inverse, {.absolute = 1e-7, .relative = 1e-5}));
    EXPECT_TRUE(close(one.running_mean, want.running_mean, {.absolute = 1e-6, .relative = 1e-6}));
    EXPECT_TRUE(close(one.running_variance, want.running_variance, {.absolute = 1e-6, .relative = 1e-5}));
    EXPECT_TRUE(close(one.dx, want.dx, near));
    EXPECT_TRUE(close(one.dweight, want.dweight, sums));
    EXPECT_TRUE(close(one.dbias, want.dbias, sums));
    if (g.act == Activation::prelu) {
      EXPECT_TRUE(close(one.dslope, want.dslope, sums));
    }
    if (large) return;  // smaller ones show it as well
    set_thread_count(3);
    const Outputs<float> three = of_impl(impl, exec, in, affine, residual);
    EXPECT_TRUE(close(three.y, one.y)) << "another number of threads, other bits";
    EXPECT_TRUE(close(three.dx, one.dx));
    EXPECT_TRUE(close(three.dweight, one.dweight));
    EXPECT_TRUE(close(three.dslope, one.dslope));
  });
  set_thread_count(threads);
}

const NormActSpec kNormActSpecs[] = {
    {.n = 3, .rows = 37, .c = 5},
    {.n = 2, .rows = 90, .c = 1},
    {.n = 0, .rows = 4, .c = 3},
    {.n = 3, .rows = 2, .c = 131},
    {.n = 2, .rows = 1100, .c = 16},
    {.n = 2, .rows = 9, .c = 516},
    {.n = 2, .rows = 40, .c = 4, .pitch = {.x = 12, .y = 9, .dx = 5, .dy = 6}, .residual_pitch = 7},
    {.n = 2, .rows = 33, .c = 32, .pitch = {.x = 32, .y = 64, .dx = 32, .dy = 96}},
};

TEST(NormActKernel, rows_are_near_the_double_reference) {
  for (NormActSpec g : kNormActSpecs)
    for (Activation act :
         {Activation::identity, Activation::relu, Activation::prelu, Activation::relu6, Activation::silu})
      for (int kind = 0; kind < 3; ++kind) {
        g.act = act;
        g.per_sample = kind == 1;
        g.frozen = kind == 2;
        g.slopes = kind == 1 ? 1 : g.c;
        g.p = act == Activation::relu ? 0.4f : 0.0f;
        g.key = {1, 2};
        check_norm_act(g, kind != 1, act == Activation::prelu);
      }
}

TEST(NormActKernel, one_slope_dropout_and_no_affine_part_go_together) {
  check_norm_act(
      {.n = 5, .rows = 70, .c = 7, .act = Activation::prelu, .slopes = 1, .p = 0.5f, .key = {3, 4}, .call = 2}, false,
      true);
}

// A large mean costs no digits.
TEST(NormActKernel, statistics_are_stable) {
  check_norm_act({.n = 4, .rows = 3000, .c = 3}, false, false, 1000, 2e-3);
  check_norm_act({.n = 2, .rows = 2000, .c = 16, .per_sample = true}, false, false, 1000, 2e-3);
}

TEST(NormActKernel, gradients_that_nobody_wants_are_left_alone) {
  const NormActSpec g{.n = 2, .rows = 20, .c = 6, .act = Activation::prelu, .slopes = 6};
  const Inputs in(g);
  for_each_impl(norm_act_registry(), g, [&](const NormActImpl& impl, const Exec& exec) {
    const Outputs<float> all = of_impl(impl, exec, in, true, false);
    const NormActInputs<float> parts{
        .weight = in.weight.data(), .bias = in.bias.data(), .slope = in.slope.data(), .step = in.step.data()};
    Outputs<float> some(g);
    impl.backward(exec, g, in.dy.data(), in.x.data(), parts, all.mean.data(), all.inverse.data(), some.dx.data(),
                  nullptr, nullptr, nullptr);
    impl.backward(exec, g, in.dy.data(), in.x.data(), parts, all.mean.data(), all.inverse.data(), nullptr,
                  some.dweight.data(), nullptr, some.dslope.data());
    EXPECT_TRUE(close(some.dx, all.dx));
    EXPECT_TRUE(close(some.dweight, all.dweight));
    EXPECT_TRUE(close(some.dslope, all.dslope));
  });
}

TEST(NormActKernel, keeps_nan_and_drops_infinity) {
  NormActSpec g{.n = 1, .rows = 2, .c = 1, .frozen = true, .act = Activation::relu};
  Values<> mean{0}, variance{1};
  const Values<uint64_t> step{kStep};
  const auto parts = [&] {
    return NormActInputs<float>{.step = step.data(), .running_mean = mean.data(), .running_variance = variance.data()};
  };
  const Values<> x{std::nanf(""), std::numeric_limits<float>::infinity()};
  for_each_impl(norm_act_registry(), g, [&](const NormActImpl& impl, const Exec& exec) {
    Values<> y(2), m(1), d(1);
    impl.forward(exec, g, x.data(), parts(), nullptr, y.data(), m.data(), d.data());
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_TRUE(std::isinf(y[1]));
  });
  g.p = 1;
  for_each_impl(norm_act_registry(), g, [&](const NormActImpl& impl, const Exec& exec) {
    Values<> y(2), m(1), d(1);
    impl.forward(exec, g, x.data(), parts(), nullptr, y.data(), m.data(), d.data());
    EXPECT_EQ(y[0], 0);
    EXPECT_EQ(y[1], 0);
  });
}

TEST(NormActReference, is_its_own_derivative) {
  for (Activation act :
       {Activation::identity, Activation::relu, Activation::prelu, Activation::relu6, Activation::silu})
    for (int kind = 0; kind < 3; ++kind) {
      const NormActSpec g{.n = 2,
                          .rows = 5,
                          .c = 3,
                          .per_sample = kind == 1,
                          .frozen = kind == 2,
                          .act = act,
                          .slopes = 3,
                          .p = 0.3f,
                          .key = {5, 6}};
      auto x = Array<Complex>::uniform(10, 3, 0, 1),
           w = Array<Complex>::uniform(3, 1, 0, 2, -1, act == Activation::relu6 ? 12 : 1),
           b = Array<Complex>::uniform(3, 1, 0, 3), s = Array<Complex>::uniform(3, 1, 0, 4);
      const auto dy = Array<double>::uniform(10, 3, 0, 5);
      auto rm = Array<Complex>::uniform(3, 1, 0, 6), rv = Array<Complex>::uniform(3, 1, 0, 7, 0.5, 2);
      auto loss = [&] {
        Array<Complex> y(10, 3), m(6, 1), d(6, 1), running_mean = rm, running_variance = rv;
        norm_act_forward_reference(g, x.data(),
                                   {.weight = w.data(),
                                    .bias = b.data(),
                                    .slope = s.data(),
                                    .step = &kStep,
                                    .running_mean = g.per_sample ? nullptr : running_mean.data(),
                                    .running_variance = g.per_sample ? nullptr : running_variance.data()},
                                   static_cast<const Complex*>(nullptr), y.data(), m.data(), d.data());
        return weighted_sum(dy, y);
      };
      auto real = [](const Array<Complex>& a) {
        Array<double> out(a.rows(), a.c());
        for (int64_t i = 0; i < a.rows(); ++i)
          for (int64_t j = 0; j < a.c(); ++j) out.at(i, j) = a.at(i, j).real();
        return out;
      };
      const auto xd = real(x), wd = real(w), bd = real(b), sd = real(s);
      auto rmd = real(rm), rvd = real(rv);
      const NormActInputs<double> parts{.weight = wd.data(),
                                        .bias = bd.data(),
                                        .slope = sd.data(),
                                        .step = &kStep,
                                        .running_mean = rmd.data(),
                                        .running_variance = rvd.data()};
      Array<double> y(10, 3), m(g.groups() * 3, 1), d(g.groups() * 3, 1), dx(10, 3), dw(3, 1), db(3, 1), ds(3, 1);
      norm_act_forward_reference(g, xd.data(), parts, static_cast<const double*>(nullptr), y.data(), m.data(),
                                 d.data());
      norm_act_backward_reference(g, dy.data(), xd.data(), parts, m.data(), d.data(), dx.data(), dw.data(), db.data(),
                                  ds.data());
      const Tolerance near{.absolute = 1e-12, .relative = 1e-10};
      EXPECT_TRUE(close(complex_step(x, loss), dx, near));
      EXPECT_TRUE(close(complex_step(w, loss), dw, near));
      EXPECT_TRUE(close(complex_step(b, loss), db, near));
      if (act == Activation::prelu) {
        EXPECT_TRUE(close(complex_step(s, loss), ds, near));
      }
    }
}

}  // namespace
}  // namespace kern::kernels
