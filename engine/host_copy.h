// A few values on their way from a device to the host, which goes on meanwhile: what a step reports without waiting.
#pragma once
#include <memory>
#include <vector>

#include "engine/tensor.h"

namespace kern {

class HostCopy {
 public:
  // The values that the tensor has now, at most 64 of f32, dense; it may be written to at once. On the CPU, and in a
  // dry run (zeros), they are there already.
  explicit HostCopy(const Tensor& values, SourceLocation at = SourceLocation::current());
  bool late() const { return bool(slot_); }  // whether a GPU brings them
  std::vector<float> values() const;         // waits for them; throws what went wrong in a kernel before

 private:
  struct Slot;
  size_t size_;
  std::vector<float> values_;
  std::shared_ptr<Slot> slot_;
};

}  // namespace kern
