// What the pooling ops share: a window that moves over a volume, an image or a signal.
#pragma once
#include <string>

#include "engine/ops/conv1d.h"
#include "engine/ops/conv3d.h"
#include "kernels/pool/pool.h"

namespace kern::detail {

// x [N,H,W,C]. Errors: another rank; window, stride or padding that make no sense for it.
kernels::PoolSpec pool2d_spec(const char* op, const Tensor& x, Pair window, Pair stride, Padding padding,
                              SourceLocation at);

// x [N,L,C], as an image of height 1.
kernels::PoolSpec pool1d_spec(const char* op, const Tensor& x, int window, int stride, Sides padding,
                              SourceLocation at);

// [N,P,Q,C], or [N,Q,C] where the input was a signal.
Shape pooled_shape(const kernels::PoolSpec& g, const Tensor& x);

// Pooling of a volume x [N,D,H,W,C]: its planes are images [N D,H,W,C], and what comes of them images [N,D,P Q,C] that are
// pooled once more with a window of one column. What reads the same window, sum or maximum, may be taken in two turns;
// of equal maxima the first in reading order stays the first.
struct VolumePool {
  kernels::PoolSpec planes, depth;
  Shape planes_shape, shape;  // [N,D,P,Q,C], [N,O,P,Q,C]
  bool pools_planes() const { return planes.r * planes.s * planes.stride_h * planes.stride_w > 1; }
  bool pools_depth() const { return depth.r * depth.stride_h > 1; }
};
VolumePool pool3d_spec(const char* op, const Tensor& x, Triple window, Triple stride, const Padding3d& padding,
                       SourceLocation at);

// pool(name, spec, y's shape, x, out), in the planes and then along depth; what does nothing is left out.
template <class Pool>
Tensor pooled_in_turn(const VolumePool& v, const char* planes_name, const char* depth_name, const Tensor& x,
                      const Tensor& out, Pool&& pool) {
  if (!v.pools_depth()) return pool(planes_name, v.planes, v.planes_shape, x, out);
  const Tensor in_planes = v.pools_planes() ? pool(planes_name, v.planes, v.planes_shape, x, Tensor()) : x;
  return pool(depth_name, v.depth, v.shape, in_planes, out);
}

}  // namespace kern::detail
