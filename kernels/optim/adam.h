// adam: one step of Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) over flat arrays, as torch.optim
// has them.
//   g' = grad_scale g            (+ weight_decay p, unless decoupled)
//   p  = p - lr weight_decay p   (decoupled only)
//   m  = beta1 m + (1 - beta1) g',   v = beta2 v + (1 - beta2) g'^2
//   p  = p - lr / (1 - beta1^step) m / (sqrt(v / (1 - beta2^step)) + epsilon)
// step counts from 1 and is this step's number. step, lr and grad_scale (null: 1) are read where the kernel runs, so
// that a captured step needs no new arguments.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct AdamSpec {
  int64_t n = 0;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  bool decoupled = false;  // AdamW
  bool operator==(const AdamSpec&) const = default;
};

// p, g, m, v [n]; m and v are zero before the first step.
template <std::floating_point T>
void adam_reference(const AdamSpec& a, const int64_t* step, const float* lr, const float* grad_scale, T* p, const T* g,
                    T* m, T* v) {
  const double c1 = 1 - std::pow(a.beta1, double(*step)), c2 = 1 - std::pow(a.beta2, double(*step));
  for (int64_t i = 0; i < a.n; ++i) {
    T gradient = grad_scale ? g[i] * T(*grad_scale) : g[i];
    if (a.decoupled) p[i] -= T(double(*lr) * a.weight_decay) * p[i];
    else gradient += T(a.weight_decay) * p[i];
    m[i] = T(a.beta1) * m[i] + T(1 - a.beta1) * gradient;
    v[i] = T(a.beta2) * v[i] + T(1 - a.beta2) * gradient * gradient;
    p[i] -= T(double(*lr) / c1) * m[i] / (std::sqrt(v[i]) / T(std::sqrt(c2)) + T(a.epsilon));
  }
}

struct AdamImpl {
  const char* name;
  Device device;
  bool (*supports)(const AdamSpec&);
  void (*step)(const Exec&, const AdamSpec&, const int64_t* step, const float* lr, const float* grad_scale, float* p,
               const float* g, float* m, float* v);
};
const Registry<AdamImpl>& adam_registry();
AdamImpl adam_cuda_impl();  // adam.cu

}  // namespace kern::kernels
