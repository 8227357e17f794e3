#include "kernels/common/cuda_libraries.h"

#ifdef KERN_CUDA
#include "kernels/common/nvidia/cublaslt.h"
#include "kernels/common/nvidia/cudnn.h"
#include "kernels/common/nvidia/nccl.h"
#endif

namespace kern::kernels {

std::vector<CudaLibrary> cuda_libraries() {
#ifdef KERN_CUDA
  return {{"cudnn", cudnn_in_words()},
          {"cublaslt", cublaslt_in_words()},
          {.name = "nccl", .found = nccl_in_words(), .has_ops = false}};
#else
  return {};
#endif
}

}  // namespace kern::kernels
