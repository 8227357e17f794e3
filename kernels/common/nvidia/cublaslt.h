// Products of matrices by cuBLASLt. Its matrices are columns one after the other; what we call a row of values with a
// pitch is a column of theirs.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "kernels/common/nvidia/cublaslt_api.h"
#include "kernels/common/nvidia/shared_library.h"

namespace kern::kernels {

struct CublasLtApi : cublaslt::LtFunctions {
  explicit CublasLtApi(SharedLibrary opened);
  std::string version() const;  // "13.1.0"; empty where there is no library
  SharedLibrary library;
};

// The library at work on the GPU of this process.
struct CublasLt {
  CublasLtApi api;
  cublaslt::Handle handle = nullptr;
  std::mutex mutex;  // a product's bias is part of its description
};
CublasLt* opened_cublaslt();      // opened at the first call; null where there is no library or no GPU
std::string cublaslt_in_words();  // "13.1.0 (libcublasLt.so.13)", or "none: " and why

// d[j,i] = bias[i] + sum_l a(i,l) b(l,j) for i < m, j < n, l < k, with
//   a(i,l) = a[l * a_pitch + i], or a[i * a_pitch + l] if a is transposed, b(l,j) = b[j * b_pitch + l], or
//   b[l * b_pitch + j] if b is transposed, d[j,i] = d[j * d_pitch + i].
struct MatmulSpec {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
  int64_t a_pitch, b_pitch, d_pitch;
  bool bias, tf32;
  auto operator<=>(const MatmulSpec&) const = default;
};

class MatmulPlan {
 public:
  // The library's first choice that repeats its results to the bit. Error, in words, where it has none.
  MatmulPlan(CublasLt&, const MatmulSpec&, std::string what);
  ~MatmulPlan();
  MatmulPlan(const MatmulPlan&) = delete;
  MatmulPlan& operator=(const MatmulPlan&) = delete;

  static constexpr int64_t kAlignment = 16;  // of every pointer but the bias'
  size_t workspace() const { return workspace_; }
  void run(void* stream, const float* a, const float* b, const float* bias, float* d, void* workspace) const;

 private:
  void check_status(cublaslt::LtStatus, const char* doing) const;
  void free();
  CublasLt* library_;
  std::string what_;
  cublaslt::MatmulDesc description_ = nullptr;
  cublaslt::MatrixLayout a_ = nullptr, b_ = nullptr, d_ = nullptr;
  cublaslt::Algorithm algorithm_{};
  size_t workspace_ = 0;
  bool bias_;
};

}  // namespace kern::kernels
