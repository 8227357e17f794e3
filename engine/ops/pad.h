#pragma once
#include "engine/ops/conv1d.h"
#include "engine/ops/conv3d.h"
#include "kernels/shape/pad.h"

namespace kern {

namespace detail {
// Any op that the pad kernel serves: x and y of any shape that the spec describes.
Tensor padded(const char* op, kernels::PadSpec g, const Shape& y_shape, const Tensor& x, const Tensor& out,
              SourceLocation at);

}  // namespace detail

// x [N,H,W,C] with rows and columns of zeros on every side; negative amounts crop.
Tensor pad(const Tensor& x, const Padding& by, const Tensor& out = {}, SourceLocation at = SourceLocation::current());
// x [N,L,C] with zeros before and after; negative amounts crop.
Tensor pad1d(const Tensor& x, const Sides& by, const Tensor& out = {}, SourceLocation at = SourceLocation::current());
// x [N,H,W,C] with rows and columns on every side that are x reflected at its border (NumPy's "symmetric": the border's
// values stand twice), of any number; Error where x has no values.
Tensor mirror_pad(const Tensor& x, const Padding& by, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());
// The same of x [N,L,C].
Tensor mirror_pad1d(const Tensor& x, const Sides& by, const Tensor& out = {},
                    SourceLocation at = SourceLocation::current());
// x [N,H,W,C] without that many rows and columns of every side.
Tensor crop(const Tensor& x, const Padding& by, const Tensor& out = {}, SourceLocation at = SourceLocation::current());
// x [N,L,C] without that many values before and after.
Tensor crop1d(const Tensor& x, const Sides& by, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// The same of volumes x [N,D,H,W,C]: zeros, x reflected at its border, and less of every side.
Tensor pad3d(const Tensor& x, const Padding3d& by, const Tensor& out = {},
             SourceLocation at = SourceLocation::current());
Tensor mirror_pad3d(const Tensor& x, const Padding3d& by, const Tensor& out = {},
                    SourceLocation at = SourceLocation::current());
Tensor crop3d(const Tensor& x, const Padding3d& by, const Tensor& out = {},
              SourceLocation at = SourceLocation::current());

}  // namespace kern
