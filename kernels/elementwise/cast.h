// cast: y[i,c] = x[i,c], kept as another type. bf16 -> float is exact; float -> bf16 rounds to the nearest, ties to
// even. Backward: dy, cast back. Layouts: x, y [rows, C].
#pragma once
#include "kernels/common/bf16.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"

namespace kern::kernels {

struct CastSpec {
  int64_t rows = 0, c = 1;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  bool operator==(const CastSpec&) const = default;
};

template <class X, class Y>
void cast_reference(const CastSpec& g, const X* x, Y* y) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) y[i * g.y_pitch() + c] = x[i * g.x_pitch() + c];
}

struct CastImpl {
  const char* name;
  Device device;
  bool (*supports)(const CastSpec&);
  void (*narrow)(const Exec&, const CastSpec&, const float* x, Bf16* y);
  void (*widen)(const Exec&, const CastSpec&, const Bf16* x, float* y);
};
const Registry<CastImpl>& cast_registry();
CastImpl cast_cuda_impl();  // cast.cu

}  // namespace kern::kernels
