// sum_squares: total = total + sum_i x[i]^2, in double and in a fixed order: the norm of all gradients, array by array.
// And what clipping makes of it: scale = limit / norm where norm = sqrt(total) is above the limit (> 0), else 1.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

// x [n]; total [1], read and written where the kernel runs.
struct SumSquaresSpec {
  int64_t n = 0;
  bool operator==(const SumSquaresSpec&) const = default;
};

// A norm that is not a number clips nothing.
template <std::floating_point T>
constexpr float clip_scale(T limit, T norm) {
  return limit > 0 && norm > limit ? float(limit / norm) : 1.0f;
}

template <std::floating_point T>
void sum_squares_reference(const SumSquaresSpec& g, const T* x, double* total) {
  double sum = 0;
  for (int64_t i = 0; i < g.n; ++i) sum += double(x[i]) * double(x[i]);
  *total += sum;
}

struct SumSquaresImpl {
  const char* name;
  Device device;
  bool (*supports)(const SumSquaresSpec&);
  size_t (*workspace)(const SumSquaresSpec&);
  void (*add)(const Exec&, const SumSquaresSpec&, const float* x, double* total);
  void (*clip)(const Exec&, double limit, const double* total, float* scale);  // total, scale: as above
};
const Registry<SumSquaresImpl>& sum_squares_registry();
SumSquaresImpl sum_squares_cuda_impl();  // sum_squares.cu

}  // namespace kern::kernels
