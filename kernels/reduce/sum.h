// sum: y = scale * sum of all x[i,c]; scale 1 is the sum, 1 / (rows C) the mean.
// Backward: dx[i,c] = scale * dy.
#pragma once
#include "kernels/common/op.h"

namespace kern::kernels {

// x, dx [rows, C]; y, dy [1].
struct SumSpec {
  int64_t rows = 0, c = 1;
  double scale = 1;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  bool operator==(const SumSpec&) const = default;
};

struct Sum {
  static constexpr const char* kName = "sum";
  using Spec = SumSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 1;
    const T* x;
    T* y;
    void arrays(const Spec& g, auto&& f) { f("x", x, {g.rows, g.c, g.x_pitch()}), f("y", y, {}); }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 1;
    const T* dy;
    T* dx;
    void arrays(const Spec& g, auto&& f) { f("dy", dy, {}), f("dx", dx, {g.rows, g.c, g.dx_pitch()}); }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    T sum = 0;
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c) sum += a.x[i * g.x_pitch() + c];
    *a.y = sum * T(g.scale);
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c) a.dx[i * g.dx_pitch() + c] = *a.dy * T(g.scale);
  }
  static std::string shape(const Spec& g) { return text(g.rows, "x", g.c); }
  static const Registry<Implementation<Sum>>& registry();
  static Implementation<Sum> cuda();  // sum.cu
};

}  // namespace kern::kernels
