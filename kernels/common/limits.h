// What may be done to every value before it is stored: y = min(max(y, low), high). ReLU is low = 0.
#pragma once
#include <limits>

namespace kern::kernels {

struct Limits {
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
  bool any() const { return *this != Limits{}; }
  bool operator==(const Limits&) const = default;
};

}  // namespace kern::kernels
