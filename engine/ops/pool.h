// What the pooling ops share: a window that moves over an image or a signal.
#pragma once
#include "engine/ops/conv1d.h"
#include "kernels/pool/pool.h"

namespace kern::detail {

// Errors: window, stride or padding that make no sense for the input x.
void check_pool(const char* op, const kernels::PoolSpec& g, const Tensor& x, SourceLocation at);

// x [N,H,W,C]. Errors: another rank; window, stride or padding that make no sense for it.
kernels::PoolSpec pool2d_spec(const char* op, const Tensor& x, Pair window, Pair stride, Padding padding,
                              SourceLocation at);

// x [N,L,C], as an image of height 1.
kernels::PoolSpec pool1d_spec(const char* op, const Tensor& x, int window, int stride, Sides padding,
                              SourceLocation at);

// [N,P,Q,C], or [N,Q,C] where the input was a signal.
Shape pooled_shape(const kernels::PoolSpec& g, const Tensor& x);

}  // namespace kern::detail
