// fill: y[i,c] = value.
// Layout: y [rows, C].
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"

namespace kern::kernels {

struct FillSpec {
  int64_t rows = 0, c = 1;
  Pitches pitch;
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  bool operator==(const FillSpec&) const = default;
};

template <class T>
void fill_forward_reference(const FillSpec& g, T value, T* y) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) y[i * g.y_pitch() + c] = value;
}

struct FillImpl {
  const char* name;
  Device device;
  bool (*supports)(const FillSpec&);
  void (*forward)(const Exec&, const FillSpec&, float value, float* y);
};
const Registry<FillImpl>& fill_registry();
FillImpl fill_cuda_impl();  // fill.cu

}  // namespace kern::kernels
