// Convolutions by what only sm_90a has: conv2d_cuda_wgmma.cu.
#pragma once
#include "kernels/conv/conv2d.h"

namespace kern::kernels {

Conv2dImplOf<Bf16> conv2d_cuda_wgmma_impl();

}  // namespace kern::kernels
