#include "training/localisation.h"

#include <algorithm>
#include <cmath>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

std::vector<float> sorted(std::vector<float> v) {
  std::sort(v.begin(), v.end());
  return v;
}
double share_at_least(const std::vector<float>& sorted_scores, float t) {
  return double(sorted_scores.end() - std::lower_bound(sorted_scores.begin(), sorted_scores.end(), t)) /
         double(sorted_scores.size());
}

}  // namespace

void Localisation::add(std::span<const float> map, std::span<const uint8_t> mask, int64_t H, int64_t W) {
  check(int64_t(map.size()) == H * W && (mask.empty() || mask.size() == map.size()), "a map of ", H, "x", W,
        " pixels needs as many scores and mask values, got ", map.size(), " and ", mask.size());
  for (const float v : map) check(std::isfinite(v), "an anomaly map holds ", v);
  std::vector<char> seen(map.size(), 0);
  std::vector<int64_t> open;
  for (int64_t first = 0; first < H * W; ++first) {
    if (mask.empty() || mask[size_t(first)] == 0) {
      outside_.push_back(map[size_t(first)]);
      continue;
    }
    if (seen[size_t(first)]) continue;
    std::vector<float> region;
    seen[size_t(first)] = 1;
    open.push_back(first);
    while (!open.empty()) {
      const int64_t at = open.back(), y = at / W, x = at % W;
      open.pop_back();
      region.push_back(map[size_t(at)]);
      for (int64_t v = std::max<int64_t>(0, y - 1); v <= std::min(H - 1, y + 1); ++v)
        for (int64_t u = std::max<int64_t>(0, x - 1); u <= std::min(W - 1, x + 1); ++u) {
          const auto next = size_t(v * W + u);
          if (mask[next] == 0 || seen[next]) continue;
          seen[next] = 1;
          open.push_back(int64_t(next));
        }
    }
    regions_.push_back(sorted(std::move(region)));
  }
}

double Localisation::pixel_auroc() const {
  if (regions_.empty() || outside_.empty()) return std::nan("");
  const std::vector<float> outside = sorted(outside_);
  double wins = 0, count = 0;
  for (const auto& region : regions_)
    for (const float v : region) {
      const auto [low, high] = std::equal_range(outside.begin(), outside.end(), v);
      wins += double(low - outside.begin()) + 0.5 * double(high - low);
      ++count;
    }
  return wins / (count * double(outside.size()));
}

double Localisation::region_overlap(double limit) const {
  check(limit > 0 && limit <= 1, "the limit of the false-positive rate must be above 0 and at most 1, got ", limit);
  if (regions_.empty() || outside_.empty()) return std::nan("");
  const std::vector<float> outside = sorted(outside_);
  // Along thresholds that fall from above every score; each distinct false-positive rate at most once in a step of
  // 1/1000.
  constexpr int kSteps = 1000;
  double area = 0, last_rate = 0, last_overlap = 0;
  auto overlap_at = [&](float t) {
    double sum = 0;
    for (const auto& region : regions_) sum += share_at_least(region, t);
    return sum / double(regions_.size());
  };
  last_overlap = overlap_at(std::nextafter(outside.back(), INFINITY));  // what is found before the first false alarm
  for (int i = 0; i <= kSteps; ++i) {
    const double wanted = limit * double(i) / kSteps;
    const auto rank = std::min(outside.size() - 1, size_t(wanted * double(outside.size())));
    const float t = outside[outside.size() - 1 - rank];
    const double rate = share_at_least(outside, t), overlap = overlap_at(t);
    if (rate <= last_rate) continue;
    if (rate >= limit) {  // the last piece ends at the limit
      const double part = (limit - last_rate) / (rate - last_rate);
      area += (limit - last_rate) * (last_overlap + 0.5 * part * (overlap - last_overlap));
      last_rate = limit;
      break;
    }
    area += (rate - last_rate) * 0.5 * (last_overlap + overlap);
    last_rate = rate, last_overlap = overlap;
  }
  if (last_rate < limit) area += (limit - last_rate) * last_overlap;
  return area / limit;
}

}  // namespace kern::training
