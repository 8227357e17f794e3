#include "data/section_gaps.h"

#include <algorithm>

namespace kern::data {

std::vector<bool> mirror_gaps(std::span<float> traces, int64_t samples) {
  const auto count = int64_t(traces.size()) / samples;
  const auto trace = [&](int64_t t) { return traces.subspan(size_t(t * samples), size_t(samples)); };
  std::vector<bool> live;
  for (int64_t t = 0; t < count; ++t) {
    const auto v = trace(t);
    live.push_back(std::any_of(v.begin(), v.end(), [](float x) { return x != 0; }));
  }
  constexpr int64_t kNone = int64_t{1} << 40;
  std::vector<int64_t> nearest(size_t(count), kNone);
  for (int64_t t = 0, last = -kNone; t < count; ++t) nearest[size_t(t)] = last = live[size_t(t)] ? t : last;
  for (int64_t t = count, next = 2 * kNone; t-- > 0;) {
    if (live[size_t(t)]) next = t;
    if (next - t < t - nearest[size_t(t)]) nearest[size_t(t)] = next;
  }
  for (int64_t t = 0; t < count; ++t) {
    const int64_t edge = nearest[size_t(t)];
    if (live[size_t(t)] || edge < 0 || edge >= count) continue;
    const int64_t mirrored = 2 * edge - t;
    const bool there = mirrored >= 0 && mirrored < count && live[size_t(mirrored)];
    std::ranges::copy(trace(there ? mirrored : edge), trace(t).begin());
  }
  return live;
}

void clear_mutes(std::span<const float> traces, int64_t samples, std::span<float> probability) {
  constexpr int64_t kLong = 16, kNear = 4;
  const auto count = int64_t(traces.size()) / samples;
  std::vector<uint8_t> still(traces.size(), 0);  // with what is near in the same trace
  for (int64_t t = 0; t < count; ++t)
    for (int64_t z = 0; z < samples;) {
      int64_t end = z;
      while (end < samples && traces[size_t(t * samples + end)] == 0) ++end;
      if (end - z >= kLong)
        for (int64_t k = std::max<int64_t>(0, z - kNear); k < std::min(samples, end + kNear); ++k)
          still[size_t(t * samples + k)] = 1;
      z = end + 1;
    }
  for (int64_t t = 0; t < count; ++t)
    for (int64_t near = std::max<int64_t>(0, t - kNear); near <= std::min(count - 1, t + kNear); ++near)
      for (int64_t z = 0; z < samples; ++z)
        if (still[size_t(near * samples + z)]) probability[size_t(t * samples + z)] = 0;
}

}  // namespace kern::data
