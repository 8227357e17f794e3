#pragma once
#include "engine/ops/conv1d.h"
#include "engine/ops/conv3d.h"
#include "kernels/pool/upsample.h"

namespace kern {

using kernels::Upsampling;

struct UpsampleOptions {
  Upsampling how = Upsampling::nearest;
  bool align_corners = false;  // linear only: the corner values keep their places
};

// x [N,H,W,C] -> [N,P,Q,C] of the given height and width. Conventions of torch.nn.functional.interpolate
// (kernels/pool/upsample.h).
Tensor upsample(const Tensor& x, Pair size, const UpsampleOptions& o = {}, const Tensor& out = {},
                SourceLocation at = SourceLocation::current());

// x [N,L,C] -> [N,length,C].
Tensor upsample1d(const Tensor& x, int length, const UpsampleOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

// x [N,D,H,W,C] -> [N,O,P,Q,C] of the given depth, height and width; linear is trilinear.
Tensor upsample3d(const Tensor& x, Triple size, const UpsampleOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

// x [N,D,H,W,C], [N,H,W,C] or [N,L,C], every size but N and C times the factor, rounded down.
Tensor upsample_by(const Tensor& x, double factor, const UpsampleOptions& o = {}, const Tensor& out = {},
                   SourceLocation at = SourceLocation::current());

}  // namespace kern
