#include "apps/faults/opendtect/tiles.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "data/fault_sections.h"
#include "data/fault_surfaces.h"
#include "kernels/common/error.h"
#include "kernels/common/log.h"

namespace kern::apps::opendtect {
namespace {

constexpr int64_t kCacheBytes = int64_t{128} << 20;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// What OpendTect calls undefined is 1e30.
bool is_data(float v) { return std::abs(v) < 1e29f && v != 0; }
bool is_dead(std::span<const float> column) { return std::none_of(column.begin(), column.end(), is_data); }

// A column beyond the ends of the section is its mirror image; the end itself is not repeated.
int64_t mirrored(int64_t i, int64_t first, int64_t last) {
  const int64_t length = last - first;
  if (length == 0) return first;
  const int64_t period = 2 * length;
  i = ((i - first) % period + period) % period;
  return first + (i <= length ? i : period - i);
}

}  // namespace

struct SectionTiles::Window {
  const float* middle;
  int64_t reach, samples;
  std::span<const float> column(int64_t j) const {  // -reach <= j <= reach
    return {middle + j * samples, size_t(samples)};
  }
  bool same(int64_t j, std::span<const float> as) const {
    return std::memcmp(middle + j * samples, as.data(), as.size_bytes()) == 0;
  }
  // Whether column j is the centre given again because no trace is there. A trace of the survey may be equal to the
  // centre too, in a cube that was mirrored or repeated: then one of its neighbours is equal to a neighbour of the
  // centre, which no gap can bring about.
  bool stands_for_none(int64_t j) const {
    const auto centre = column(0);
    if (!same(j, centre)) return false;
    for (const int64_t beside : {j - 1, j + 1})
      for (const int64_t of_centre : {-1, 1})
        if (beside != of_centre && beside != 0 && std::abs(beside) <= reach && std::abs(of_centre) <= reach &&
            !same(beside, centre) && same(beside, column(of_centre)))
          return false;
    return true;
  }
};

int64_t SectionTiles::Tile::bytes() const {
  size_t values = seen.size();
  for (const auto& o : outputs) values += o.size();
  return int64_t(values * sizeof(float) + sizeof *this);
}

SectionTiles::SectionTiles(SectionNetwork network, const SeisInfo& info, const Settings& settings, int step)
    : network_(std::move(network)),
      info_(info),
      settings_(settings),
      reach_(info.crosslines / 2),
      context_(std::min<int64_t>(kContext, reach_)),
      kept_(reach_ - context_ + 1),
      step_(step) {
  check(step >= 1, "crosslines are at least 1 apart, got ", step);
}

void SectionTiles::answer(const Request& r, std::span<const float> values, std::span<float> out) {
  internal_check(int64_t(values.size()) == values_in(r, info_) && int64_t(out.size()) == values_out(r, info_),
                 "a request's block has another size than announced");
  const auto samples = size_t(r.samples);
  if (samples == 0) return;
  const Window window{values.data() + (int64_t{info_.inlines / 2} * info_.crosslines + reach_) * r.samples, reach_,
                      r.samples};
  if (is_dead(window.column(0))) {
    for (size_t o = 0; o < size_t(info_.outputs); ++o)
      std::fill_n(out.begin() + int64_t(o * samples), samples, o == probability || o == thinned ? 0.0f : kNan);
    return;
  }
  learn_step(r, window);
  const int64_t column = floor_div(r.crossline, step_);
  const Tile& tile = tile_of(r, window, column);
  const auto at = (column - tile.key.tile * kept_) * r.samples;
  for (size_t o = 0; o < size_t(info_.outputs); ++o)
    if (o < kOutputs) std::copy_n(tile.outputs[o].begin() + at, samples, out.begin() + int64_t(o * samples));
    else std::fill_n(out.begin() + int64_t(o * samples), samples, kNan);
}

// Where the column that is the centre now stood in the window before, there the number of its crossline was.
void SectionTiles::learn_step(const Request& r, const Window& window) {
  if (step_known_) return;
  const auto centre = window.column(0);
  const int64_t apart = int64_t{r.crossline} - before_.crossline;
  if (!window_before_.empty() && r.inline_ == before_.inline_ && r.z0 == before_.z0 && r.samples == before_.samples &&
      apart != 0) {
    const Window before{window_before_.data() + reach_ * r.samples, reach_, r.samples};
    const auto centre_before = before.column(0);
    int64_t found = 0, where = 0;
    for (int64_t j = -reach_; j <= reach_; ++j)
      if (before.same(j, centre) && !before.same(j, centre_before)) ++found, where = j;
    if (found == 1 && apart % where == 0 && apart / where >= 1 && apart / where < 100000) {
      if (apart / where != step_) {
        step_ = int(apart / where);
        tiles_.clear();
        bytes_ = 0;
      }
      step_known_ = true;
      window_before_ = {};
      return;
    }
  }
  before_ = r;
  const auto first = window.column(-reach_);
  window_before_.assign(first.data(), first.data() + info_.crosslines * int64_t{r.samples});
}

const SectionTiles::Tile& SectionTiles::tile_of(const Request& r, const Window& window, int64_t column) {
  const auto centre = window.column(0);
  int64_t first = 0, last = 0;  // of the section, as columns of the window
  while (first > -reach_ && !window.stands_for_none(first - 1)) --first;
  while (last < reach_ && !window.stands_for_none(last + 1)) ++last;
  const int64_t tile = floor_div(column, kept_), begin = tile * kept_ - context_,
                end = tile * kept_ + kept_ + context_ - 1;
  const Key key{r.inline_, tile, std::max(begin, column + first), std::min(end, column + last), r.z0, r.samples};
  const auto found = std::find_if(tiles_.begin(), tiles_.end(), [&](const Tile& t) { return t.key == key; });
  if (found != tiles_.end()) {
    const auto at = size_t((column - tile * kept_) * r.samples);
    // Another trace under the same number: the step is not what was believed.
    if (std::memcmp(found->seen.data() + at, centre.data(), centre.size_bytes()) == 0) {
      tiles_.splice(tiles_.begin(), tiles_, found);
      return tiles_.front();
    }
    bytes_ -= found->bytes();
    tiles_.erase(found);
  }
  tiles_.push_front(compute(key, window, column));
  ++computed_;
  bytes_ += tiles_.front().bytes();
  while (bytes_ > kCacheBytes && tiles_.size() > 1) {
    bytes_ -= tiles_.back().bytes();
    tiles_.pop_back();
  }
  return tiles_.front();
}

SectionTiles::Tile SectionTiles::compute(const Key& key, const Window& window, int64_t column) const {
  const int64_t n = key.samples, columns = kept_ + 2 * context_, begin = key.tile * kept_ - context_;
  auto real = [&](int64_t c) { return window.column(mirrored(c, key.first, key.last) - column); };
  Tile tile{key, {}, {}};
  tile.seen.resize(size_t(kept_ * n));
  for (int64_t c = 0; c < kept_; ++c) std::ranges::copy(real(key.tile * kept_ + c), tile.seen.begin() + c * n);
  for (size_t o = 0; o < kOutputs; ++o) tile.outputs[o].assign(size_t(kept_ * n), o == dip ? kNan : 0.0f);

  int64_t top = n, bottom = 0;  // of the data
  for (int64_t c = key.first; c <= key.last; ++c) {
    const auto v = real(c);
    const auto highest = std::find_if(v.begin(), v.end(), is_data) - v.begin();
    if (highest == n) continue;
    top = std::min<int64_t>(top, highest);
    bottom = std::max<int64_t>(bottom, v.rend() - std::find_if(v.rbegin(), v.rend(), is_data));
  }
  const int64_t height = bottom - top;
  internal_check(height > 0, "a tile without data was asked for");
  std::vector<float> section(size_t(columns * height));
  for (int64_t c = 0; c < columns; ++c) {
    const auto v = real(begin + c).subspan(size_t(top), size_t(height));
    std::ranges::transform(v, section.begin() + c * height, [](float x) { return is_data(x) ? x : 0.0f; });
  }
  data::scale_amplitudes(section, settings_.amplitude > 0 ? settings_.amplitude : data::amplitude_scale(section));

  const data::Block block{1, columns, height};
  const std::vector<float> p = network_(section, columns, height);
  check(p.size() == section.size(), "the model answers a section of ", section.size(), " samples with ", p.size());
  // The metres between samples: of depths the step itself, of two-way times half the way.
  const double spacing = info_.in_time() ? info_.z_step * settings_.velocity / 2 : info_.z_step;
  const data::Spacing metres{1, info_.crossline_distance > 0 ? info_.crossline_distance : 1, spacing > 0 ? spacing : 1};
  const auto threshold = float(settings_.threshold);
  std::vector<data::Normal> normals;
  std::vector<float> thin;
  if (info_.outputs > thinned) {
    normals = data::fault_normals(p, block, 3, threshold);
    thin = data::thin_faults(p, block, normals, threshold);
  }
  for (int64_t c = 0; c < kept_; ++c)
    for (int64_t z = 0; z < height; ++z) {
      const auto from = size_t((context_ + c) * height + z), to = size_t(c * n + top + z);
      tile.outputs[probability][to] = p[from];
      if (normals.empty()) continue;
      tile.outputs[thinned][to] = thin[from];
      if (p[from] >= threshold && normals[from] != data::Normal{})
        tile.outputs[dip][to] = float(data::dip_of(normals[from], metres));
    }
  return tile;
}

}  // namespace kern::apps::opendtect
