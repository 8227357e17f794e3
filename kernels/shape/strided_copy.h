// strided_copy: y[i] = x[where the strides say], y dense: what permutes, repeats, reverses and crops an array.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"
#include "kernels/common/strided.h"

namespace kern::kernels {

struct StridedCopySpec {
  Dims sizes{1, 1, 1, 1, 1, 0};  // of y
  Dims x{};                      // strides
  int64_t offset = 0;            // of y's first value in x
  constexpr int64_t size() const { return size_of(sizes); }
  constexpr std::array<Dims, 1> strides() const { return {x}; }
  bool operator==(const StridedCopySpec&) const = default;
};

template <Scalar T>
void strided_copy_reference(const StridedCopySpec& g, const T* x, T* y) {
  for (int64_t i = 0; i < g.size(); ++i) y[i] = x[g.offset + offsets_of(i, g.sizes, g.strides())[0]];
}

struct StridedCopyImpl {
  const char* name;
  Device device;
  bool (*supports)(const StridedCopySpec&);
  void (*forward)(const Exec&, const StridedCopySpec&, const float* x, float* y);
};
const Registry<StridedCopyImpl>& strided_copy_registry();
StridedCopyImpl strided_copy_cuda_impl();  // strided_copy.cu

}  // namespace kern::kernels
