#include "kernels/loss/head_cross_entropy.h"

#include <algorithm>

#include "kernels/common/parallel.h"
#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

template <class T>
struct Results {
  Array<T> loss{1, 1}, dx, dw, db;
  Values<int32_t> prediction, confusion;
  explicit Results(const HeadCrossEntropySpec& g)
      : dx(g.rows, g.c, g.pitch.dx),
        dw(g.k, g.c),
        db(1, g.k),
        prediction(size_t(g.rows), -7),
        confusion(size_t(g.k * g.k), -7) {}
  HeadOutputs<T> outputs() {
    return {.loss = loss.data(),
            .dx = dx.data(),
            .dw = dw.data(),
            .db = db.data(),
            .prediction = prediction.data(),
            .confusion = confusion.data()};
  }
};

struct HeadCrossEntropyCase {
  HeadCrossEntropySpec g;
  bool ignore = false, weighted = false, bias = true;
};
const HeadCrossEntropyCase kHeadCrossEntropyCases[] = {
    {{.rows = 37, .c = 8, .k = 5}},
    {{.rows = 37, .c = 7, .k = 5}, true, true},
    {{.rows = 9, .c = 1, .k = 1}, true, false, false},
    {{.rows = 0, .c = 3, .k = 4}, false, true},
    {{.rows = 40, .c = 16, .k = 2, .pitch = {.x = 19, .dx = 24}}, true, true},
    {{.rows = 9000, .c = 4, .k = 9}, true, true},          // several blocks and a rest
    {{.rows = 9001, .c = 2, .k = 64, .smoothing = 0.1f}},  // several blocks a group
    {{.rows = 300, .c = 20, .k = 35, .smoothing = 0.1f}, true, true},
    {{.rows = 20, .c = 260, .k = 3}, true, true},
    {{.rows = 9, .c = 5, .k = 70}, true},
    {{.rows = 200, .c = 64, .k = 35}, true},
    {{.rows = 70, .c = 300, .k = 250, .smoothing = 0.3f}, true, true}};  // one block of all rows

TEST(HeadCrossEntropyKernel, rows_agree_with_the_reference_in_double_and_repeat_their_bits) {
  const int before = thread_count();
  for (const HeadCrossEntropyCase& c : kHeadCrossEntropyCases) {
    const HeadCrossEntropySpec& g = c.g;
    SCOPED_TRACE(text(g.rows, " ", g.c, " ", g.k));
    const auto x = Array<>::uniform(g.rows, g.c, g.pitch.x, 1), w = Array<>::uniform(g.k, g.c, 0, 2),
               b = Array<>::uniform(1, g.k, 0, 3), weight = Array<>::uniform(1, g.k, 0, 4, 0.1, 2);
    const Values<int32_t> target = class_targets(g.rows, g.k, c.ignore);
    const auto xd = x.as<double>(), wd = w.as<double>(), bd = b.as<double>(), weightd = weight.as<double>();
    Results<double> expected(g);
    std::vector<double> scratch(size_t(head_cross_entropy_scratch(g)));
    head_cross_entropy_forward_reference(g,
                                         {.x = xd.data(),
                                          .w = wd.data(),
                                          .b = c.bias ? bd.data() : nullptr,
                                          .target = target.data(),
                                          .weight = c.weighted ? weightd.data() : nullptr},
                                         expected.outputs(), scratch.data());
    for_each_impl(head_cross_entropy_registry(), g, [&](const HeadCrossEntropyImpl& impl, const Exec& exec) {
      const HeadInputs<float> in{.x = x.data(),
                                 .w = w.data(),
                                 .b = c.bias ? b.data() : nullptr,
                                 .target = target.data(),
                                 .weight = c.weighted ? weight.data() : nullptr};
      if (impl.device == Device::cuda && std::max(g.rows * g.k, 4 * g.w_size()) > 200000) return;  // slow emulated
      const bool reference = std::string_view(impl.name) == "reference";  // adds row to row in float
      const double rows = double(g.rows + 1);
      const Tolerance of_sums{.absolute = (reference ? 1e-5 : 1e-6), .relative = reference ? 1e-3 : 2e-5};
      Results<float> first(g);
      const bool gpu = impl.device == Device::cuda;  // which may be emulated: no threads to vary, and time is short
      if (gpu && g.rows > 5000) return;
      for (int threads : gpu ? std::vector<int>{1, 1} : std::vector<int>{1, 3, 3}) {
        set_thread_count(threads);
        Results<float> r(g);
        impl.forward(exec, g, in, r.outputs());
        EXPECT_TRUE(close(r.loss, expected.loss, {.absolute = 1e-7, .relative = reference ? 1e-3 : 2e-6}));
        EXPECT_TRUE(close(r.dx, expected.dx, {.absolute = 1e-5 / rows, .relative = 1e-4}));
        EXPECT_TRUE(close(r.dw, expected.dw, of_sums));
        EXPECT_TRUE(close(r.db, expected.db, of_sums));
        int64_t differing = 0;  // where the two largest logits are equal but for rounding
        for (size_t i = 0; i < r.prediction.size(); ++i) differing += r.prediction[i] != expected.prediction[i];
        EXPECT_LE(differing, g.rows / 1000);
        Values<int32_t> counts(size_t(g.k * g.k));
        head_confusion(g.rows, g.k, target.host(), r.prediction.host(), counts.host());
        EXPECT_TRUE(std::ranges::equal(r.confusion, counts));
        if (threads == 1) first = r;
        EXPECT_TRUE(close(r.loss, first.loss) && close(r.dx, first.dx) && close(r.dw, first.dw) &&
                    close(r.db, first.db));
        Results<float> alone(g);  // each output may be left out
        impl.forward(exec, g, in, {.loss = alone.loss.data()});
        EXPECT_TRUE(close(alone.loss, r.loss));
        impl.forward(exec, g, in, {.loss = alone.loss.data(), .dw = alone.dw.data()});
        EXPECT_TRUE(close(alone.dw, r.dw));
      }
    });
  }
  set_thread_count(before);
}

TEST(HeadCrossEntropyKernel, backward_scales) {
  const HeadCrossEntropySpec g{.rows = 5000, .c = 5, .k = 3, .pitch = {.dx = 7}};
  for_each_impl(head_cross_entropy_registry(), g, [&](const HeadCrossEntropyImpl& impl, const Exec& exec) {
    for (const float factor : {1.0f, -2.0f, 0.0f}) {
      const Values<> dy{factor};
      auto dx = Array<>::integers(g.rows, g.c, 7, 1), dw = Array<>::integers(g.k, g.c, 0, 2),
           db = Array<>::integers(1, g.k, 0, 3);
      auto dx0 = dx, dw0 = dw, db0 = db;
      for (Array<>* a : {&dx0, &dw0, &db0}) a->for_each([&](float& v) { v *= factor; });
      impl.backward(exec, g, dy.data(), dx.data(), dw.data(), db.data());
      EXPECT_TRUE(close(dx, dx0) && close(dw, dw0) && close(db, db0));
      impl.backward(exec, g, dy.data(), nullptr, nullptr, nullptr);
    }
  });
}

TEST(HeadCrossEntropyKernel, nan_and_nothing_but_ignored_rows) {
  const HeadCrossEntropySpec g{.rows = 2, .c = 1, .k = 2};
  const Values<> w{1, 2}, x{1, 2}, broken{1, std::nanf("")};
  const Values<int32_t> ignored{-1, -1}, target{0, 1};
  for_each_impl(head_cross_entropy_registry(), g, [&](const HeadCrossEntropyImpl& impl, const Exec& exec) {
    Results<float> r(g);
    impl.forward(exec, g, {.x = x.data(), .w = w.data(), .target = ignored.data()}, r.outputs());
    EXPECT_EQ(r.loss.at(0, 0), 0);
    r.dx.for_each([](float v) { EXPECT_EQ(v, 0); });
    r.dw.for_each([](float v) { EXPECT_EQ(v, 0); });
    EXPECT_TRUE(std::ranges::equal(r.confusion, Values<int32_t>{0, 0, 0, 0}));
    impl.forward(exec, g, {.x = x.data(), .w = w.data(), .target = target.data()}, r.outputs());
    EXPECT_TRUE(std::ranges::equal(r.prediction, Values<int32_t>{1, 1}));
    EXPECT_TRUE(std::ranges::equal(r.confusion, Values<int32_t>{0, 1, 0, 1}));
    impl.forward(exec, g, {.x = broken.data(), .w = w.data(), .target = target.data()}, r.outputs());
    EXPECT_TRUE(std::isnan(r.loss.at(0, 0)) && std::isnan(r.dw.at(1, 0)));
  });
}

TEST(HeadCrossEntropyKernel, the_first_impossible_target_is_named_whatever_the_threads) {
  const int before = thread_count();
  const HeadCrossEntropySpec g{.rows = 20000, .c = 1, .k = 5};
  const auto x = Array<>::integers(g.rows, 1, 0, 1), w = Array<>::integers(g.k, 1, 0, 2);
  for_each_impl(head_cross_entropy_registry(), g, [&](const HeadCrossEntropyImpl& impl, const Exec& exec) {
    if (impl.device != Device::cpu) return;
    for (int threads : {1, 3}) {
      set_thread_count(threads);
      float loss;
      expect_first_bad_target("head_cross_entropy", 5, [&](const int32_t* target) {
        impl.forward(exec, g, {.x = x.data(), .w = w.data(), .target = target}, {.loss = &loss});
      });
    }
  });
  set_thread_count(before);
}

TEST(HeadCrossEntropyKernel, a_gpu_leaves_out_rows_with_impossible_targets) {
  const HeadCrossEntropySpec g{.rows = 300, .c = 3, .k = 5};
  const auto x = Array<>::uniform(g.rows, g.c, 0, 1), w = Array<>::uniform(g.k, g.c, 0, 2);
  const auto targets = impossible_and_ignored(g.rows, g.k);
  const auto &wrong = targets.first, &ignored = targets.second;
  for_each_impl(head_cross_entropy_registry(), g, [&](const HeadCrossEntropyImpl& impl, const Exec& exec) {
    if (impl.device == Device::cpu) return;
    Results<float> a(g), b(g);
    impl.forward(exec, g, {.x = x.data(), .w = w.data(), .target = wrong.data()}, a.outputs());
    impl.forward(exec, g, {.x = x.data(), .w = w.data(), .target = ignored.data()}, b.outputs());
    EXPECT_TRUE(close(a.loss, b.loss) && close(a.dx, b.dx) && close(a.dw, b.dw) && close(a.db, b.db));
    EXPECT_TRUE(std::ranges::equal(a.confusion, b.confusion));
  });
}

// Its parts have complex-step tests of their own; here, that they are put together rightly.
TEST(HeadCrossEntropyReference, is_its_own_derivative) {
  const HeadCrossEntropySpec g{.rows = 12, .c = 3, .k = 4, .smoothing = 0.2f};
  auto x = Array<Complex>::uniform(g.rows, g.c, 0, 1), w = Array<Complex>::uniform(g.k, g.c, 0, 2),
       b = Array<Complex>::uniform(1, g.k, 0, 3);
  const auto weight = Array<Complex>::uniform(1, g.k, 0, 4, 0.1, 2);
  const Values<int32_t> target = class_targets(g.rows, g.k, true);
  std::vector<Complex> scratch(size_t(head_cross_entropy_scratch(g)));
  auto loss = [&](const HeadOutputs<Complex>* wanted = nullptr) {
    Complex value;
    const HeadOutputs<Complex> out{.loss = &value};
    head_cross_entropy_forward_reference(
        g, {.x = x.data(), .w = w.data(), .b = b.data(), .target = target.data(), .weight = weight.data()},
        wanted ? *wanted : out, scratch.data());
    return value;
  };
  Results<Complex> r(g);
  const HeadOutputs<Complex> out = r.outputs();
  loss(&out);
  auto real = [](const Array<Complex>& a) {
    Array<double> d(a.rows(), a.c());
    for (int64_t i = 0; i < a.rows(); ++i)
      for (int64_t j = 0; j < a.c(); ++j) d.at(i, j) = a.at(i, j).real();
    return d;
  };
  const Tolerance exact{.absolute = 1e-15, .relative = 1e-12};
  EXPECT_TRUE(close(real(r.dx), complex_step(x, loss), exact));
  EXPECT_TRUE(close(real(r.dw), complex_step(w, loss), exact));
  EXPECT_TRUE(close(real(r.db), complex_step(b, loss), exact));
}

}  // namespace
}  // namespace kern::kernels
