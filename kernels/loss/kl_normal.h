// kl_normal: the divergence of N(mu, sigma^2) from N(0, 1) (Kingma and Welling 2014, appendix B), summed over the
// latent values, and over the batch averaged or summed (D = N or 1):
//   v = log sigma^2 = k s,  k = 1 where s is the log variance, 2 where s is log sigma
//   L = 1/D sum (mu^2 + exp(v) - 1 - v) / 2
//   dmu = dL/D mu,  ds = dL/D (k/2) (exp(v) - 1)
// Layouts: mu, s, dmu, ds [rows, C], rows = N or more (a latent image); loss, dy [1]. pitch.x is mu's, pitch.y is s's,
// pitch.dx is dmu's, pitch.dy is ds's.
#pragma once
#include "kernels/common/op.h"

namespace kern::kernels {

struct KlNormalSpec {
  int64_t rows = 0, c = 1;
  int64_t divisor = 1;     // D
  bool log_sigma = false;  // s is log sigma, else log sigma^2
  Pitches pitch;
  constexpr int64_t mu_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t s_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dmu_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t ds_pitch() const { return pitch_or(pitch.dy, c); }
  constexpr int factor() const { return log_sigma ? 2 : 1; }  // k
  constexpr Extent means() const { return {rows, c, mu_pitch(), -2, 2}; }
  constexpr Extent spreads() const { return {rows, c, s_pitch(), -4, 2}; }
  bool operator==(const KlNormalSpec&) const = default;
};

struct KlNormal {
  static constexpr const char* kName = "kl_normal";
  using Spec = KlNormalSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 5;
    const T *mu, *s;
    T* loss;
    void arrays(const Spec& g, auto&& f) { f("mu", mu, g.means()), f("s", s, g.spreads()), f("loss", loss, {}); }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 4;
    const T *dy, *mu, *s;
    T *dmu, *ds;  // either may be null: nobody wants it
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {}), f("mu", mu, g.means()), f("s", s, g.spreads());
      f("dmu", dmu, {.rows = g.rows, .columns = g.c, .pitch = g.dmu_pitch(), .optional = true});
      f("ds", ds, {.rows = g.rows, .columns = g.c, .pitch = g.ds_pitch(), .optional = true});
    }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    T sum = 0;
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c) {
        const T m = a.mu[i * g.mu_pitch() + c], v = T(g.factor()) * a.s[i * g.s_pitch() + c];
        sum += T(0.5) * (m * m + std::exp(v) - T(1) - v);
      }
    *a.loss = sum / T(double(g.divisor));
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    const T scale = *a.dy / T(double(g.divisor)), k = T(g.factor());
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c) {
        if (a.dmu) a.dmu[i * g.dmu_pitch() + c] = scale * a.mu[i * g.mu_pitch() + c];
        if (a.ds) a.ds[i * g.ds_pitch() + c] = scale * k * T(0.5) * (std::exp(k * a.s[i * g.s_pitch() + c]) - T(1));
      }
  }
  static std::string shape(const Spec& g) { return text(g.rows, "x", g.c); }
  static const Registry<Implementation<KlNormal>>& registry();
  static Implementation<KlNormal> cuda();  // kl_normal.cu
};

}  // namespace kern::kernels
