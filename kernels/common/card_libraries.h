// NVIDIA's libraries that some rows call: cuDNN and cuBLASLt, opened at run time. See docs/cuda_libraries.md.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kern::kernels {

struct CardLibrary {
  std::string_view name;
  std::string found;  // "9.19.0 (libcudnn.so.9)", or "none: " and why
};
std::vector<CardLibrary> card_libraries();  // empty in a build without CUDA

}  // namespace kern::kernels
