#include "kernels/common/emulator/tensor_map.h"

#include <cstring>

#include "kernels/common/error.h"

namespace kern::emulator {
namespace {

std::string& last_refusal() {
  static std::string& sentence = *new std::string;
  return sentence;
}
uint32_t bytes_of(CUtensorMapDataType type) {
  switch (type) {
    case CU_TENSOR_MAP_DATA_TYPE_UINT8:
      return 1;
    case CU_TENSOR_MAP_DATA_TYPE_UINT16:
    case CU_TENSOR_MAP_DATA_TYPE_BFLOAT16:
      return 2;
    case CU_TENSOR_MAP_DATA_TYPE_UINT32:
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT32:
      return 4;
  }
  return 0;
}

// What cuda.h demands of the arguments; empty when they are as they should be.
std::string wrong_with(const CUtensorMap* map, const TensorMap& m, const cuuint64_t* dims, const cuuint64_t* strides,
                       const cuuint32_t* box, const cuuint32_t* element_strides) {
  if (reinterpret_cast<uintptr_t>(map) % 64) return "the map itself must lie on a multiple of 64 bytes";
  if (m.element_bytes == 0) return "the emulator does not know this type of values";
  if (m.rank < 1 || m.rank > 5) return text("rank ", m.rank, "; 1 to 5 are possible");
  if (m.address % 16) return "the tensor must begin at a multiple of 16 bytes";
  for (uint32_t i = 0; i < m.rank; ++i) {
    if (dims[i] < 1 || dims[i] > uint64_t{1} << 32) return text("dimension ", i, " has ", dims[i], " values");
    if (box[i] < 1 || box[i] > 256) return text("the box has ", box[i], " values along dimension ", i, "; 1 to 256");
    if (element_strides[i] < 1 || element_strides[i] > 8)
      return text("an element stride of ", element_strides[i], " along dimension ", i, "; 1 to 8");
  }
  for (uint32_t i = 0; i + 1 < m.rank; ++i)
    if (strides[i] % 16 || strides[i] >= uint64_t{1} << 40)
      return text("a stride of ", strides[i], " bytes for dimension ", i + 1,
                  "; it must be a multiple of 16 and below 2^40");
  const uint32_t row = box[0] * m.element_bytes;
  if (row % 16) return text("the box has rows of ", row, " bytes; they must be a multiple of 16");
  if (m.swizzle > 3) return "the emulator does not know this swizzle";
  if (m.swizzle && row > 16u << m.swizzle)
    return text("the box has rows of ", row, " bytes; with this swizzle ", 16u << m.swizzle, " at most");
  return {};
}

}  // namespace

CUresult encode_tiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address,
                      const cuuint64_t* dims, const cuuint64_t* strides, const cuuint32_t* box,
                      const cuuint32_t* element_strides, CUtensorMapInterleave, CUtensorMapSwizzle swizzle,
                      CUtensorMapL2promotion, CUtensorMapFloatOOBfill) {
  TensorMap m{};
  m.mark = kTensorMapMark;
  m.address = reinterpret_cast<uintptr_t>(address);
  m.rank = rank;
  m.element_bytes = bytes_of(type);
  m.swizzle = uint32_t(swizzle);
  if (std::string wrong = wrong_with(map, m, dims, strides, box, element_strides); !wrong.empty()) {
    last_refusal() = std::move(wrong);
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (uint32_t i = 0; i < rank; ++i) {
    m.dims[i] = uint32_t(dims[i] - 1);
    m.box[i] = uint16_t(box[i]);
    m.element_strides[i] = uint8_t(i == 0 ? 1 : element_strides[i]);  // there is none along the first
    if (i + 1 < rank) m.strides[i] = strides[i];
  }
  *map = {};
  std::memcpy(map, &m, sizeof m);
  return CUDA_SUCCESS;
}
const std::string& tensor_map_refusal() { return last_refusal(); }

}  // namespace kern::emulator
