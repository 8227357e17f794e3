// lerp: p = decay p + (1 - decay) x over flat arrays: one step of an exponential moving average.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct LerpSpec {
  int64_t n = 0;
  double decay = 0;
  bool operator==(const LerpSpec&) const = default;
};

// x, p [n]
template <std::floating_point T>
void lerp_reference(const LerpSpec& g, const T* x, T* p) {
  for (int64_t i = 0; i < g.n; ++i) p[i] = T(g.decay) * p[i] + T(1 - g.decay) * x[i];
}

struct LerpRow {
  const char* name;
  Device device;
  bool (*supports)(const LerpSpec&);
  void (*step)(const Exec&, const LerpSpec&, const float* x, float* p);
};
const Table<LerpRow>& lerp_table();
LerpRow lerp_cuda_row();  // lerp.cu

}  // namespace kern::kernels
