// pad: y[n,p,q,c] = x[n, p - top, q - left, c], 0 outside the border. Negative amounts crop; both may meet in one call.
// Backward is pad itself with every amount negated: inverse().
// Layouts: x [N,H,W,C]; y [N,P,Q,C]. A signal [N,L,C] is an image of H = 1.
#pragma once
#include <algorithm>

#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct PadSpec {
  int64_t n = 1, h = 1, w = 1, c = 1;
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  Pitches pitch;
  constexpr int64_t p() const { return h + top + bottom; }
  constexpr int64_t q() const { return w + left + right; }
  constexpr int64_t x_rows() const { return n * h * w; }
  constexpr int64_t y_rows() const { return n * p() * q(); }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  // From y's shape back to x's, dense.
  constexpr PadSpec inverse() const {
    return {.n = n, .h = p(), .w = q(), .c = c, .top = -top, .bottom = -bottom, .left = -left, .right = -right};
  }
  bool operator==(const PadSpec&) const = default;
};

template <Scalar T>
void pad_reference(const PadSpec& g, const T* x, T* y) {
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t p = 0; p < g.p(); ++p)
      for (int64_t q = 0; q < g.q(); ++q)
        for (int64_t c = 0; c < g.c; ++c) {
          const int64_t h = p - g.top, w = q - g.left;
          const bool inside = h >= 0 && h < g.h && w >= 0 && w < g.w;
          y[((n * g.p() + p) * g.q() + q) * g.y_pitch() + c] =
              inside ? x[((n * g.h + h) * g.w + w) * g.x_pitch() + c] : T(0);
        }
}

struct PadRow {
  const char* name;
  Device device;
  bool (*supports)(const PadSpec&);
  void (*forward)(const Exec&, const PadSpec&, const float* x, float* y);
};
PadRow pad_cuda_row();  // pad.cu
const Table<PadRow>& pad_table();

}  // namespace kern::kernels
