// dropout: y[i,c] = x[i,c] / (1 - p) where u >= p, else 0; u uniform in [0,1), drawn for every mask (i / span, c).
// span 1 gives every element a mask of its own; span = rows of one sample drops whole channels of a sample.
// Backward is the same function of dy: the masks are drawn again, nothing is kept.
// Mask number e = (i / span) C + c takes word e mod 4 of Philox(key, counter = (e / 4, call, step low, step high)).
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/philox.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

// x, y [rows, C]; for backward dy is x's argument and dx is y's, with pitch.x and pitch.y as theirs.
struct DropoutSpec {
  int64_t rows = 0, c = 1;
  int64_t span = 1;
  float p = 0.5f;  // 0 .. 1; 1 drops everything
  PhiloxKey key;
  uint32_t call = 0;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t masks() const { return ceil_div(rows, span) * c; }
  constexpr float scale() const { return p < 1 ? 1 / (1 - p) : 0.0f; }
  // The four masks from number 4 block on.
  constexpr Random4 words(uint64_t step, int64_t block) const {
    return philox(key, uint32_t(block), call, uint32_t(step), uint32_t(step >> 32));
  }
  constexpr bool keeps(uint32_t word) const { return to_uniform(word) >= p; }
  bool operator==(const DropoutSpec&) const = default;
};
inline constexpr int64_t kMaxDropoutMasks = int64_t{1} << 34;  // blocks are counted in 32 bits

template <Scalar T>
void dropout_reference(const DropoutSpec& g, const uint64_t* step, const T* x, T* y) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      const int64_t mask = i / g.span * g.c + c;
      const bool keep = g.keeps(g.words(*step, mask / 4).v[mask % 4]);
      y[i * g.y_pitch() + c] = keep ? x[i * g.x_pitch() + c] * T(g.scale()) : T(0);
    }
}

struct DropoutImpl {
  const char* name;
  Device device;
  bool (*supports)(const DropoutSpec&);
  // step [1] is read where the kernel runs, so that a captured step draws new masks every time.
  void (*forward)(const Exec&, const DropoutSpec&, const uint64_t* step, const float* x, float* y);
};
const Registry<DropoutImpl>& dropout_registry();
DropoutImpl dropout_cuda_impl();  // dropout.cu

}  // namespace kern::kernels
