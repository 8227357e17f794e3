// max_pool: y[n,p,q,c] = max over r, s of x[n, p*stride_h - pad_top + r, q*stride_w - pad_left + s, c]; positions
// outside the border take no part. A NaN in a window is its maximum. Backward: dx[n,h,w,c] = sum of dy[n,p,q,c] over
// the windows whose maximum is (h, w); of equal maxima (or NaNs) the first in reading order. It is found again from x:
// forward keeps nothing else. Layouts: x, dx [N,H,W,C]; y, dy [N,P,Q,C]. A signal [N,L,C] is an image of H = R = 1.
#pragma once
#include "kernels/common/bf16.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"
#include "kernels/common/simd.h"
#include "kernels/pool/pool.h"

namespace kern::kernels {

using MaxPoolSpec = PoolSpec;

// Whether v takes the place of the maximum so far.
template <class T>
constexpr bool beats(const T& v, const T& best) {
  return !(real_part(v) <= real_part(best)) && real_part(best) == real_part(best);
}

// f(y row, c, x row of the maximum) for every output.
template <Scalar T, class F>
void max_pool_for_each(const MaxPoolSpec& g, const T* x, F&& f) {
  for (int n = 0; n < g.n; ++n)
    for (int p = 0; p < g.p(); ++p)
      for (int q = 0; q < g.q(); ++q)
        for (int c = 0; c < g.c; ++c) {
          const auto rows = g.rows_of(p), columns = g.columns_of(q);
          int64_t best = (int64_t{n} * g.h + rows.begin) * g.w + columns.begin;
          for (int h = rows.begin; h < rows.end; ++h)
            for (int w = columns.begin; w < columns.end; ++w) {
              const int64_t here = (int64_t{n} * g.h + h) * g.w + w;
              if (beats(x[here * g.x_pitch() + c], x[best * g.x_pitch() + c])) best = here;
            }
          f((int64_t{n} * g.p() + p) * g.q() + q, c, best);
        }
}
template <Scalar T>
void max_pool_forward_reference(const MaxPoolSpec& g, const T* x, T* y) {
  max_pool_for_each(g, x, [&](int64_t yi, int c, int64_t xi) { y[yi * g.y_pitch() + c] = x[xi * g.x_pitch() + c]; });
}
template <Scalar T>
void max_pool_backward_reference(const MaxPoolSpec& g, const T* dy, const T* x, T* dx) {
  for (int64_t i = 0; i < g.x_rows(); ++i)
    for (int c = 0; c < g.c; ++c) dx[i * g.dx_pitch() + c] = T(0);
  max_pool_for_each(g, x,
                    [&](int64_t yi, int c, int64_t xi) { dx[xi * g.dx_pitch() + c] += dy[yi * g.dy_pitch() + c]; });
}

// T: what values are in memory, float or Bf16.
template <class T>
struct MaxPoolImplOf {
  const char* name;
  Device device;
  bool (*supports)(const MaxPoolSpec&);
  void (*forward)(const Exec&, const MaxPoolSpec&, const T* x, T* y);
  void (*backward)(const Exec&, const MaxPoolSpec&, const T* dy, const T* x, T* dx);
};
using MaxPoolImpl = MaxPoolImplOf<float>;
template <class T>
MaxPoolImplOf<T> max_pool_cuda_impl();  // max_pool.cu
template <class T = float>
const Registry<MaxPoolImplOf<T>>& max_pool_registry();
template <Isa isa>
MaxPoolImpl max_pool_simd_impl();  // max_pool_simd.cpp

}  // namespace kern::kernels
