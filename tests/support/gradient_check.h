// The wiring of a differentiable op, through the tape: its gradients against differences of its forward pass.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "engine/autograd.h"
#include "kernels/common/philox.h"

namespace kern::testing {

// Values in [low, high) chosen by seed.
inline Tensor random_tensor(const Shape& shape, uint32_t seed, float low = -1, float high = 1) {
  std::vector<float> v(size_t(shape.size()));
  for (size_t i = 0; i < v.size(); ++i)
    v[i] = low + (high - low) * kernels::to_uniform(kernels::philox({seed, 9}, uint32_t(i), 0, 0, 0).v[0]);
  return Tensor::from(shape, std::span<const float>(v));
}

// The same values, as a channel slice of a wider buffer.
inline Tensor pitched(const Tensor& t, int64_t before = 1, int64_t after = 2) {
  Shape leading;
  for (int i = 0; i + 1 < t.rank(); ++i) leading.push_back(t.dim(i));
  const int64_t widths[] = {before, t.channels(), after};
  Tensor slot = Tensor::channel_slots(leading, widths)[1];
  slot.copy_from(t);
  return slot;
}

inline std::string error_sentence(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.sentence();
  }
  return "no error";
}

// f: inputs -> output. Every input is a leaf; the loss is sum(r * y) with fixed random r. Central differences of step h.
// An element passes if |analytic - numeric| <= tolerance * (1 + |numeric|); NaN fails.
inline void check_gradients(const std::function<Tensor(const std::vector<Tensor>&)>& f, std::vector<Tensor> inputs,
                            double h = 1e-2, double tolerance = 1e-2) {
  for (Tensor& t : inputs) t.require_grad();
  const Tensor y = f(inputs);
  const Tensor r = random_tensor(y.shape(), 4242);
  const std::vector<float> weights = r.values();
  auto loss = [&] {
    NoGrad off;
    const std::vector<float> v = f(inputs).values();
    double sum = 0;
    for (size_t i = 0; i < v.size(); ++i) sum += double(weights[i]) * double(v[i]);
    return sum;
  };
  backward(y, pitched(r));
  for (size_t k = 0; k < inputs.size(); ++k) {
    Tensor& t = inputs[k];
    ASSERT_TRUE(t.grad()) << "input " << k << " got no gradient";
    const std::vector<float> gradient = t.grad().values();
    for (int64_t i = 0; i < t.rows(); ++i)
      for (int64_t j = 0; j < t.channels(); ++j) {
        const int64_t at = i * t.pitch() + j;
        const float before = t.data()[at];
        t.mutate()[at] = before + float(h);
        const double above = loss();
        t.mutate()[at] = before - float(h);
        const double below = loss();
        t.mutate()[at] = before;
        const double numeric = (above - below) / (double(before + float(h)) - double(before - float(h)));
        const double got = double(gradient[size_t(i * t.channels() + j)]);
        ASSERT_TRUE(std::abs(got - numeric) <= tolerance * (1 + std::abs(numeric)))
            << "input " << k << ", row " << i << ", channel " << j << ": backward gave " << got << ", differences give " << numeric;
      }
  }
}

}  // namespace kern::testing
