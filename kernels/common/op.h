// An op is declared once, as a struct that names it and the arrays that each direction reads and writes:
//
//   struct Huber {
//     static constexpr const char* kName = "huber";
//     using Spec = HuberSpec;
//     template <class T>
//     struct Forward {
//       static constexpr double kOperations = 3;  // about, for each value of the largest array
//       const T *x, *t;  // what is read: to const
//       T* loss;         // what is written
//       void arrays(const HuberSpec& g, auto&& f) {  // all of them, by name
//         f("x", x, {g.rows, g.c, g.x_pitch()}), f("t", t, {g.rows, g.c, g.t_pitch()}), f("loss", loss, {});
//       }
//     };
//     template <class T>
//     struct Backward { ... };  // the gradient of x is called "dx", that of Forward's first output "dy"
//     template <Scalar T>
//     static void reference(const HuberSpec&, const Forward<T>&);  // plain loops
//     template <Scalar T>
//     static void reference(const HuberSpec&, const Backward<T>&);
//     static std::string shape(const HuberSpec&);  // "64x32", for benchmarks
//     static const Registry<Implementation<Huber>>& registry();
//   };
//
// From that: Implementation<Huber>, reference_implementation<Huber>(), the test that all such ops pass
// (tests/support/op_check.h) and the timer (benchmarks/op_timer.h). The arrays of both directions that have one name are one array.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

// The size of an array, and what tests and benchmarks fill it with where it is an input.
struct Extent {
  int64_t rows = 1, columns = 1, pitch = 0;  // pitch 0: dense
  float low = -1, high = 1;                  // uniform between
  int64_t classes = 0;                       // class numbers, 0 .. classes - 1
  bool optional = false;                     // the pointer may be null
  bool is_private = false;                   // an output that only the implementation itself reads: not compared
  constexpr int64_t size() const { return rows * pitch_or(pitch, columns); }
};

template <class Op, class T = float>
struct Implementation {
  using Spec = typename Op::Spec;
  const char* name;
  Device device;
  bool (*supports)(const Spec&);
  size_t (*workspace)(const Spec&) = no_workspace;  // bytes of scratch that either direction may need
  void (*forward)(const Exec&, const Spec&, const typename Op::template Forward<T>&);
  void (*backward)(const Exec&, const Spec&, const typename Op::template Backward<T>&);
};

template <class Op, class T = float>
constexpr Implementation<Op, T> reference_implementation() {
  using Spec = typename Op::Spec;
  return {
      .name = "reference",
      .device = Device::cpu,
      .supports = supports_all,
      .forward = [](const Exec&, const Spec& g, const typename Op::template Forward<T>& a) { Op::reference(g, a); },
      .backward = [](const Exec&, const Spec& g, const typename Op::template Backward<T>& a) { Op::reference(g, a); }};
}

}  // namespace kern::kernels
