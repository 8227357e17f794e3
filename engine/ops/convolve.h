// What convolutions of one, two and three dimensions share.
#pragma once
#include "engine/ops/op.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv_transpose2d.h"

namespace kern {
struct Fold;  // engine/prepared_filters.h
}
namespace kern::detail {

// Any convolution whose spec stands: x and y of any shape that the spec describes, b and fold may be empty.
Tensor convolve(const char* op, kernels::Conv2dSpec g, const Shape& y_shape, const Tensor& x, const Tensor& w,
                const Tensor& b, bool bias_cancels, const Fold* fold, const Tensor& out, SourceLocation at);

// Errors: channels, groups or bias that do not fit; a filter larger than the padded input.
void check_convolution(const char* op, const kernels::Conv2dSpec& g, const Tensor& x, const Tensor& w, const Tensor& b,
                       SourceLocation at);

// Any transposed convolution whose spec stands: x and y of any shape that the spec describes, b and fold may be empty.
Tensor convolve_transposed(const char* op, kernels::ConvTranspose2dSpec g, const Shape& y_shape, const Tensor& x,
                           const Tensor& w, const Tensor& b, bool bias_cancels, const Fold* fold, const Tensor& out,
                           SourceLocation at);

// Errors: channels, groups or bias that do not fit; an output without positions.
void check_transposed(const char* op, const kernels::ConvTranspose2dSpec& g, const Tensor& x, const Tensor& w,
                      const Tensor& b, SourceLocation at);

}  // namespace kern::detail
