// What a call of an op that kernels/common/op.h declares costs, and how it is timed: from the arrays that it names.
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>

#include "benchmarks/kernel_timers.h"
#include "kernels/common/op.h"

namespace kern::benchmarks {

struct OpCost {
  double flops = 0, bytes = 0;
};
// Every array once, optional inputs left out, and kOperations for each value of the largest.
template <class Arguments, class Spec>
OpCost cost_of_call(const Spec& g) {
  OpCost cost;
  Arguments{}.arrays(g, [&]<class P>(const char*, P&, const Extent& e) {
    using Element = std::remove_pointer_t<P>;
    if (e.optional && std::is_const_v<Element>) return;
    const double values = double(e.rows) * double(e.columns);
    cost.bytes += double(sizeof(Element)) * values;
    cost.flops = std::max(cost.flops, Arguments::kOperations * values);
  });
  return cost;
}

template <class Op>
struct OpCases {
  static std::string name_of(const typename Op::Spec& g) { return Op::shape(g); }

  template <class T>
  static Directions directions_of(const Implementation<Op, T>& impl, const typename Op::Spec& g, const Exec& exec,
                                  BenchmarkArrays& arrays) {
    using Forward = typename Op::template Forward<T>;
    using Backward = typename Op::template Backward<T>;
    std::map<std::string, void*> all;  // of both directions
    const Forward forward = bind<Forward>(g, arrays, all);
    const Backward backward = bind<Backward>(g, arrays, all);
    const auto first = [&] { impl.forward(exec, g, forward); };
    first();  // what backward reads of it
    return {direction<Forward>("forward", g, all, [=, &impl] { impl.forward(exec, g, forward); }),
            direction<Backward>("backward", g, all, [=, &impl] { impl.backward(exec, g, backward); })};
  }

 private:
  template <class Arguments>
  static Arguments bind(const typename Op::Spec& g, BenchmarkArrays& arrays, std::map<std::string, void*>& all) {
    Arguments a{};
    a.arrays(g, [&]<class P>(const char* name, P& p, const Extent& e) {
      using Element = std::remove_pointer_t<P>;
      if (e.optional && std::is_const_v<Element>) return;
      void*& array = all[name];
      if (!array) {
        if constexpr (std::is_same_v<P, const int32_t*>) array = arrays.classes(e.size(), e.classes);
        else if constexpr (std::is_const_v<Element>)
          array = arrays.input<std::remove_const_t<Element>>(e.size(), e.low, e.high);
        else array = arrays.output<Element>(e.size());
      }
      p = static_cast<P>(array);
    });
    return a;
  }
  // Its first output is looked at.
  template <class Arguments>
  static Direction direction(const char* called, const typename Op::Spec& g, std::map<std::string, void*>& all,
                             std::function<void()> call) {
    BenchmarkOutput out;
    Arguments{}.arrays(g, [&]<class P>(const char* name, P&, const Extent& e) {
      using Element = std::remove_pointer_t<P>;
      if constexpr (!std::is_const_v<Element>)
        if (!out.data) out = {static_cast<P>(all.at(name)), e.rows, e.columns, pitch_or(e.pitch, e.columns)};
    });
    const OpCost cost = cost_of_call<Arguments>(g);
    return {called, cost.flops, cost.bytes, std::move(call), out};
  }
};

template <class Op>
void add_op_timer(Timers& timers, const std::vector<typename Op::Spec>& large) {
  add_timer<OpCases<Op>, typename Op::Spec>(timers, Op::registry(), large);
}

}  // namespace kern::benchmarks
