// A number that kernels of any device read through a pointer: the learning rate, the step, the random counter. So a
// step's kernels need no new arguments from one step to the next, and the host need not wait to change it.
#pragma once
#include <memory>

#include "engine/dry_run.h"
#include "engine/gpu.h"
#include "engine/memory.h"

namespace kern {

template <class T>
class DeviceScalar {
 public:
  DeviceScalar(T value = T{}) : value_(value) {}
  DeviceScalar(const DeviceScalar& other) : value_(other.value_) {}
  DeviceScalar& operator=(const DeviceScalar& other) {
    set(other.value_);
    return *this;
  }
  // Work that was given to the GPU before still sees the old value, work given to it from now on the new one.
  void set(T value) {
    if (value == value_) return;
    value_ = value;
    if (gpu_ && !in_dry_run()) upload();
  }
  T value() const { return value_; }
  // Where kernels of that device find it, for as long as this object lives.
  const T* on(Device device) const {
    if (device == Device::cpu || in_dry_run()) return &value_;
    if (!gpu_) {
      gpu_ = std::make_unique<Storage>(device, sizeof(T));
      upload();
    }
    return reinterpret_cast<const T*>(gpu_->data());
  }
  // Zero, by the device in its turn: what a recorded step may do.
  void clear(Device device) {
    if (in_dry_run()) return;
    value_ = T{};
    if (device != Device::cpu) set_bytes(device, mutate(device), 0, sizeof(T));
  }
  // For a kernel that writes it; fetch() waits for that and brings the value to the host.
  T* mutate(Device device) { return const_cast<T*>(on(device)); }
  T fetch(Device device) const {
    if (device != Device::cpu && !in_dry_run())
      copy_bytes(Device::cpu, &value_, sizeof(T), device, on(device), sizeof(T), sizeof(T), 1);
    return value_;
  }

 private:
  void upload() const {
    copy_bytes(gpu_->device(), gpu_->data(), sizeof(T), Device::cpu, &value_, sizeof(T), sizeof(T), 1);
  }
  mutable T value_;
  mutable std::unique_ptr<Storage> gpu_;
};

}  // namespace kern
