// Whether this build has code for a device: machine code of its compute capability, or PTX of an older one.
#pragma once

namespace kern::kernels {

// A kernel of this build that does nothing, to ask the runtime about (cudaFuncGetAttributes): every .cu file is
// compiled for the same devices.
const void* any_kernel();

}  // namespace kern::kernels
