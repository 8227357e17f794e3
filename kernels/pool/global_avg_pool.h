// global_avg_pool: y[n,c] = (1/L) sum_l x[n,l,c].  Backward: dx[n,l,c] = dy[n,c] / L.
// Layouts: x, dx [N,L,C], L = all positions of a sample (an image's H W); y, dy [N,C].
#pragma once
#include "kernels/common/op.h"

namespace kern::kernels {

struct GlobalAvgPoolSpec {
  int64_t n = 0, l = 1, c = 1;  // l >= 1
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  bool operator==(const GlobalAvgPoolSpec&) const = default;
};

struct GlobalAvgPool {
  static constexpr const char* kName = "global_avg_pool";
  using Spec = GlobalAvgPoolSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 1;
    const T* x;
    T* y;
    void arrays(const Spec& g, auto&& f) {
      f("x", x, {g.n * g.l, g.c, g.x_pitch()}), f("y", y, {g.n, g.c, g.y_pitch()});
    }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 1;
    const T* dy;
    T* dx;
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {g.n, g.c, g.dy_pitch()}), f("dx", dx, {g.n * g.l, g.c, g.dx_pitch()});
    }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    for (int64_t n = 0; n < g.n; ++n)
      for (int64_t c = 0; c < g.c; ++c) {
        T sum(0);
        for (int64_t i = n * g.l; i < (n + 1) * g.l; ++i) sum += a.x[i * g.x_pitch() + c];
        a.y[n * g.y_pitch() + c] = sum / T(float(g.l));
      }
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t i = 0; i < g.n * g.l; ++i)
      for (int64_t c = 0; c < g.c; ++c) a.dx[i * g.dx_pitch() + c] = a.dy[i / g.l * g.dy_pitch() + c] / T(float(g.l));
  }
  static std::string shape(const Spec& g) { return text(g.n, "x", g.l, "x", g.c); }
  static const Registry<Implementation<GlobalAvgPool>>& registry();
  static Implementation<GlobalAvgPool> cuda();  // global_avg_pool.cu
};

}  // namespace kern::kernels
