// Arrays that tests give to rows of every device, and waiting for what a device still has to do.
#pragma once
#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <utility>
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

// While one of these lives, rows of that device are being tested: what arrays' data() gives is their memory.
class TestedDevice {
 public:
  explicit TestedDevice(Device device) : before_(std::exchange(now(), device)) {}
  ~TestedDevice() { now() = before_; }
  TestedDevice(const TestedDevice&) = delete;
  TestedDevice& operator=(const TestedDevice&) = delete;
  static Device& now() {
    static Device device = Device::cpu;
    return device;
  }

 private:
  Device before_;
};

// Values in the host's memory and, once a kernel of the other device has asked, in that device's too, each brought up
// to date by a copy when it is asked for. What data() gives is for kernels of the tested device, host() for the test
// itself. A pointer that may be written through counts as written through; ask anew after the other side was changed.
template <class T>
class Mirrored {
 public:
  explicit Mirrored(size_t n, T value = T{}) : host_(n, value) {}
  explicit Mirrored(std::vector<T> values) : host_(std::move(values)) {}
  Mirrored(const Mirrored& o) : host_(o.up_to_date()) {}
  Mirrored& operator=(const Mirrored& o) {
    host_ = o.up_to_date();
    newer_ = Newer::host;
    return *this;
  }
  ~Mirrored() {
#ifdef KERN_CUDA
    if (device_) cudaFree(device_);
#endif
  }
  size_t size() const { return host_.size(); }

  T* host() { return up_to_date(), newer_ = Newer::host, host_.data(); }
  const T* host() const { return up_to_date().data(); }
  T* data() { return TestedDevice::now() == Device::cpu ? host() : device(); }
  const T* data() const { return TestedDevice::now() == Device::cpu ? host() : device(); }
  const T* device() const {
    upload();
    return device_;
  }
  T* device() {
    upload();
    newer_ = Newer::device;
    return device_;
  }
  // On the device these values are nobody's: what reads them before it writes them is at fault (on an emulated one).
  void forget_on_device([[maybe_unused]] size_t first, [[maybe_unused]] size_t count) {
#ifdef KERN_CUDA_EMULATED
    emulator::forget_contents(device() + first, count * sizeof(T), nullptr);
#endif
  }

 private:
  enum class Newer { neither, host, device };
  std::vector<T>& up_to_date() const {
#ifdef KERN_CUDA
    if (newer_ == Newer::device) {
      wait_for_device();
      kernels::cuda_check(cudaMemcpy(host_.data(), device_, size() * sizeof(T), cudaMemcpyDeviceToHost), "to a test");
      newer_ = Newer::neither;
    }
#endif
    return host_;
  }
  void upload() const {
#ifdef KERN_CUDA
    if (!device_) {
      void* p = nullptr;
      kernels::cuda_check(cudaMalloc(&p, std::max<size_t>(size(), 1) * sizeof(T)), "memory for a test");
      device_ = static_cast<T*>(p);
      newer_ = Newer::host;
    }
    if (newer_ != Newer::host) return;
    kernels::cuda_check(cudaMemcpy(device_, host_.data(), size() * sizeof(T), cudaMemcpyHostToDevice), "from a test");
    newer_ = Newer::neither;
#endif
  }

  mutable std::vector<T> host_;
  mutable T* device_ = nullptr;
  mutable Newer newer_ = Newer::host;
};

// A few values that kernels of every device may read and write: what a plain array is to a kernel of the CPU.
template <class T = float>
class Values {
 public:
  explicit Values(size_t n, T value = T{}) : all_(n, value) {}
  Values(std::initializer_list<T> values) : all_(std::vector<T>(values)) {}
  explicit Values(const std::vector<T>& values) : all_(values) {}
  size_t size() const { return all_.size(); }
  T* data() { return all_.data(); }  // for a kernel
  const T* data() const { return all_.data(); }
  T* device() { return all_.device(); }
  const T* device() const { return all_.device(); }
  T* host() { return all_.host(); }
  const T* host() const { return all_.host(); }
  T& operator[](size_t i) { return host()[i]; }
  const T& operator[](size_t i) const { return host()[i]; }
  auto begin() const { return host(); }
  auto end() const { return host() + size(); }

 private:
  Mirrored<T> all_;
};

}  // namespace kern::testing
