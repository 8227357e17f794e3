// kl_normal: the divergence of N(mu, sigma^2) from N(0, 1) (Kingma and Welling 2014, appendix B), summed over the
// latent values, and over the batch averaged or summed (D = N or 1):
//   v = log sigma^2 = k s,  k = 1 where s is the log variance, 2 where s is log sigma
//   L = 1/D sum (mu^2 + exp(v) - 1 - v) / 2
//   dmu = dL/D mu,  ds = dL/D (k/2) (exp(v) - 1)
// Layouts: mu, s, dmu, ds [rows, C], rows = N or more (a latent image); loss, dy [1]. pitch.x is mu's, pitch.y is s's,
// pitch.dx is dmu's, pitch.dy is ds's.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

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
  bool operator==(const KlNormalSpec&) const = default;
};

template <Scalar T>
void kl_normal_forward_reference(const KlNormalSpec& g, const T* mu, const T* s, T* loss) {
  T sum = 0;
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      const T m = mu[i * g.mu_pitch() + c], v = T(g.factor()) * s[i * g.s_pitch() + c];
      sum += T(0.5) * (m * m + std::exp(v) - T(1) - v);
    }
  *loss = sum / T(double(g.divisor));
}
template <Scalar T>
void kl_normal_backward_reference(const KlNormalSpec& g, const T* dy, const T* mu, const T* s, T* dmu, T* ds) {
  const T scale = *dy / T(double(g.divisor)), k = T(g.factor());
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      if (dmu) dmu[i * g.dmu_pitch() + c] = scale * mu[i * g.mu_pitch() + c];
      if (ds) ds[i * g.ds_pitch() + c] = scale * k * T(0.5) * (std::exp(k * s[i * g.s_pitch() + c]) - T(1));
    }
}

struct KlNormalImpl {
  const char* name;
  Device device;
  bool (*supports)(const KlNormalSpec&);
  size_t (*workspace)(const KlNormalSpec&);  // of forward
  void (*forward)(const Exec&, const KlNormalSpec&, const float* mu, const float* s, float* loss);
  // dmu or ds may be null: nobody wants it.
  void (*backward)(const Exec&, const KlNormalSpec&, const float* dy, const float* mu, const float* s, float* dmu,
                   float* ds);
};
KlNormalImpl kl_normal_cuda_impl();  // kl_normal.cu
const Registry<KlNormalImpl>& kl_normal_registry();

}  // namespace kern::kernels
