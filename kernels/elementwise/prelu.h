// prelu (He et al. 2015), with one slope per channel, or one shared by all:
//   y[i,c] = x[i,c] where x > 0, else slope[c] * x[i,c]
// Backward:
//   dx[i,c]   = dy[i,c] where x > 0, else slope[c] * dy[i,c]
//   dslope[c] = sum_{i: not x > 0} x[i,c] * dy[i,c]  (over c too where the slope is shared)
// Layouts: x, y, dx, dy [rows, C]; slope, dslope [slopes], slopes = 1 or C.
#pragma once
#include "kernels/common/op.h"
#include "kernels/common/simd.h"

namespace kern::kernels {

struct PreluSpec {
  int64_t rows = 0, c = 1, slopes = 1;
  Pitches pitch;
  constexpr int64_t slope_of(int64_t channel) const { return slopes == 1 ? 0 : channel; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  bool operator==(const PreluSpec&) const = default;
};

struct Prelu {
  static constexpr const char* kName = "prelu";
  using Spec = PreluSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 1;
    const T *x, *slope;
    T* y;
    void arrays(const Spec& g, auto&& f) {
      f("x", x, {g.rows, g.c, g.x_pitch()}), f("slope", slope, {g.slopes}), f("y", y, {g.rows, g.c, g.y_pitch()});
    }
  };
  template <class T>
  struct Backward {  // both gradients in one pass; either may be null
    static constexpr double kOperations = 2;
    const T *dy, *x, *slope;
    T *dx, *dslope;
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {g.rows, g.c, g.dy_pitch()}), f("x", x, {g.rows, g.c, g.x_pitch()}), f("slope", slope, {g.slopes});
      f("dx", dx, {.rows = g.rows, .columns = g.c, .pitch = g.dx_pitch(), .optional = true});
      f("dslope", dslope, {.rows = g.slopes, .optional = true});
    }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c) {
        const T v = a.x[i * g.x_pitch() + c];
        a.y[i * g.y_pitch() + c] = real_part(v) > 0 ? v : a.slope[g.slope_of(c)] * v;
      }
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t k = 0; a.dslope && k < g.slopes; ++k) a.dslope[k] = T(0);
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c) {
        const T v = a.x[i * g.x_pitch() + c], d = a.dy[i * g.dy_pitch() + c];
        const bool positive = real_part(v) > 0;
        if (a.dx) a.dx[i * g.dx_pitch() + c] = positive ? d : a.slope[g.slope_of(c)] * d;
        if (a.dslope && !positive) a.dslope[g.slope_of(c)] += v * d;
      }
  }
  static std::string shape(const Spec& g) { return text(g.rows, "x", g.c, g.slopes > 1 ? " by channel" : ""); }
  static const Registry<Implementation<Prelu>>& registry();
  template <Isa isa>
  static Implementation<Prelu> simd();  // prelu_simd.cpp
  static Implementation<Prelu> cuda();  // prelu.cu
};

}  // namespace kern::kernels
