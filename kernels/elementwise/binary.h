// Element-wise ops of two inputs: y[i,c] = f(a[i,c], b[i,c]), or f(a[i,c], b[c]) where b is one vector for all rows.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

// a, b, y and their gradients [rows, C]; a vector b is [C]. pitch.x is a's (and that of da, in pitch.dx).
struct BinarySpec {
  int64_t rows = 0, c = 1;
  bool vector = false;  // b is [C]
  int64_t b_pitch = 0;  // of b [rows, C]; 0 = dense
  Pitches pitch;
  constexpr int64_t a_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t b_step() const { return vector ? 0 : pitch_or(b_pitch, c); }  // from a row's b to the next row's
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t da_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  bool operator==(const BinarySpec&) const = default;
};

}  // namespace kern::kernels
