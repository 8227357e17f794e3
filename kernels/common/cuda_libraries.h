// NVIDIA's libraries, opened at run time: cuDNN and cuBLASLt, which some implementations call, and NCCL, which adds up over
// several GPUs. See docs/cuda_libraries.md.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kern::kernels {

struct CudaLibrary {
  std::string_view name;
  std::string found;    // "9.19.0 (libcudnn.so.9)", or "none: " and why
  bool has_ops = true;  // implementations call it
};
std::vector<CudaLibrary> cuda_libraries();  // empty in a build without CUDA

}  // namespace kern::kernels
