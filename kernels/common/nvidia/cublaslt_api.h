// The part of cuBLASLt (cublasLt.h of CUDA 12 and 13) that Kern uses, in its own words, like cudnn_api.h beside it.
#pragma once
#include <cstddef>
#include <cstdint>

namespace kern::cublaslt {

using Handle = struct HandleOfCublasLt*;
using MatmulDesc = struct MatmulDescOfCublasLt*;
using MatrixLayout = struct MatrixLayoutOfCublasLt*;
using Preference = struct PreferenceOfCublasLt*;

enum class LtStatus : int { success = 0, not_initialized = 1, invalid_value = 7, not_supported = 15 };
enum class ComputeType : int { float32 = 68, fast_tf32 = 77 };
enum class LtDataType : int { float32 = 0 };
enum class Operation : int32_t { as_it_stands = 0, transposed = 1 };
enum class Epilogue : int32_t { none = 1, bias = 4 };
enum class DescAttribute : int { transpose_a = 3, transpose_b = 4, epilogue = 7, bias_pointer = 8 };
enum class PreferenceAttribute : int {
  most_workspace = 1,
  reduction_schemes = 3,
  alignment_a = 5,
  alignment_b = 6,
  alignment_c = 7,
  alignment_d = 8,
};
// Bits of reduction_schemes: how parts of a sum over K are added up.
enum ReductionScheme : uint32_t { in_place = 1, in_compute_type = 2, in_output_type = 4 };

struct Algorithm {
  uint64_t data[8];
};
struct HeuristicResult {
  Algorithm algorithm;
  size_t workspace;
  LtStatus state;
  float waves;
  int reserved[4];
};

// One pointer per function, named as in the library without its "cublasLt".
struct LtFunctions {
  size_t (*GetVersion)() = nullptr;
  const char* (*GetStatusString)(LtStatus) = nullptr;
  LtStatus (*Create)(Handle*) = nullptr;
  LtStatus (*MatmulDescCreate)(MatmulDesc*, ComputeType, LtDataType scale) = nullptr;
  LtStatus (*MatmulDescDestroy)(MatmulDesc) = nullptr;
  LtStatus (*MatmulDescSetAttribute)(MatmulDesc, DescAttribute, const void*, size_t bytes) = nullptr;
  LtStatus (*MatrixLayoutCreate)(MatrixLayout*, LtDataType, uint64_t rows, uint64_t columns, int64_t pitch) = nullptr;
  LtStatus (*MatrixLayoutDestroy)(MatrixLayout) = nullptr;
  LtStatus (*MatmulPreferenceCreate)(Preference*) = nullptr;
  LtStatus (*MatmulPreferenceDestroy)(Preference) = nullptr;
  LtStatus (*MatmulPreferenceSetAttribute)(Preference, PreferenceAttribute, const void*, size_t bytes) = nullptr;
  LtStatus (*MatmulAlgoGetHeuristic)(Handle, MatmulDesc, MatrixLayout a, MatrixLayout b, MatrixLayout c, MatrixLayout d,
                                     Preference, int most, HeuristicResult*, int* count) = nullptr;
  LtStatus (*Matmul)(Handle, MatmulDesc, const void* alpha, const void* a, MatrixLayout, const void* b, MatrixLayout,
                     const void* beta, const void* c, MatrixLayout, void* d, MatrixLayout, const Algorithm*,
                     void* workspace, size_t workspace_bytes, void* stream) = nullptr;
};

}  // namespace kern::cublaslt
