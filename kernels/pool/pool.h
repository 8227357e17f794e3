// What the poolings share: windows of R x S positions that move over images by a stride.
//   window (p, q) holds the positions h = p stride_h - pad_top + r, w = q stride_w - pad_left + s inside the border
// Layouts: x, dx [N,H,W,C]; y, dy [N,P,Q,C]. A signal [N,L,C] is an image of H = R = 1.
#pragma once
#include <algorithm>

#include "kernels/common/layout.h"

namespace kern::kernels {

// Padding is less than the window on every side, so no window lies outside the border.
struct PoolSpec {
  int n = 1, c = 1, h = 1, w = 1, r = 1, s = 1, stride_h = 1, stride_w = 1;
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  Pitches pitch;
  constexpr int p() const { return (h + pad_top + pad_bottom - r) / stride_h + 1; }
  constexpr int q() const { return (w + pad_left + pad_right - s) / stride_w + 1; }
  constexpr int64_t x_rows() const { return int64_t{n} * h * w; }
  constexpr int64_t y_rows() const { return int64_t{n} * p() * q(); }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  struct Range {
    int begin, end;
  };
  // The part of window p (q) inside the border.
  constexpr Range rows_of(int pi) const {
    return {std::max(0, pi * stride_h - pad_top), std::min(h, pi * stride_h - pad_top + r)};
  }
  constexpr Range columns_of(int qi) const {
    return {std::max(0, qi * stride_w - pad_left), std::min(w, qi * stride_w - pad_left + s)};
  }
  // The windows p that hold input row hi (the windows q that hold column wi).
  constexpr Range windows_at(int hi) const { return windows(hi + pad_top, r, stride_h, p()); }
  constexpr Range windows_at_column(int wi) const { return windows(wi + pad_left, s, stride_w, q()); }
  static constexpr Range windows(int position, int window, int stride, int count) {
    const int reach = position - window;
    return {reach < 0 ? 0 : reach / stride + 1, std::min(count, position / stride + 1)};
  }
  bool operator==(const PoolSpec&) const = default;
};

}  // namespace kern::kernels
