// Memory that tests and kernels of every device may touch, and waiting for what a device still has to do.
#pragma once
#include <cstdlib>
#include <initializer_list>
#include <new>
#include <vector>

#include "kernels/common/device.h"
#ifdef KERN_CUDA
#include "kernels/common/cuda.h"
#endif

namespace kern::testing {

#ifdef KERN_CUDA
inline bool cuda_available() {
  static const bool available = [] {
    int count = 0;
    const bool ok = cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
    cudaGetLastError();
    return ok;
  }();
  return available;
}
// Throws what went wrong in a kernel since the last call.
inline void wait_for_device() { kernels::cuda_check(cudaDeviceSynchronize(), "waiting for kernels"); }
#else
inline bool cuda_available() { return false; }
inline void wait_for_device() {}
#endif
inline bool available(Device device) { return device == Device::cpu || cuda_available(); }

// While a row of a device that works by itself is being tested, whoever looks at an array waits for it first.
inline bool& device_may_be_busy() {
  static bool busy = false;
  return busy;
}
inline void before_looking() {
  if (device_may_be_busy()) wait_for_device();
}

template <class T>
struct EveryDevice {  // an allocator
  using value_type = T;
  EveryDevice() = default;
  template <class U>
  EveryDevice(const EveryDevice<U>&) {}
  T* allocate(size_t n) {
#ifdef KERN_CUDA
    if (cuda_available()) {
      void* p = nullptr;
      kernels::cuda_check(cudaMallocManaged(&p, (n ? n : 1) * sizeof(T)), "managed memory for a test");
      return static_cast<T*>(p);
    }
#endif
    void* p = std::malloc((n ? n : 1) * sizeof(T));
    if (!p) throw std::bad_alloc();
    return static_cast<T*>(p);
  }
  void deallocate(T* p, size_t) {
#ifdef KERN_CUDA
    if (cuda_available()) {
      cudaFree(p);
      return;
    }
#endif
    std::free(p);
  }
  bool operator==(const EveryDevice&) const { return true; }
};

// A few values that kernels of every device may read and write: what a plain array is to a kernel of the CPU.
template <class T = float>
class Values {
 public:
  explicit Values(size_t n, T value = T{}) : all_(n, value) {}
  Values(std::initializer_list<T> values) : all_(values) {}
  explicit Values(const std::vector<T>& values) : all_(values.begin(), values.end()) {}
  Values(const Values& o) : all_((before_looking(), o.all_)) {}
  Values& operator=(const Values& o) {
    before_looking();
    all_ = o.all_;
    return *this;
  }
  size_t size() const { return all_.size(); }
  T* data() { return before_looking(), all_.data(); }
  const T* data() const { return before_looking(), all_.data(); }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  auto begin() const { return data(); }
  auto end() const { return data() + size(); }

 private:
  std::vector<T, EveryDevice<T>> all_;
};

}  // namespace kern::testing
