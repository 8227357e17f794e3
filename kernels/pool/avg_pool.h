// avg_pool: y[n,p,q,c] = sum of x[n,h,w,c] over the positions (h, w) of window (p, q) inside the border, divided by
// their number, or by R S where positions outside the border count as zeros (count_include_pad).
// Backward: dx[n,h,w,c] = sum over the windows that hold (h, w) of dy[n,p,q,c] divided by the same number.
// Windows and layouts: kernels/pool/pool.h.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"
#include "kernels/pool/pool.h"

namespace kern::kernels {

struct AvgPoolSpec {
  PoolSpec pool;
  bool count_include_pad = true;
  // What the sum of window (p, q) is divided by.
  constexpr int divisor(int p, int q) const {
    const auto rows = pool.rows_of(p), columns = pool.columns_of(q);
    return count_include_pad ? pool.r * pool.s : (rows.end - rows.begin) * (columns.end - columns.begin);
  }
  bool operator==(const AvgPoolSpec&) const = default;
};

// f(x row, y row, divisor) for every position of every window.
template <class F>
void avg_pool_for_each(const AvgPoolSpec& a, F&& f) {
  const PoolSpec& g = a.pool;
  for (int n = 0; n < g.n; ++n)
    for (int p = 0; p < g.p(); ++p)
      for (int q = 0; q < g.q(); ++q) {
        const auto rows = g.rows_of(p), columns = g.columns_of(q);
        for (int h = rows.begin; h < rows.end; ++h)
          for (int w = columns.begin; w < columns.end; ++w)
            f((int64_t{n} * g.h + h) * g.w + w, (int64_t{n} * g.p() + p) * g.q() + q, float(a.divisor(p, q)));
      }
}
template <Scalar T>
void avg_pool_forward_reference(const AvgPoolSpec& a, const T* x, T* y) {
  const PoolSpec& g = a.pool;
  for (int64_t i = 0; i < g.y_rows(); ++i)
    for (int c = 0; c < g.c; ++c) y[i * g.y_pitch() + c] = T(0);
  avg_pool_for_each(a, [&](int64_t xi, int64_t yi, float divisor) {
    for (int c = 0; c < g.c; ++c) y[yi * g.y_pitch() + c] += x[xi * g.x_pitch() + c] / T(divisor);
  });
}
template <Scalar T>
void avg_pool_backward_reference(const AvgPoolSpec& a, const T* dy, T* dx) {
  const PoolSpec& g = a.pool;
  for (int64_t i = 0; i < g.x_rows(); ++i)
    for (int c = 0; c < g.c; ++c) dx[i * g.dx_pitch() + c] = T(0);
  avg_pool_for_each(a, [&](int64_t xi, int64_t yi, float divisor) {
    for (int c = 0; c < g.c; ++c) dx[xi * g.dx_pitch() + c] += dy[yi * g.dy_pitch() + c] / T(divisor);
  });
}

struct AvgPoolImpl {
  const char* name;
  Device device;
  bool (*supports)(const AvgPoolSpec&);
  void (*forward)(const Exec&, const AvgPoolSpec&, const float* x, float* y);
  void (*backward)(const Exec&, const AvgPoolSpec&, const float* dy, float* dx);
};
AvgPoolImpl avg_pool_cuda_impl();  // avg_pool.cu
const Registry<AvgPoolImpl>& avg_pool_registry();

}  // namespace kern::kernels
