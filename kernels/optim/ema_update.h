// ema_update: p = decay p + (1 - decay) x over flat arrays: one step of an exponential moving average.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct EmaUpdateSpec {
  int64_t n = 0;
  double decay = 0;
  bool operator==(const EmaUpdateSpec&) const = default;
};

// x, p [n]
template <std::floating_point T>
void ema_update_reference(const EmaUpdateSpec& g, const T* x, T* p) {
  for (int64_t i = 0; i < g.n; ++i) p[i] = T(g.decay) * p[i] + T(1 - g.decay) * x[i];
}

struct EmaUpdateImpl {
  const char* name;
  Device device;
  bool (*supports)(const EmaUpdateSpec&);
  void (*step)(const Exec&, const EmaUpdateSpec&, const float* x, float* p);
};
const Registry<EmaUpdateImpl>& ema_update_registry();
EmaUpdateImpl ema_update_cuda_impl();  // ema_update.cu

}  // namespace kern::kernels
