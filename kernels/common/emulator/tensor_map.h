// The part of the CUDA driver that makes tensor maps, for the emulator: the same names, values and demands (cuda.h).
// There is no library to link: cudaGetDriverEntryPointByVersion gives the function, as on a GPU.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/common/emulator/runtime.h"

enum cudaDriverEntryPointQueryResult {
  cudaDriverEntryPointSuccess,
  cudaDriverEntryPointSymbolNotFound,
  cudaDriverEntryPointVersionNotSufficent
};
inline constexpr unsigned long long cudaEnableDefault = 0;
cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned version,
                                             unsigned long long flags, cudaDriverEntryPointQueryResult* result);

enum CUresult { CUDA_SUCCESS = 0, CUDA_ERROR_INVALID_VALUE = 1 };
enum CUtensorMapDataType {
  CU_TENSOR_MAP_DATA_TYPE_UINT8 = 0,
  CU_TENSOR_MAP_DATA_TYPE_UINT16 = 1,
  CU_TENSOR_MAP_DATA_TYPE_UINT32 = 2,
  CU_TENSOR_MAP_DATA_TYPE_FLOAT32 = 7,
  CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 = 9
};
enum CUtensorMapInterleave { CU_TENSOR_MAP_INTERLEAVE_NONE = 0 };
enum CUtensorMapSwizzle {
  CU_TENSOR_MAP_SWIZZLE_NONE = 0,
  CU_TENSOR_MAP_SWIZZLE_32B = 1,
  CU_TENSOR_MAP_SWIZZLE_64B = 2,
  CU_TENSOR_MAP_SWIZZLE_128B = 3
};
enum CUtensorMapL2promotion { CU_TENSOR_MAP_L2_PROMOTION_NONE = 0, CU_TENSOR_MAP_L2_PROMOTION_L2_256B = 3 };
enum CUtensorMapFloatOOBfill { CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE = 0 };

// Opaque; lies on a multiple of 64 bytes.
struct CUtensorMap {
  alignas(64) uint64_t opaque[16];
};
using cuuint32_t = uint32_t;
using cuuint64_t = uint64_t;

namespace kern::emulator {

// What lies in one.
struct TensorMap {
  uint64_t mark;
  uint64_t address;
  uint32_t rank, element_bytes, swizzle;
  uint8_t element_strides[5];
  uint16_t box[5];
  uint32_t dims[5];  // less one: up to 2^32
  uint64_t strides[4];
};
static_assert(sizeof(TensorMap) <= sizeof(CUtensorMap));
inline constexpr uint64_t kTensorMapMark = 0x54656e736f724d61;

CUresult encode_tiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address,
                      const cuuint64_t* dims, const cuuint64_t* strides, const cuuint32_t* box,
                      const cuuint32_t* element_strides, CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
                      CUtensorMapL2promotion promotion, CUtensorMapFloatOOBfill fill);
const std::string& tensor_map_refusal();  // why the last one that was refused was
// Where a byte lies that is written with this swizzle: 16 bytes' places are exchanged within 128 (64, 32) by the number
// of the line of 128 bytes they lie in. Counted from the beginning of shared memory, as the hardware counts.
constexpr size_t swizzled(uint32_t swizzle, size_t at) { return at ^ ((at >> 7 & ((size_t{1} << swizzle) - 1)) << 4); }

}  // namespace kern::emulator
