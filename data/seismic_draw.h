// Drawing from the ranges of SyntheticSeismic, and loops over a trace as the machine does them fastest.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "data/seismic_synthetic.h"
#include "engine/random.h"
#include "kernels/common/isa.h"

namespace kern::data {

// Sequences of one volume: what is drawn for one thing never shifts another.
enum class SyntheticPart : uint32_t {
  layers,
  folds,
  faults,
  wavelet,
  noise,
  grid,
  facies,
  unconformity,
  young,
  channels,
  chaos,
  bright,
  salt,
  chimney,
  footprint,
  smiles,
  ground_roll,
  gain,
  seam,
  stripes,
  gaps,
  smear,
  damage
};
inline RandomSequence random_of(const SyntheticSeismic& o, int64_t index, SyntheticPart part) {
  return RandomSequence(o.seed, RandomStream::synthesize, uint32_t(index),
                        uint32_t(part) << 16 | uint32_t(index >> 32));
}
inline double draw(RandomSequence& random, const Range& r) { return random.uniform(r.low, r.high); }
inline double draw_log(RandomSequence& random, const Range& r) {  // evenly where the range begins at 0
  const double u = double(random.uniform());
  return r.low > 0 ? r.low * std::pow(r.high / r.low, u) : r.low + u * (r.high - r.low);
}
inline int draw_count(RandomSequence& random, const Range& r) { return random.between(int(r.low), int(r.high)); }
inline bool chance(RandomSequence& random, double share) { return random.uniform() < float(share); }
inline double side(RandomSequence& random) { return random.uniform() < 0.5f ? -1 : 1; }

// f's loops on the widest vectors of this machine; the same bits on every one.
template <class F>
void vectorised(const F& f) {
  using kernels::Isa;
  static const bool widest = kernels::cpu_has(Isa::avx512), wide = kernels::cpu_has(Isa::avx2);
  if (widest) kernels::on_isa<Isa::avx512>(f);
  else if (wide) kernels::on_isa<Isa::avx2>(f);
  else f();
}

// Smooth random values within -1 and 1 everywhere, one per unit of length.
class Turbulence {
 public:
  explicit Turbulence(RandomSequence& random) : values_(size_t(kSide) * kSide * kSide) {
    for (float& v : values_) v = 2 * random.uniform() - 1;
  }
  float at(float x, float y, float z) const {
    const float fx = std::floor(x), fy = std::floor(y), fz = std::floor(z);
    const auto i = uint32_t(int32_t(fx)), j = uint32_t(int32_t(fy)), k = uint32_t(int32_t(fz));
    const float tx = smooth(x - fx), ty = smooth(y - fy), tz = smooth(z - fz);
    const auto line = [&](uint32_t b, uint32_t c) {
      const float from = value(i, b, c);
      return from + tx * (value(i + 1, b, c) - from);
    };
    const auto plane = [&](uint32_t c) {
      const float from = line(j, c);
      return from + ty * (line(j + 1, c) - from);
    };
    const float from = plane(k);
    return from + tz * (plane(k + 1) - from);
  }

 private:
  static constexpr uint32_t kSide = 32;
  static float smooth(float t) { return t * t * (3 - 2 * t); }
  float value(uint32_t i, uint32_t j, uint32_t k) const {
    return values_[((i % kSide) * kSide + j % kSide) * kSide + k % kSide];
  }
  std::vector<float> values_;
};

}  // namespace kern::data
