// avg_pool: y[n,p,q,c] = sum of x[n,h,w,c] over the positions (h, w) of window (p, q) inside the border, divided by
// their number, or by R S where positions outside the border count as zeros (count_include_pad).
// Backward: dx[n,h,w,c] = sum over the windows that hold (h, w) of dy[n,p,q,c] divided by the same number.
// Windows and layouts: kernels/pool/pool.h.
#pragma once
#include "kernels/common/op.h"
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
struct AvgPool {
  static constexpr const char* kName = "avg_pool";
  using Spec = AvgPoolSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 1;
    const T* x;
    T* y;
    void arrays(const Spec& g, auto&& f) {
      f("x", x, {g.pool.x_rows(), g.pool.c, g.pool.x_pitch()}),
          f("y", y, {g.pool.y_rows(), g.pool.c, g.pool.y_pitch()});
    }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 1;
    const T* dy;
    T* dx;
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {g.pool.y_rows(), g.pool.c, g.pool.dy_pitch()}),
          f("dx", dx, {g.pool.x_rows(), g.pool.c, g.pool.dx_pitch()});
    }
  };
  template <Scalar T>
  static void reference(const Spec& spec, const Forward<T>& a) {
    const PoolSpec& g = spec.pool;
    for (int64_t i = 0; i < g.y_rows(); ++i)
      for (int c = 0; c < g.c; ++c) a.y[i * g.y_pitch() + c] = T(0);
    avg_pool_for_each(spec, [&](int64_t xi, int64_t yi, float divisor) {
      for (int c = 0; c < g.c; ++c) a.y[yi * g.y_pitch() + c] += a.x[xi * g.x_pitch() + c] / T(divisor);
    });
  }
  template <Scalar T>
  static void reference(const Spec& spec, const Backward<T>& a) {
    const PoolSpec& g = spec.pool;
    for (int64_t i = 0; i < g.x_rows(); ++i)
      for (int c = 0; c < g.c; ++c) a.dx[i * g.dx_pitch() + c] = T(0);
    avg_pool_for_each(spec, [&](int64_t xi, int64_t yi, float divisor) {
      for (int c = 0; c < g.c; ++c) a.dx[xi * g.dx_pitch() + c] += a.dy[yi * g.dy_pitch() + c] / T(divisor);
    });
  }
  static std::string shape(const Spec& a) {
    const PoolSpec& g = a.pool;
    return text(g.n, "x", g.h, "x", g.w, "x", g.c, " by ", g.r, "x", g.s);
  }
  static const Registry<Implementation<AvgPool>>& registry();
  static Implementation<AvgPool> cuda();  // avg_pool.cu
};

}  // namespace kern::kernels
