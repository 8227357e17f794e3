// Images and volumes of any size for networks that halve them: mirrored at the back, bottom and right, cropped back at
// the end.
// Mirrored, not filled with zeros: an edge that is not in the data is seen as one (a fault along a section's last
// trace).
#pragma once
#include "engine/ops/pad.h"

namespace kern::models {

// What makes a size a multiple.
inline int missing_to(int64_t multiple, int64_t size) {
  return int((size + multiple - 1) / multiple * multiple - size);
}
// What makes both sizes of x [N,H,W,C] multiples.
inline Padding to_multiple(const Tensor& x, int64_t multiple) {
  return {0, missing_to(multiple, x.dim(1)), 0, missing_to(multiple, x.dim(2))};
}
inline bool is_any(const Padding& p) { return p.top || p.bottom || p.left || p.right; }
// x with that padding, and without it; x itself where there is none.
inline Tensor padded(const Tensor& x, const Padding& by) { return is_any(by) ? mirror_pad(x, by) : x; }
inline Tensor cropped(const Tensor& x, const Padding& by) { return is_any(by) ? crop(x, by) : x; }

// The same of a volume x [N,D,H,W,C].
inline Padding3d to_multiple3d(const Tensor& x, int64_t multiple) {
  return {0, missing_to(multiple, x.dim(1)), {0, missing_to(multiple, x.dim(2)), 0, missing_to(multiple, x.dim(3))}};
}
inline bool is_any(const Padding3d& p) { return p.front || p.back || is_any(p.plane()); }
inline Tensor padded(const Tensor& x, const Padding3d& by) { return is_any(by) ? mirror_pad3d(x, by) : x; }
inline Tensor cropped(const Tensor& x, const Padding3d& by) { return is_any(by) ? crop3d(x, by) : x; }

}  // namespace kern::models
