// Comparing with values that another program computed.
#pragma once
#include <gtest/gtest.h>

#include <cmath>

#include "engine/tensor.h"

namespace kern::testing {

// Largest |a - b| relative to the largest |b|; NaN anywhere gives NaN.
inline double distance(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  double worst = 0, scale = 1e-6;
  const auto va = a.values(), vb = b.values();
  for (size_t i = 0; i < va.size() && i < vb.size(); ++i) {
    const double d = std::abs(double(va[i]) - double(vb[i]));
    if (!(d <= worst)) worst = d;
    scale = std::max(scale, std::abs(double(vb[i])));
  }
  return worst / scale;
}

}  // namespace kern::testing
