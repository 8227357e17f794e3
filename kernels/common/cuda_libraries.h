// NVIDIA's libraries that some implementations call: cuDNN and cuBLASLt, opened at run time. See docs/cuda_libraries.md.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kern::kernels {

struct CudaLibrary {
  std::string_view name;
  std::string found;  // "9.19.0 (libcudnn.so.9)", or "none: " and why
};
std::vector<CudaLibrary> cuda_libraries();  // empty in a build without CUDA

}  // namespace kern::kernels
