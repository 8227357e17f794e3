#include "engine/random.h"

#include <cmath>

#include "engine/dry_run.h"
#include "kernels/common/error.h"

namespace kern {

kernels::PhiloxKey philox_key(uint64_t seed, RandomStream stream) {
  // The stream is mixed in by one Philox round trip, so that (seed 1, stream 2) and (seed 2, stream 1) share nothing.
  const kernels::Random4 r =
      kernels::philox({uint32_t(seed), uint32_t(seed >> 32)}, uint32_t(stream), 0x6b65726e, 0, 0);
  return {r.v[0], r.v[1]};
}

RandomSequence::RandomSequence(uint64_t seed, RandomStream stream, uint32_t a, uint32_t b)
    : key_(philox_key(seed, stream)), a_(a), b_(b) {}

uint32_t RandomSequence::next() {
  if (used_ == 4) {
    words_ = kernels::philox(key_, uint32_t(block_), uint32_t(block_ >> 32), a_, b_);
    ++block_;
    used_ = 0;
  }
  return words_.v[used_++];
}

float RandomSequence::normal() {
  if (std::exchange(has_spare_, false)) return spare_;
  const double u = 1.0 - double(uniform()), angle = 2 * M_PI * double(uniform());
  const double radius = std::sqrt(-2 * std::log(u));
  spare_ = float(radius * std::sin(angle));
  has_spare_ = true;
  return float(radius * std::cos(angle));
}

uint32_t RandomSequence::below(uint32_t n) {
  internal_check(n > 0, "RandomSequence::below: n must be positive");
  // Lemire's multiply-and-reject: unbiased, one multiplication in almost every case.
  uint64_t m = uint64_t(next()) * n;
  if (uint32_t(m) < n)
    for (const uint32_t threshold = uint32_t(-n) % n; uint32_t(m) < threshold;) m = uint64_t(next()) * n;
  return uint32_t(m >> 32);
}

void Generator::set(uint64_t seed, uint64_t step) {
  const KeptInDryRun keep(seed_, step_, call_);
  seed_ = seed, step_.set(step), call_ = 0;
}
void Generator::advance() {
  const KeptInDryRun keep(step_, call_);
  step_.set(step_.value() + 1), call_ = 0;
}
Generator::Draw Generator::draw(RandomStream stream) {
  const KeptInDryRun keep(call_);
  return {philox_key(seed_ + (uint64_t(rank_) << 40), stream), step_.value(), call_++, this};
}
const uint64_t* Generator::Draw::step_on(Device device, SourceLocation at) const {
  if (device == Device::cpu || !from) return &step;
  check({from->step_.value() == step, at}, "random numbers of step ", step, " are asked for again in step ",
        from->step_.value(), "; on a GPU the backward pass must come before the generator advances");
  return from->step_.on(device);
}

Generator& default_generator() {
  static Generator g;
  return g;
}

RandomSequence& init_random() {
  static RandomSequence r(0, RandomStream::init);
  return r;
}
void set_seed(uint64_t seed) {
  const KeptInDryRun keep(init_random());
  default_generator().set(seed);
  init_random() = RandomSequence(seed, RandomStream::init);
}

}  // namespace kern
