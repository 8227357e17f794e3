#include "data/wells_views.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/common/error.h"

namespace kern::data {
namespace {
constexpr int kShortestHidden = 4, kLongestHidden = 32;
}

void check_options(const StrongView& o) {
  const auto sensible = [](const char* name, double value, double most) {
    check(value >= 0 && value <= most, "wells: a strong view's ", name, " must be from 0 to ", most, ", got ", value);
  };
  sensible("gain", o.gain, 1);
  sensible("drift", o.drift, 100);
  sensible("noise", o.noise, 100);
  sensible("stretch", o.stretch, 4);
  sensible("hide", o.hide, 0.9);
}

ViewOfWindow strong_view(const float* inputs, int64_t length, int64_t curves, bool mask, const StrongView& o,
                         RandomSequence& random) {
  const int64_t channels = curves * (mask ? 2 : 1);
  ViewOfWindow out{std::vector<float>(size_t(length * channels), 0.0f), std::vector<int32_t>(size_t(length), -1)};
  const bool reverse = o.reverse && random.below(2) == 1;
  const double factor = std::exp(random.uniform(-1, 1) * std::log1p(o.stretch)), middle = 0.5 * double(length - 1);
  const auto measured = [&](int64_t i, int64_t c) { return !mask || inputs[i * channels + curves + c] > 0; };

  for (int64_t i = 0; i < length; ++i) {  // where every sample comes from
    const double place = middle + (double(reverse ? length - 1 - i : i) - middle) / factor;
    const int64_t nearest = std::llround(place);
    if (nearest < 0 || nearest >= length) continue;
    out.origin[size_t(i)] = int32_t(nearest);
    const int64_t low = std::clamp<int64_t>(int64_t(std::floor(place)), 0, length - 1),
                  high = std::min(low + 1, length - 1);
    const float part = float(std::clamp(place - double(low), 0.0, 1.0));
    for (int64_t c = 0; c < curves; ++c) {
      const bool between = measured(low, c) && measured(high, c);
      out.inputs[size_t(i * channels + c)] =
          between ? inputs[low * channels + c] * (1 - part) + inputs[high * channels + c] * part
                  : inputs[nearest * channels + c];
      if (mask) out.inputs[size_t(i * channels + curves + c)] = inputs[nearest * channels + curves + c];
    }
  }

  for (int64_t c = 0; c < curves; ++c) {  // what the tool does to them
    const double gain = 1 + random.uniform(-o.gain, o.gain), height = random.uniform(0, o.drift),
                 phase = random.uniform(0, 2 * std::numbers::pi),
                 pace = 2 * std::numbers::pi * random.uniform(0, 1) / double(std::max<int64_t>(1, length));
    for (int64_t i = 0; i < length; ++i) {
      float& value = out.inputs[size_t(i * channels + c)];
      const double noise = o.noise > 0 ? random.normal(0, o.noise) : 0;
      const bool there = out.origin[size_t(i)] >= 0 && (!mask || out.inputs[size_t(i * channels + curves + c)] > 0);
      if (there) value = float(double(value) * gain + height * std::sin(phase + pace * double(i)) + noise);
    }
  }

  for (int64_t left = int64_t(o.hide * double(length)); left > 0;) {  // where it failed; stretches may overlap
    const int64_t size = std::min<int64_t>(left, random.between(kShortestHidden, kLongestHidden)),
                  start = int64_t(random.below(uint32_t(length - size + 1)));
    std::fill_n(out.inputs.begin() + start * channels, size * channels, 0.0f);
    left -= size;
  }
  return out;
}

std::vector<char> drawn_curves(int64_t curves, double probability, RandomSequence& random) {
  std::vector<char> hidden(static_cast<size_t>(curves));
  const auto kept = random.below(uint32_t(std::max<int64_t>(1, curves)));
  for (int64_t c = 0; c < curves; ++c) hidden[size_t(c)] = double(random.uniform()) < probability && c != int64_t(kept);
  return hidden;
}

void hide_curves(float* inputs, int64_t length, int64_t curves, bool mask, const std::vector<char>& hidden) {
  const int64_t channels = curves * (mask ? 2 : 1);
  for (int64_t c = 0; c < curves; ++c)
    for (int64_t i = 0; i < length && hidden[size_t(c)]; ++i) {
      inputs[i * channels + c] = 0;
      if (mask) inputs[i * channels + curves + c] = 0;
    }
}

}  // namespace kern::data
