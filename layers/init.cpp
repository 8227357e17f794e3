#include "layers/init.h"

#include <cmath>
#include <span>

#include "engine/dry_run.h"
namespace kern {
namespace {
template <class Draw>
Tensor drawn(const Shape& shape, Draw draw) {
  Tensor t = Tensor::empty(shape);
  if (in_dry_run()) return t;
  for (float& v : std::span(t.mutate(), size_t(t.size()))) v = float(draw());
  return t;
}
double one_over_root(int64_t fan) { return fan > 0 ? 1 / std::sqrt(double(fan)) : 0; }
}  // namespace

Tensor init_uniform(const Shape& shape, double bound, RandomSequence& random) {
  return drawn(shape, [&] { return random.uniform(-bound, bound); });
}
Tensor init_normal(const Shape& shape, double deviation, RandomSequence& random) {
  return drawn(shape, [&] { return random.normal(0, deviation); });
}
Tensor init_fan_in(const Shape& shape, int64_t fan_in, RandomSequence& random) {
  return init_uniform(shape, one_over_root(fan_in), random);
}
Tensor init_he(const Shape& shape, int64_t fan_in, RandomSequence& random) {
  return init_normal(shape, std::sqrt(2.0) * one_over_root(fan_in), random);
}
Tensor init_glorot(const Shape& shape, int64_t fan_in, int64_t fan_out, RandomSequence& random) {
  return init_uniform(shape, std::sqrt(6.0) * one_over_root(fan_in + fan_out), random);
}

}  // namespace kern
