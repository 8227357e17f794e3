// Checks an op through the tape: the gradients that backward() leaves in the inputs against central differences.
#pragma once
#include <gtest/gtest.h>

#include <functional>

#include "engine/autograd.h"
#include "kernels/common/philox.h"

namespace kern::testing {

// Uniform in [-1, 1) plus `offset`, chosen by seed.
inline Tensor random_tensor(const Shape& shape, uint32_t seed, float offset = 0) {
  std::vector<float> v(size_t(shape.size()));
  for (size_t i = 0; i < v.size(); ++i) v[i] = offset + 2 * kernels::to_uniform(kernels::philox({seed, 9}, uint32_t(i), 0, 0, 0).v[0]) - 1;
  return Tensor::from(shape, v);
}

struct TapeCheck {
  float step = 1e-2f;        // of the central difference; for an op linear in its inputs the step's size does no harm
  double tolerance = 2e-3;   // |tape - difference| <= tolerance (1 + |difference|)
};

// f: inputs -> output, the same function on every call. Every input is a leaf of the check.
inline void check_tape(std::vector<Tensor> inputs, const std::function<Tensor(const std::vector<Tensor>&)>& f, TapeCheck options = {}) {
  for (Tensor& t : inputs) t.require_grad();
  const Tensor y = f(inputs);
  const Tensor dy = random_tensor(y.shape(), 99);
  const std::vector<float> weights = dy.values();
  backward(y, dy);
  auto loss = [&] {
    NoGrad off;
    const std::vector<float> values = f(inputs).values();
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += double(weights[i]) * double(values[i]);
    return sum;
  };
  for (size_t k = 0; k < inputs.size(); ++k) {
    ASSERT_TRUE(inputs[k].grad()) << "input " << k << " got no gradient";
    const std::vector<float> tape = inputs[k].grad().values();
    for (int64_t i = 0; i < inputs[k].rows(); ++i)
      for (int64_t c = 0; c < inputs[k].channels(); ++c) {
        float& v = inputs[k].mutate()[i * inputs[k].pitch() + c];
        const float before = v, high = before + options.step, low = before - options.step;
        v = high;
        const double above = loss();
        v = low;
        const double below = loss();
        v = before;
        const double difference = (above - below) / (double(high) - double(low)), got = double(tape[size_t(i * inputs[k].channels() + c)]);
        EXPECT_TRUE(std::abs(got - difference) <= options.tolerance * (1 + std::abs(difference)))
            << "input " << k << ", row " << i << ", channel " << c << ": tape " << got << ", difference " << difference;
      }
  }
}

// The sentence of the error that f throws.
inline std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.sentence();
  }
  return "no error";
}

}  // namespace kern::testing
