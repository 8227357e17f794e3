// The wiring of a differentiable op, through the tape: the gradients that backward() leaves in its inputs against
// central differences of its forward pass.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "engine/autograd.h"
#include "kernels/common/philox.h"
#include "tests/support/error_of.h"

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
  Tensor out = Tensor::empty_channel_slices(leading, widths)[1];
  out.copy_from(t);
  return out;
}

struct GradientCheck {
  float step = 1e-2f;       // of the central difference; for an op linear in its inputs the step's size does no harm
  double tolerance = 2e-3;  // |tape - difference| <= tolerance (1 + |difference|); NaN fails
};

// f: inputs -> output, the same function on every call. Every input is a leaf; the loss is sum(dy * y) with fixed
// random dy, which reaches backward() with a pitch.
inline void check_gradients(std::vector<Tensor> inputs, const std::function<Tensor(const std::vector<Tensor>&)>& f,
                            GradientCheck options = {}) {
  for (Tensor& t : inputs) t.require_grad().clear_grad();
  const Tensor y = f(inputs);
  const Tensor dy = random_tensor(y.shape(), 99);
  const std::vector<float> weights = dy.values();
  backward(y, pitched(dy));
  auto loss = [&] {
    NoGrad off;
    const std::vector<float> values = f(inputs).values();
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += double(weights[i]) * double(values[i]);
    return sum;
  };
  for (size_t k = 0; k < inputs.size(); ++k) {
    Tensor& t = inputs[k];
    ASSERT_TRUE(t.grad()) << "input " << k << " got no gradient";
    const std::vector<float> tape = t.grad().values();
    for (int64_t i = 0; i < t.rows(); ++i)
      for (int64_t c = 0; c < t.channels(); ++c) {
        const int64_t at = i * t.pitch() + c;
        const float before = t.data()[at], high = before + options.step, low = before - options.step;
        t.mutate()[at] = high;
        const double above = loss();
        t.mutate()[at] = low;
        const double below = loss();
        t.mutate()[at] = before;
        const double difference = (above - below) / (double(high) - double(low)),
                     got = double(tape[size_t(i * t.channels() + c)]);
        ASSERT_TRUE(std::abs(got - difference) <= options.tolerance * (1 + std::abs(difference)))
            << "input " << k << ", row " << i << ", channel " << c << ": tape " << got << ", difference " << difference;
      }
  }
}

}  // namespace kern::testing
