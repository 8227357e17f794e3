// The tests that every op declared by kernels/common/op.h passes. check_op: every implementation against the reference in
// double, from outputs that begin as NaN between guards, with its optional inputs and without them, the same bits again
// on one thread and on three; and the reference's gradients against the complex step.
//
//   TEST(HuberKernel, complete) { check_op<Huber>({{{.rows = 37, .c = 5}}, {{.rows = 9, .c = 4, .pitch = {.x = 6}}}}); }
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "kernels/common/op.h"
#include "kernels/common/parallel.h"
#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::testing {

template <class Op>
struct OpCase {
  typename Op::Spec g;
  std::map<std::string, std::pair<double, double>> ranges;  // of inputs, in place of what the op says
};
struct OpTolerance {  // |a - b| <= of_largest max|b| + relative |b|
  double of_largest = 3e-6, relative = 1e-5;
  double reference = 1e-3;  // of_largest for the reference in float, which adds value to value
  bool exact = false;  // inputs are small integers, whose sums are exact in any order: every implementation is equal
};

struct OpArgument {
  std::string name;
  kernels::Extent extent;
  bool written, classes;
};
// Of both directions; one name is one array.
template <class Op>
std::vector<OpArgument> arguments_of(const typename Op::Spec& g) {
  std::vector<OpArgument> all;
  const auto see = [&]<class P>(const char* name, P&, const kernels::Extent& extent) {
    constexpr bool written = !std::is_const_v<std::remove_pointer_t<P>>;
    const auto same = std::find_if(all.begin(), all.end(), [&](const OpArgument& a) { return a.name == name; });
    if (same != all.end()) same->written |= written;
    else all.push_back({name, extent, written, std::is_same_v<P, const int32_t*>});
  };
  typename Op::template Forward<float>{}.arrays(g, see);
  typename Op::template Backward<float>{}.arrays(g, see);
  return all;
}

// The arrays of a case by name: numbers of type T, and class numbers.
template <class Op, class T>
struct OpArrays {
  using Spec = typename Op::Spec;
  std::map<std::string, Array<T>> values;
  std::map<std::string, Values<int32_t>> classes;

  template <class U>
  OpArrays<Op, U> as() const {
    OpArrays<Op, U> out{{}, classes};
    for (const auto& [name, array] : values) out.values.emplace(name, array.template as<U>());
    return out;
  }
  void clear_outputs(const Spec& g) {
    for (const auto& [name, e, written, is_class] : arguments_of<Op>(g))
      if (written) values.insert_or_assign(name, Array<T>(e.rows, e.columns, e.pitch));
  }
  auto forward(const Spec& g) { return bind<typename Op::template Forward<T>>(g); }
  auto backward(const Spec& g) { return bind<typename Op::template Backward<T>>(g); }
  void run_reference(const Spec& g) {
    Op::reference(g, forward(g));
    Op::reference(g, backward(g));
  }
  void run(const kernels::Implementation<Op>& impl, const kernels::Exec& exec, const Spec& g) {
    impl.forward(exec, g, forward(g));
    impl.backward(exec, g, backward(g));
  }

 private:
  template <class Arguments>
  Arguments bind(const Spec& g) {  // what is not there is null
    Arguments a{};
    a.arrays(g, [this]<class P>(const char* name, P& p, const kernels::Extent&) {
      if constexpr (std::is_same_v<P, const int32_t*>) {
        if (const auto found = classes.find(name); found != classes.end()) p = found->second.data();
      } else if (const auto found = values.find(name); found != values.end()) {
        p = found->second.data();
      }
    });
    return a;
  }
};

// `sparse`: every third class number is ignored, and optional inputs are left out.
template <class Op>
OpArrays<Op, float> inputs_of(const OpCase<Op>& c, bool sparse, bool integers = false) {
  OpArrays<Op, float> all;
  uint32_t seed = 0;
  for (const auto& [name, e, written, is_class] : arguments_of<Op>(c.g)) {
    ++seed;
    if (written || (e.optional && sparse)) continue;
    const auto range = c.ranges.find(name);
    const auto [low, high] = range != c.ranges.end() ? range->second : std::pair<double, double>(e.low, e.high);
    if (is_class) all.classes.emplace(name, class_targets(e.rows * e.columns, e.classes, sparse));
    else if (integers) all.values.emplace(name, Array<>::integers(e.rows, e.columns, e.pitch, seed));
    else all.values.emplace(name, Array<>::uniform(e.rows, e.columns, e.pitch, seed, low, high));
  }
  return all;
}

// d(sum of dy y)/dv by the complex step, for every input v of which backward gives "dv"; y is forward's first output.
template <class Op>
void check_derivatives(const typename Op::Spec& g, const OpArrays<Op, double>& inputs) {
  const std::vector<OpArgument> arguments = arguments_of<Op>(g);
  const auto y = std::find_if(arguments.begin(), arguments.end(), [](const OpArgument& a) { return a.written; });
  OpArrays<Op, double> expected = inputs;
  expected.clear_outputs(g);
  expected.run_reference(g);
  OpArrays<Op, Complex> complex = inputs.template as<Complex>();
  complex.clear_outputs(g);
  int checked = 0;
  for (const OpArgument& v : arguments) {
    const auto dv = std::find_if(arguments.begin(), arguments.end(),
                                 [&](const OpArgument& a) { return a.written && a.name == "d" + v.name; });
    if (v.written || dv == arguments.end() || !expected.values.contains(v.name)) continue;
    const auto exact = complex_step(complex.values.at(v.name), [&] {
      Op::reference(g, complex.forward(g));
      return weighted_sum(inputs.values.at("dy"), complex.values.at(y->name));
    });
    EXPECT_TRUE(close(expected.values.at(dv->name), exact, {.absolute = 1e-14, .relative = 1e-12})) << v.name;
    ++checked;
  }
  EXPECT_GE(checked, 1) << Op::kName << " names no gradient of an input";
}

template <class Op>
void check_op(const std::vector<OpCase<Op>>& cases, const OpTolerance& tolerance = {}) {
  constexpr int64_t kSmall = 400;  // values of an input that the complex step may go through
  const int before = thread_count();
  for (const OpCase<Op>& c : cases) {
    const auto& g = c.g;
    for (const bool sparse : {false, true}) {
      SCOPED_TRACE(text(Op::kName, " of ", Op::shape(g), sparse ? ", without what is optional" : ""));
      const OpArrays<Op, float> inputs = inputs_of(c, sparse, tolerance.exact);
      OpArrays<Op, double> expected = inputs.template as<double>();
      int64_t size = 0;
      for (const auto& [name, array] : expected.values) size += array.rows() * array.c();
      if (size <= kSmall) check_derivatives(g, expected);
      expected.clear_outputs(g);
      expected.run_reference(g);
      for_each_impl(Op::registry(), g, [&](const auto& impl, const kernels::Exec& exec) {
        const bool reference = std::string_view(impl.name) == "reference";
        OpArrays<Op, float> first;
        for (const int threads : {1, 3, 3}) {
          set_thread_count(threads);
          OpArrays<Op, float> arrays = inputs;
          arrays.clear_outputs(g);
          arrays.run(impl, exec, g);
          for (const OpArgument& a : arguments_of<Op>(g)) {
            if (!a.written) continue;
            const Array<>& out = arrays.values.at(a.name);
            if (a.extent.is_private) {
              EXPECT_TRUE(out.guards_intact()) << a.name;
              continue;
            }
            Array<double>& exact = expected.values.at(a.name);
            double largest = 0;
            exact.for_each([&](double v) { largest = std::max(largest, std::abs(v)); });
            const double share = reference ? tolerance.reference : tolerance.of_largest;
            const Tolerance near{.absolute = share * largest, .relative = tolerance.relative};
            EXPECT_TRUE(close(out, exact, tolerance.exact ? Tolerance{} : near)) << a.name;
            if (threads == 1) continue;
            EXPECT_TRUE(close(out, first.values.at(a.name))) << a.name << " on " << threads << " threads";
          }
          if (threads == 1) first = arrays;
        }
        for (const OpArgument& a : arguments_of<Op>(g)) {  // an output that nobody wants
          if (!sparse || !a.written || !a.extent.optional) continue;
          OpArrays<Op, float> arrays = inputs;
          arrays.clear_outputs(g);
          arrays.values.erase(a.name);
          arrays.run(impl, exec, g);
          for (const auto& [name, out] : arrays.values) EXPECT_TRUE(close(out, first.values.at(name))) << name;
        }
      });
    }
  }
  set_thread_count(before);
}

// Of an op with class numbers "target": the first impossible one is named on the CPU, whatever the threads; a GPU, which
// cannot throw, leaves its row out.
template <class Op>
void check_impossible_targets(const typename Op::Spec& large, const typename Op::Spec& small) {
  const int before = thread_count();
  OpArrays<Op, float> inputs = inputs_of<Op>({large}, true);
  for_each_impl(Op::registry(), large, [&](const auto& impl, const kernels::Exec& exec) {
    if (impl.device != Device::cpu) return;
    for (const int threads : {1, 3}) {
      set_thread_count(threads);
      OpArrays<Op, float> arrays = inputs;
      arrays.clear_outputs(large);
      auto arguments = arrays.forward(large);
      expect_first_bad_target(Op::kName, int(large.targets().classes), [&](const int32_t* target) {
        arguments.target = target;
        impl.forward(exec, large, arguments);
      });
    }
  });
  set_thread_count(before);

  const auto targets = impossible_and_ignored(small.targets().rows, small.targets().classes);
  inputs = inputs_of<Op>({small}, true);
  for_each_impl(Op::registry(), small, [&](const auto& impl, const kernels::Exec& exec) {
    if (impl.device == Device::cpu) return;
    const auto run = [&](const Values<int32_t>& target) {
      OpArrays<Op, float> arrays = inputs;
      arrays.classes.insert_or_assign("target", target);
      arrays.clear_outputs(small);
      arrays.run(impl, exec, small);
      wait_for_device();
      return arrays;
    };
    const auto wrong = run(targets.first), ignored = run(targets.second);
    EXPECT_TRUE(close(wrong.values.at("loss"), ignored.values.at("loss")));
    EXPECT_TRUE(close(wrong.values.at("dx"), ignored.values.at("dx")));
  });
}

}  // namespace kern::testing
