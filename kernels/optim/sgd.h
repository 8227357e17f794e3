// sgd: one step of gradient descent with momentum over flat arrays, as torch.optim.SGD has it (without dampening).
//   g' = grad_scale g + weight_decay p
//   m  = momentum m + g'
//   p  = p - lr m,  or with Nesterov's look-ahead  p - lr (g' + momentum m);  without momentum p - lr g'
// lr and grad_scale (null: 1) are read where the kernel runs.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct SgdSpec {
  int64_t n = 0;
  double momentum = 0, weight_decay = 0;
  bool nesterov = false;
  bool operator==(const SgdSpec&) const = default;
};

// p, g, m [n]; m is zero before the first step, and null where momentum is 0.
template <std::floating_point T>
void sgd_reference(const SgdSpec& a, const float* lr, const float* grad_scale, T* p, const T* g, T* m) {
  for (int64_t i = 0; i < a.n; ++i) {
    const T gradient = (grad_scale ? g[i] * T(*grad_scale) : g[i]) + T(a.weight_decay) * p[i];
    T direction = gradient;
    if (a.momentum != 0) {
      m[i] = T(a.momentum) * m[i] + gradient;
      direction = a.nesterov ? gradient + T(a.momentum) * m[i] : m[i];
    }
    p[i] -= T(*lr) * direction;
  }
}

struct SgdImpl {
  const char* name;
  Device device;
  bool (*supports)(const SgdSpec&);
  void (*step)(const Exec&, const SgdSpec&, const float* lr, const float* grad_scale, float* p, const float* g,
               float* m);
};
const Registry<SgdImpl>& sgd_registry();
SgdImpl sgd_cuda_impl();  // sgd.cu

}  // namespace kern::kernels
