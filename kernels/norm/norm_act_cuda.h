// The norms on the GPU: what norm_act's CUDA implementation is made of, for group_norm too. `width` neighbouring channels have
// their mean and deviation in common: 1 but for group_norm, which is a norm_act per sample. mean and inverse_deviation
// are [groups, C / width].
#pragma once
#include <type_traits>

#include "kernels/norm/norm_act.h"

namespace kern::kernels {

size_t norm_cuda_workspace(const NormActSpec&, int64_t width);
// T is float or Bf16.
template <class T>
void norm_cuda_forward(const Exec&, const NormActSpec&, int64_t width, const T* x, const NormActInputs<float>&,
                       const std::type_identity_t<T>* residual, T* y, float* mean, float* inverse_deviation);
template <class T>
void norm_cuda_apply(const Exec&, const NormActSpec&, int64_t width, const T* x, const NormActInputs<float>&,
                     const float* mean, const float* inverse_deviation, const std::type_identity_t<T>* residual, T* y);
template <class T>
void norm_cuda_backward(const Exec&, const NormActSpec&, int64_t width, const T* dy, const T* x,
                        const NormActInputs<float>&, const float* mean, const float* inverse_deviation, T* dx,
                        float* dweight, float* dbias, float* dslope);

}  // namespace kern::kernels
