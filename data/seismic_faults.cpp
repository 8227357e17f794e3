#include "data/seismic_faults.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kern::data {
namespace {
constexpr double kHalfTurn = std::numbers::pi;
constexpr double kSteepest = 88, kFlattest = 20;  // degrees on the grid, whatever the bin
constexpr double kFlatEnd = 12;                   // degrees, of listric faults

double radians(double degrees) { return degrees * kHalfTurn / 180; }

// Of five draws the second smallest: two thirds lie in the lower half, and nothing within the range is left out.
int draw_fault_count(RandomSequence& random, const Range& r) {
  double u[5];
  for (double& v : u) v = double(random.uniform());
  std::sort(std::begin(u), std::end(u));
  const int low = int(r.low), high = int(r.high);
  return std::min(high, low + int(u[1] * (high - low + 1)));
}

// What a section shows of a fault along it is no fault that anyone would draw.
Range strikes(const SyntheticSeismic& o, bool section) {
  if (!section) return o.strike;
  const Range r{std::max(o.strike.low, -50.0), std::min(o.strike.high, 50.0)};
  return r.low <= r.high ? r : o.strike;
}

// Dips and strikes as the fault before: side by side, crossing it the other way, or taking over from it.
void relate(SyntheticFault& f, const SyntheticFault& before, const SyntheticSeismic& o, const Range& strike,
            int64_t inlines, int64_t crosslines, int64_t samples, RandomSequence& random) {
  const double how = double(random.uniform()), jitter = random.uniform(-0.2, 0.2), step = random.uniform(4, 14),
               turn = side(random), overlap = random.uniform(0.7, 1.3);
  const bool parallel = how < o.parallel, crosses = !parallel && how < o.parallel + o.conjugate,
             continues = !parallel && !crosses && how < o.parallel + o.conjugate + o.en_echelon;
  if (!parallel && !crosses && !continues) return;
  const bool left = (before.dip > kHalfTurn / 2) != crosses;
  if ((f.dip > kHalfTurn / 2) != left) f.dip = kHalfTurn - f.dip;
  f.strike = std::clamp(before.strike + 0.15 * (f.strike - before.strike), radians(strike.low), radians(strike.high));
  if (crosses) {
    f.x = before.x + jitter * before.down, f.y = before.y - jitter * before.down;
    f.z = before.z + jitter * before.down;
  }
  if (continues) {
    const double hx = std::cos(before.strike), hy = std::sin(before.strike), far = turn * overlap * before.along;
    f.x = before.x - far * hy + step * hx, f.y = before.y + far * hx + step * hy, f.z = before.z;
    f.dip = before.dip, f.strike = before.strike;
  }
  f.x = std::clamp(f.x, 0.0, double(crosslines));
  f.y = inlines > 1 ? std::clamp(f.y, 0.0, double(inlines)) : 0;
  f.z = std::clamp(f.z, 0.0, double(samples));
}
}  // namespace

std::vector<SyntheticFault> draw_faults(const SyntheticSeismic& o, int64_t inlines, int64_t crosslines, int64_t samples,
                                        RandomSequence& random) {
  const double bin = draw_log(random, o.bin);  // one grid for all
  std::vector<SyntheticFault> faults(size_t(draw_fault_count(random, o.faults)));
  const Range strike = strikes(o, inlines == 1);
  for (size_t i = 0; i < faults.size(); ++i) {
    SyntheticFault& f = faults[i];
    f.x = random.uniform(0, double(crosslines));
    f.y = inlines > 1 ? random.uniform(0, double(inlines)) : 0;
    f.z = random.uniform(0.1, 0.9) * double(samples);
    const double dip = draw(random, o.dip);
    f.dip = dip >= 90 ? kHalfTurn / 2 : std::atan(std::tan(radians(dip)) * bin);
    if (bin != 1) f.dip = std::clamp(f.dip, radians(kFlattest), radians(kSteepest));
    f.strike = radians(draw(random, strike));
    if (random.uniform() < 0.5f) f.dip = kHalfTurn - f.dip;
    if (i > 0) relate(f, faults[i - 1], o, strike, inlines, crosslines, samples, random);
    f.throw_ = draw_log(random, o.throw_) * (chance(random, o.reverse) ? -1 : 1);
    // Rock is bent, not torn, outside the surface: the ellipse and the reach are not small beside the slip.
    const double slip = std::abs(f.throw_) / std::sin(f.dip);
    f.down = std::max(draw(random, o.length) * double(samples), 2.5 * slip);
    f.along = f.down * draw(random, o.aspect);
    f.reach = std::max(f.down * random.uniform(0.5, 1.2), 2.5 * slip);
    f.drag = draw(random, o.drag);
    f.drag_width = random.uniform(3, 6 + 0.5 * slip);
    const double grows = side(random), flattens = random.uniform(12, 35), bow = random.uniform(-0.35, 0.35),
                 turn = random.uniform(-0.2, 0.2);
    if (chance(random, o.linear)) f.linear = grows;
    if (chance(random, o.listric)) {  // as steep as drawn at the top of the volume, flat below it
      const double sign = f.dip > kHalfTurn / 2 ? -1 : 1, steep = std::abs(std::cos(f.dip) / std::sin(f.dip)),
                   flat = std::max(steep + 0.3, 1 / (std::tan(radians(flattens)) * bin));
      f.listric = (flat - steep) / double(samples);
      f.dip = std::atan2(1, sign * std::min(steep + f.listric * f.z, 1 / std::tan(radians(kFlatEnd))));
    }
    if (chance(random, o.curved)) {
      const double half = std::max(std::min(f.along, double(std::max(inlines, crosslines)) / 2), 1.0);
      f.curve = bow / half, f.curve_turn = turn / (half * half);
    }
  }
  return faults;
}

FaultSurface::FaultSurface(const SyntheticFault& f, bool section, double least_throw)
    : cx_(float(f.x)),
      cy_(float(f.y)),
      cz_(float(f.z)),
      hx_(float(std::cos(f.strike))),
      hy_(float(std::sin(f.strike))),
      sin_dip_(float(std::sin(f.dip))),
      cos_dip_(float(std::cos(f.dip))),
      cot_(float(std::cos(f.dip) / std::sin(f.dip))),
      bend_(float(f.listric)),
      top_(-kFar),
      bottom_(kFar),
      square_(float(f.curve)),
      cube_(float(f.curve_turn)),
      half_slip_(float(f.throw_ / (2 * std::sin(f.dip)))),
      down_(float(f.down)),
      along_(float(f.along)),
      reach_(float(f.reach)),
      drag_(float(f.drag)),
      drag_width_(float(std::max(f.drag_width, 1e-3))),
      linear_(float(f.linear)),
      labelled_from_(float(least_throw / 2)),
      section_(section) {
  if (f.listric > 0) {  // no steeper than upright, no flatter than the end of such faults
    const double cot = std::abs(std::cos(f.dip) / std::sin(f.dip)), end = 1 / std::tan(radians(kFlatEnd));
    top_ = float(std::min(0.0, (0.02 - cot) / f.listric));
    bottom_ = float(std::max(0.0, (end - cot) / f.listric));
  }
  if (cos_dip_ < 0) half_slip_ = -half_slip_;  // the rock above the surface is where it falls from
}

void FaultSurface::follow(float* x, float* y, float* z, float* distance, int64_t n) const {
  const float cx = cx_, cy = cy_, cz = cz_, hx = hx_, hy = hy_, sin_dip = sin_dip_, cos_dip = cos_dip_, cot = cot_;
  const float falls = cot < 0 ? -1.0f : 1.0f, size = std::abs(cot), bend = bend_, top = top_, bottom = bottom_;
  const float square = square_, cube = cube_, half_slip = half_slip_, drag = drag_, linear = linear_;
  const float per_down = 1 / down_, per_along = 1 / along_, per_reach = 1 / reach_, per_width = 1 / drag_width_;
  const float labelled_from = labelled_from_, along = along_, by_line = section_ ? 0.0f : 1.0f;
  const bool grows = linear != 0;
  vectorised([=] {
    for (int64_t i = 0; i < n; ++i) {
      const float dx = x[i] - cx, dy = y[i] - cy, dz = z[i] - cz;
      const float h = dx * hx + dy * hy, s = dy * hx - dx * hy;
      // The surface: h = falls * fall(dz) + bow(s), both of them going on straight outside their ends.
      const float t = std::min(std::max(dz, top), bottom), cotangent = size + bend * t;
      const float fall = size * t + 0.5f * bend * t * t + cotangent * (dz - t);
      const float r = std::min(std::max(s, -along), along), slope = r * (2 * square + 3 * cube * r);
      const float bow = r * r * (square + cube * r) + slope * (s - r);
      const float across = h - falls * fall - bow;  // horizontally
      const float plane = across + cot * dz;        // h as it were on the plane
      const float w = across / std::sqrt(1 + slope * slope + cotangent * cotangent);
      const float u = s * per_along, v = (cos_dip * plane + sin_dip * dz) * per_down;
      const float inside = std::max(1 - u * u - v * v, 0.0f), fade = std::max(1 - u * u, 0.0f),
                  growing = std::min(std::max(0.5f + 0.5f * linear * v, 0.0f), 1.0f);
      const float slip = half_slip * (grows ? growing * fade * fade : inside * inside);
      const float away = std::max(1 - std::abs(w) * per_reach, 0.0f),
                  beside = std::max(1 - std::abs(w) * per_width, 0.0f);
      const float move = (w > 0 ? slip : -slip) * away * away * (1 - drag * beside * beside);
      const float upright = 1 / std::sqrt(1 + cotangent * cotangent);
      const float per_length = move * upright;  // of (cotangent, 1), along the surface
      const float sideways = per_length * falls * cotangent;
      x[i] -= sideways * hx;
      y[i] -= sideways * hy;
      z[i] -= per_length;
      const float gx = std::abs(hx + slope * hy), gy = std::abs(hy - slope * hx) * by_line;
      const float voxels = across / std::max(std::max(gx, gy), cotangent);
      const bool nearer = std::abs(slip) * upright >= labelled_from && std::abs(voxels) < std::abs(distance[i]);
      distance[i] = nearer ? voxels : distance[i];
    }
  });
}

}  // namespace kern::data
