#pragma once
#include <cstddef>
#include <string_view>

namespace kern {

enum class Device { cpu, cuda };
enum class DType { f32, i32, u8, bf16 };

inline std::string_view to_string(Device d) { return d == Device::cpu ? "cpu" : "cuda"; }
inline std::string_view to_string(DType t) {
  constexpr std::string_view names[] = {"f32", "i32", "u8", "bf16"};
  return names[int(t)];
}
constexpr size_t size_of(DType t) { return t == DType::u8 ? 1 : t == DType::bf16 ? 2 : 4; }

namespace kernels {

// The stream that work is given to unless another is named: null on the CPU, the engine's stream on a GPU.
void* current_stream();
void set_current_stream(void* stream);

// What a kernel runs with besides its arguments: the device's stream, and scratch memory of at least the bytes that the
// row's workspace(spec) asked for, aligned to 64 bytes. Kernels never allocate. `filter`: a convolution's, packed
// beforehand (kernels/conv/filter_packing.h).
struct PackedFilter;
struct Exec {
  void* stream = current_stream();
  void* scratch = nullptr;
  const PackedFilter* filter = nullptr;
};

}  // namespace kernels

// Implementations of a registry that are there only where CUDA is built: `KERN_CUDA_IMPL(relu_cuda_impl())` with its comma.
#ifdef KERN_CUDA
#define KERN_CUDA_IMPL(...) __VA_ARGS__,
#else
#define KERN_CUDA_IMPL(...)
#endif
}  // namespace kern
