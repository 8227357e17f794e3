// softmax over channels: y[i,c] = exp(x[i,c] - m[i]) / sum_k exp(x[i,k] - m[i]),  m[i] = max_k x[i,k].
// Backward: dx[i,c] = y[i,c] (dy[i,c] - sum_k y[i,k] dy[i,k])
// Layouts: x, y, dx, dy [rows, C].
#pragma once
#include "kernels/common/op.h"
#include "kernels/common/simd.h"

namespace kern::kernels {

struct SoftmaxSpec {
  int64_t rows = 0, c = 1;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  bool operator==(const SoftmaxSpec&) const = default;
};

// The largest of a row's values, by its real part.
template <Scalar T>
T row_maximum(const T* row, int64_t c) {
  T m = row[0];
  for (int64_t j = 1; j < c; ++j)
    if (real_part(row[j]) > real_part(m)) m = row[j];
  return m;
}

struct Softmax {
  static constexpr const char* kName = "softmax";
  using Spec = SoftmaxSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 4;
    const T* x;
    T* y;
    void arrays(const Spec& g, auto&& f) {
      f("x", x, {g.rows, g.c, g.x_pitch(), -8, 8}), f("y", y, {g.rows, g.c, g.y_pitch()});
    }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 3;
    const T *dy, *y;
    T* dx;
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {g.rows, g.c, g.dy_pitch()}), f("y", y, {g.rows, g.c, g.y_pitch()}),
          f("dx", dx, {g.rows, g.c, g.dx_pitch(), -8, 8});
    }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    for (int64_t i = 0; i < g.rows && g.c > 0; ++i) {
      const T* from = a.x + i * g.x_pitch();
      T* to = a.y + i * g.y_pitch();
      const T m = row_maximum(from, g.c);
      T sum(0);
      for (int64_t c = 0; c < g.c; ++c) sum += to[c] = std::exp(from[c] - m);
      for (int64_t c = 0; c < g.c; ++c) to[c] /= sum;
    }
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t i = 0; i < g.rows; ++i) {
      const T *y = a.y + i * g.y_pitch(), *dy = a.dy + i * g.dy_pitch();
      T dot(0);
      for (int64_t c = 0; c < g.c; ++c) dot += y[c] * dy[c];
      for (int64_t c = 0; c < g.c; ++c) a.dx[i * g.dx_pitch() + c] = y[c] * (dy[c] - dot);
    }
  }
  static std::string shape(const Spec& g) { return text(g.rows, "x", g.c); }
  static const Registry<Implementation<Softmax>>& registry();
  template <Isa isa>
  static Implementation<Softmax> simd();  // softmax_simd.cpp
  static Implementation<Softmax> cuda();  // softmax.cu
};

}  // namespace kern::kernels
