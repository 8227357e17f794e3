// What tests of faults share: arrays on the emulated device, and what the emulator says of a kernel.
#pragma once
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/common/cuda.h"

namespace kern::testing {

using kernels::cuda_check;

constexpr int kThreads = 64;

template <class T = float>
class BufferOf {
 public:
  explicit BufferOf(int n) : n_(n) {
    cuda_check(cudaMalloc(reinterpret_cast<void**>(&p_), size_t(n) * sizeof(T)), "a buffer");
  }
  explicit BufferOf(const std::vector<T>& values) : BufferOf(int(values.size())) {
    cuda_check(cudaMemcpy(p_, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice), "to the GPU");
  }
  BufferOf(const BufferOf&) = delete;
  BufferOf& operator=(const BufferOf&) = delete;
  ~BufferOf() { cudaFree(p_); }
  T* get() const { return p_; }
  std::vector<T> values() const {
    std::vector<T> v(static_cast<size_t>(n_));
    cuda_check(cudaMemcpy(v.data(), p_, v.size() * sizeof(T), cudaMemcpyDeviceToHost), "from the GPU");
    return v;
  }

 private:
  T* p_ = nullptr;
  int n_;
};
using Buffer = BufferOf<float>;

inline std::vector<float> counting(int n) {
  std::vector<float> v(static_cast<size_t>(n));
  for (int i = 0; i < n; ++i) v[size_t(i)] = float(i);
  return v;
}

// What the emulator says of work that was given to the GPU, over several orders of threads; empty when nothing.
template <class Work>
std::string verdict(Work work) {
  std::string said;
  emulator::forget_faults();
  const uint64_t before = emulator::seed();
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    emulator::set_seed(seed);
    said.clear();
    try {
      work();
      cuda_check(cudaDeviceSynchronize(), "waiting");
    } catch (const Error& e) {
      said = e.sentence();
    }
    emulator::forget_faults();
    if (said.empty()) break;  // a fault must show under every seed; a mended kernel is asked once more below
  }
  if (said.empty())
    for (uint64_t seed = 2; seed <= 5; ++seed) {
      emulator::set_seed(seed);
      try {
        work();
        cuda_check(cudaDeviceSynchronize(), "waiting");
      } catch (const Error& e) {
        emulator::forget_faults();
        ADD_FAILURE() << "caught under seed " << seed << " but not under every one: " << e.sentence();
      }
    }
  emulator::set_seed(before);
  return said;
}
inline ::testing::AssertionResult has(const std::string& sentence, std::initializer_list<std::string_view> parts) {
  for (std::string_view part : parts)
    if (sentence.find(part) == std::string::npos)
      return ::testing::AssertionFailure() << "'" << part << "' is not in: " << sentence;
  return ::testing::AssertionSuccess();
}

}  // namespace kern::testing
