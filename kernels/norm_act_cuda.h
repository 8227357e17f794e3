// The norms on the card: what norm_act's CUDA row is made of, for group_norm too. `width` neighbouring channels have
// their mean and deviation in common: 1 but for group_norm, which is a norm_act per sample. mean and inverse_deviation
// are [groups, C / width].
#pragma once
#include "kernels/norm_act.h"

namespace kern::kernels {

size_t norm_cuda_workspace(const NormActSpec&, int64_t width);
void norm_cuda_forward(const Exec&, const NormActSpec&, int64_t width, const float* x, const NormActInputs<float>&,
                       const float* residual, float* y, float* mean, float* inverse_deviation);
void norm_cuda_apply(const Exec&, const NormActSpec&, int64_t width, const float* x, const NormActInputs<float>&,
                     const float* mean, const float* inverse_deviation, const float* residual, float* y);
void norm_cuda_backward(const Exec&, const NormActSpec&, int64_t width, const float* dy, const float* x,
                        const NormActInputs<float>&, const float* mean, const float* inverse_deviation, float* dx,
                        float* dweight, float* dbias, float* dslope);

}  // namespace kern::kernels
