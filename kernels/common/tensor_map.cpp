#ifdef KERN_CUDA
#include "kernels/common/tensor_map.h"

#include <array>

namespace kern::kernels {
namespace {

constexpr size_t kMostAxes = 5;
constexpr unsigned kFirstVersion = 12000;  // of CUDA, that has the function
using Encode = CUresult (*)(CUtensorMap*, CUtensorMapDataType, cuuint32_t, void*, const cuuint64_t*, const cuuint64_t*,
                            const cuuint32_t*, const cuuint32_t*, CUtensorMapInterleave, CUtensorMapSwizzle,
                            CUtensorMapL2promotion, CUtensorMapFloatOOBfill);

// The driver's function. It is asked for at run time: a program linked with the driver would not start without one.
Encode encode_of_driver() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult result{};
  cuda_check(
      cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, kFirstVersion, cudaEnableDefault, &result),
      "asking the driver for cuTensorMapEncodeTiled");
  check(result == cudaDriverEntryPointSuccess && function,
        "the CUDA driver has no cuTensorMapEncodeTiled: it is older than CUDA 12. Install a newer driver");
  return reinterpret_cast<Encode>(function);
}

}  // namespace

CUtensorMap tensor_map(CUtensorMapDataType type, size_t value_bytes, const void* data,
                       const std::vector<TensorMapAxis>& axes, CUtensorMapSwizzle swizzle) {
  static const Encode encode = encode_of_driver();
  internal_check(!axes.empty() && axes.size() <= kMostAxes, "a tensor map has 1 to 5 axes");
  std::array<cuuint64_t, kMostAxes> sizes{}, strides{};
  std::array<cuuint32_t, kMostAxes> box{}, steps{};
  for (size_t i = 0; i < axes.size(); ++i) {
    sizes[i] = cuuint64_t(axes[i].size);
    box[i] = cuuint32_t(axes[i].box);
    steps[i] = 1;
    if (i > 0) strides[i - 1] = cuuint64_t(axes[i].stride) * value_bytes;
  }
  CUtensorMap map;
  const CUresult result = encode(&map, type, cuuint32_t(axes.size()), const_cast<void*>(data), sizes.data(),
                                 strides.data(), box.data(), steps.data(), CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
                                 CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  std::string why;
#ifdef KERN_CUDA_EMULATED
  if (result != CUDA_SUCCESS) why = ": " + emulator::tensor_map_refusal();
#endif
  internal_check(result == CUDA_SUCCESS, "the CUDA driver makes no tensor map of this (error ", int(result), ")", why);
  return map;
}

bool device_is_hopper() {
  const auto asked = [] {
    int device = 0;
    cudaDeviceProp properties{};
    const bool known =
        cudaGetDevice(&device) == cudaSuccess && cudaGetDeviceProperties(&properties, device) == cudaSuccess;
    if (!known) cudaGetLastError();  // no GPU is no error
    return known && properties.major == 9 && properties.minor == 0;
  };
#ifdef KERN_CUDA_EMULATED
  return asked();  // tests make another device of it
#else
  static const bool hopper = asked();  // the call takes milliseconds
  return hopper;
#endif
}

}  // namespace kern::kernels
#endif
