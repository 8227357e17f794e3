// Initial values of parameters. Fan-in is the number of products that are summed into one output.
#pragma once
#include "engine/random.h"
#include "engine/tensor.h"

namespace kern {

// Uniform in [-bound, bound].
Tensor init_uniform(const Shape& shape, double bound, RandomSequence& random = init_random());
Tensor init_normal(const Shape& shape, double deviation, RandomSequence& random = init_random());
// U(-1/sqrt(fan_in), 1/sqrt(fan_in)): the usual start of convolution and linear layers and their biases
// (He et al. 2015 with a = sqrt 5).
Tensor init_fan_in(const Shape& shape, int64_t fan_in, RandomSequence& random = init_random());
// N(0, sqrt(2 / fan_in)): He et al. 2015, for layers followed by a ReLU.
Tensor init_he(const Shape& shape, int64_t fan_in, RandomSequence& random = init_random());
// U(+-sqrt(6 / (fan_in + fan_out))): Glorot and Bengio 2010.
Tensor init_glorot(const Shape& shape, int64_t fan_in, int64_t fan_out, RandomSequence& random = init_random());

}  // namespace kern
