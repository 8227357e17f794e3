#include "data/seismic_bodies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kern::data {

std::optional<Unconformity> Unconformity::of(const SyntheticSeismic& o, int64_t index, double margin) {
  RandomSequence random = random_of(o, index, SyntheticPart::unconformity);
  if (!chance(random, o.unconformity)) return {};
  return Unconformity(o, random, margin);
}

Unconformity::Unconformity(const SyntheticSeismic& o, RandomSequence& random, double margin) : relief_(o, margin) {
  const bool flat = o.inlines == 1;
  level_ = float(random.uniform(0.15, 0.75) * double(o.samples));
  old_share_ = random.uniform(0.3, 1.01);
  const double tilt = 0.12;
  tilt_x_ = float(random.uniform(-tilt, tilt)), tilt_y_ = flat ? 0 : float(random.uniform(-tilt, tilt));
  level_ -= 0.5f * (tilt_x_ * float(o.crosslines) + (flat ? 0 : tilt_y_ * float(o.inlines)));
  double heights = 0;
  for (int k = random.between(1, 6); k > 0; --k) {
    const double height = random.uniform(-10, 10), x = random.uniform(0, double(o.crosslines)),
                 y = random.uniform(0, double(o.inlines)), deviation = random.uniform(8, 60);
    relief_.add_bell(height, x, flat ? 0 : y, deviation);
    heights += std::abs(height);
  }
  const bool onlaps = chance(random, o.onlap);
  const double drape = random.uniform(0.85, 1), young_x = random.uniform(-0.08, 0.08),
               young_y = random.uniform(-0.08, 0.08), fill = random.uniform(0, 0.25);
  conformity_ = float(onlaps ? fill : drape);
  if (onlaps) young_x_ = float(young_x), young_y_ = flat ? 0 : float(young_y);
  reach_ = heights + (tilt + 0.08) * (double(o.crosslines + o.inlines) + 2 * margin);
}

struct Bodies::Channel {
  float depth, height, half_width, cosine, sine, x, y, swing[2], rate[2], phase[2], shift, gain;
  uint8_t kind;
};
struct Bodies::Lens {
  float depth, height, x, y, per_a, per_b, cosine, sine, strength, cell, gain;
  bool chaotic;
  uint8_t kind;
};
struct Bodies::Salt {
  float x, y, z, a, b, c, rough, lift, contrast;
  uint8_t kind;
};
struct Bodies::Chimney {
  float x, y, radius, top, gain, sag, jitter;
};

Bodies::Bodies(Bodies&&) noexcept = default;
Bodies::~Bodies() = default;

Bodies::Bodies(const SyntheticSeismic& o, int64_t index) {
  uint8_t kind = Unconformity::kYoung;
  const double X = double(o.crosslines), Y = double(o.inlines), Z = double(o.samples);
  const bool flat = o.inlines == 1;
  const auto sideways = [&](RandomSequence& random, double radius) {  // of a section: so that it is cut
    const double u = double(random.uniform());
    return float(flat ? (u - 0.5) * radius : u * Y);
  };
  RandomSequence random = random_of(o, index, SyntheticPart::channels);
  if (chance(random, o.channels))
    for (int k = random.between(1, 4); k > 0; --k) {
      Channel c{};
      c.half_width = float(random.uniform(3, 16));
      c.height = float(random.uniform(3, 6 + 0.6 * double(c.half_width)));
      c.depth = float(random.uniform(0.05, 0.9) * Z);
      const double angle = random.uniform(0, 2 * std::numbers::pi);
      c.cosine = float(std::cos(angle)), c.sine = float(std::sin(angle));
      c.x = float(random.uniform(0.1, 0.9) * X), c.y = sideways(random, 20);
      for (int i = 0; i < 2; ++i) {
        const double length = random.uniform(30, 90) / (1 + i);
        c.swing[i] = float(random.uniform(0.05, 0.2) * length / (1 + i));
        c.rate[i] = float(2 * std::numbers::pi / length);
        c.phase[i] = float(random.uniform(0, 2 * std::numbers::pi));
      }
      c.shift = float(random.uniform(15, 45) * side(random));
      c.gain = float(random.uniform(0.2, 1.6));
      c.kind = ++kind;
      channels_.push_back(c);
    }
  const auto lens = [&](bool chaotic) {
    Lens l{};
    l.depth = float(random.uniform(0.1, 0.9) * Z);
    l.x = float(random.uniform(0, 1) * X), l.y = sideways(random, 20);
    const double a = chaotic ? random.uniform(0.2, 1) * X : random.uniform(5, 30), angle = random.uniform(0, 3.14);
    l.per_a = float(1 / a), l.per_b = float(1 / (a * random.uniform(0.4, 1)));
    l.cosine = float(std::cos(angle)), l.sine = float(std::sin(angle));
    l.height = float(chaotic ? random.uniform(0.08, 0.25) * Z : random.uniform(1, 4));
    l.strength = float(random.uniform(3, 9));
    l.cell = float(1 / random.uniform(3, 9));
    l.gain = float(chaotic ? random.uniform(0.3, 1.2) : random.uniform(2.5, 6));
    l.chaotic = chaotic;
    if (chaotic) l.kind = ++kind;
    lenses_.push_back(l);
  };
  random = random_of(o, index, SyntheticPart::chaos);
  turbulence_ = std::make_unique<Turbulence>(random);
  if (chance(random, o.chaos))
    for (int k = random.between(1, 2); k > 0; --k) lens(true);
  random = random_of(o, index, SyntheticPart::bright);
  if (chance(random, o.bright))
    for (int k = random.between(1, 4); k > 0; --k) lens(false);
  random = random_of(o, index, SyntheticPart::salt);
  if (chance(random, o.salt)) {
    Salt s{};
    s.x = float(random.uniform(0, 1) * X);
    s.a = float(random.uniform(0.12, 0.35) * std::max(X, 8.0)), s.b = s.a * float(random.uniform(0.6, 1.6));
    s.y = sideways(random, double(s.b));
    s.z = float(random.uniform(0.8, 1.2) * Z);
    s.c = float(random.uniform(0.4, 1) * Z);
    s.rough = float(random.uniform(0.05, 0.25));
    s.lift = float(random.uniform(10, 40));
    s.contrast = float(random.uniform(1, 2.5) * side(random));
    s.kind = ++kind;
    salt_.push_back(s);
  }
  random = random_of(o, index, SyntheticPart::chimney);
  if (chance(random, o.chimney))
    for (int k = random.between(1, 2); k > 0; --k) {
      Chimney c{};
      c.x = float(random.uniform(0, 1) * X);
      c.radius = float(random.uniform(4, 18));
      c.y = sideways(random, double(c.radius));
      c.top = float(random.uniform(-0.1, 0.5) * Z);
      c.gain = float(random.uniform(0.1, 0.6));
      c.sag = float(random.uniform(0, 6));
      c.jitter = float(random.uniform(0.5, 3));
      chimneys_.push_back(c);
    }
}

double Bodies::reach() const {
  double most = 60;  // of channels and the chaos
  for (const Salt& s : salt_) most += 1.5 * double(s.lift);
  return most;
}

float Bodies::contrast(uint8_t kind) const {
  for (const Salt& s : salt_)
    if (s.kind == kind) return s.contrast;
  return 0;
}

float Bodies::seen(uint8_t kind, float x, float y, float z) const {
  for (const Salt& s : salt_) {
    if (s.kind != kind) continue;
    const float gx = (x - s.x) / (s.a * s.a), gy = (y - s.y) / (s.b * s.b), gz = (z - s.z) / (s.c * s.c);
    return std::abs(gz) / std::max(std::sqrt(gx * gx + gy * gy + gz * gz), 1e-9f);
  }
  return 1;
}

void Bodies::lift(Folds& folds) const {
  for (const Salt& s : salt_)
    folds.add_bell(-double(s.lift), double(s.x), double(s.y), 1.1 * double(std::max(s.a, s.b)));
}

namespace {
void mark_outside(Rock& rock, size_t k, float edge) {
  if (rock.kind[k] <= Unconformity::kYoung) rock.edge[k] = std::min(std::abs(rock.edge[k]), std::abs(edge));
}
}  // namespace

void Bodies::deposit(Rock& rock) const {
  for (const Lens& l : lenses_)
    for (int64_t i = 0; i < rock.n; ++i) {
      const auto k = size_t(i);
      const float under = rock.depth[k] - l.depth;
      if (std::abs(under) > l.height || (l.chaotic && under < -2)) continue;
      const float dx = rock.x[k] - l.x, dy = rock.y[k] - l.y;
      const float u = (dx * l.cosine + dy * l.sine) * l.per_a, v = (dy * l.cosine - dx * l.sine) * l.per_b;
      const float inside = 1 - u * u - v * v;
      if (inside <= 0) continue;
      if (!l.chaotic) {
        rock.gain[k] *= l.gain;
        continue;
      }
      const float c = l.cell, x = rock.x[k] * c, y = rock.y[k] * c;
      const float base = l.height * std::sqrt(inside) * (0.75f + 0.25f * turbulence_->at(0.5f * x, 0.5f * y, 9));
      const float edge = std::min(under, base - under);
      if (edge <= 0) {
        mark_outside(rock, k, edge);
        continue;
      }
      rock.depth[k] += l.strength * turbulence_->at(x, y, 1.6f * c * rock.depth[k]);
      rock.gain[k] *= l.gain;
      rock.kind[k] = l.kind, rock.edge[k] = edge;
    }
  for (const Channel& c : channels_)
    for (int64_t i = 0; i < rock.n; ++i) {
      const auto k = size_t(i);
      const float below = rock.depth[k] - c.depth;
      if (below <= -2 || below >= c.height + 2) continue;
      const float dx = rock.x[k] - c.x, dy = rock.y[k] - c.y;
      const float t = dx * c.cosine + dy * c.sine;
      const float q = (dy * c.cosine - dx * c.sine - c.swing[0] * std::sin(c.rate[0] * t + c.phase[0]) -
                       c.swing[1] * std::sin(c.rate[1] * t + c.phase[1])) /
                      c.half_width;
      const float floor = c.height * (1 - q * q) - below, inside = std::min(below, floor);
      if (inside <= 0) {
        mark_outside(rock, k, inside);
        continue;
      }
      rock.depth[k] += c.shift;
      rock.gain[k] *= c.gain;
      rock.kind[k] = c.kind, rock.edge[k] = inside;
    }
}

void Bodies::intrude(Rock& rock, double at_x, double at_y, double top) const {
  const auto x = float(at_x), y = float(at_y);
  for (const Chimney& c : chimneys_) {
    const float far = std::hypot(x - c.x, y - c.y) / c.radius;
    if (far >= 1.3f) continue;
    for (int64_t i = 0; i < rock.n; ++i) {
      const auto k = size_t(i);
      const float z = float(top) + float(i), under = z - c.top;
      if (under <= 0) continue;
      const float ragged = far + 0.25f * turbulence_->at(0.3f * x, 0.3f * y, 0.08f * z),
                  full = std::clamp(3 * (1 - ragged), 0.0f, 1.0f) * std::min(under / 12, 1.0f);
      rock.gain[k] *= 1 - full * (1 - c.gain);
      rock.depth[k] -=
          full * (c.sag * std::min(under / 40, 1.0f) + c.jitter * turbulence_->at(0.5f * x, 0.5f * y, 50 + 0.15f * z));
    }
  }
  for (const Salt& s : salt_) {
    const float dx = (x - s.x) / s.a, dy = (y - s.y) / s.b, flat = dx * dx + dy * dy;
    if (flat > 1.5f) continue;
    const float bumps = 1 + s.rough * turbulence_->at(0.07f * x, 0.07f * y, 3);
    for (int64_t i = 0; i < rock.n; ++i) {
      const auto k = size_t(i);
      const float z = float(top) + float(i), dz = (z - s.z) / s.c;
      const float inside = bumps + s.rough * turbulence_->at(0.11f * x, 0.11f * y, 20 + 0.11f * z) - flat - dz * dz;
      if (inside <= 0) {
        mark_outside(rock, k, inside);
        continue;
      }
      rock.depth[k] += 8 * turbulence_->at(0.25f * x, 0.25f * y, 0.3f * z);
      rock.gain[k] = 0.12f;
      rock.kind[k] = s.kind, rock.edge[k] = inside;
      rock.distance[k] = 1e6f;
    }
  }
}

}  // namespace kern::data
