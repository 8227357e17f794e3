// sum_axis: y[o,i] = scale * sum_n x[o,n,i]; scale 1 is the sum over an axis, 1 / N the mean. Sums are kept in double, on a
// GPU those of a long axis after every 8 values.
// Backward: dx[o,n,i] = scale * dy[o,i].
// Layouts: x, dx [outer, N, inner]; y, dy [outer, inner]; all dense.
#pragma once
#include "kernels/common/op.h"

namespace kern::kernels {

struct AxisSpec {
  int64_t outer = 1, n = 0, inner = 1;
  constexpr int64_t x_size() const { return outer * n * inner; }
  constexpr int64_t y_size() const { return outer * inner; }
  bool operator==(const AxisSpec&) const = default;
};
struct SumAxisSpec : AxisSpec {
  double scale = 1;
  bool operator==(const SumAxisSpec&) const = default;
};

struct SumAxis {
  static constexpr const char* kName = "sum_axis";
  using Spec = SumAxisSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 1;
    const T* x;
    T* y;
    void arrays(const Spec& g, auto&& f) { f("x", x, {1, g.x_size()}), f("y", y, {1, g.y_size()}); }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 1;
    const T* dy;
    T* dx;
    void arrays(const Spec& g, auto&& f) { f("dy", dy, {1, g.y_size()}), f("dx", dx, {1, g.x_size()}); }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    for (int64_t o = 0; o < g.outer; ++o)
      for (int64_t i = 0; i < g.inner; ++i) {
        T sum(0);
        for (int64_t n = 0; n < g.n; ++n) sum += a.x[(o * g.n + n) * g.inner + i];
        a.y[o * g.inner + i] = sum * T(g.scale);
      }
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t o = 0; o < g.outer; ++o)
      for (int64_t n = 0; n < g.n; ++n)
        for (int64_t i = 0; i < g.inner; ++i) a.dx[(o * g.n + n) * g.inner + i] = a.dy[o * g.inner + i] * T(g.scale);
  }
  static std::string shape(const Spec& g) { return text(g.outer, "x", g.n, "x", g.inner); }
  static const Registry<Implementation<SumAxis>>& registry();
  static Implementation<SumAxis> cuda();  // sum_axis.cu
};

}  // namespace kern::kernels
