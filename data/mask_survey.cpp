#include "data/mask_survey.h"

#include <algorithm>

#include "engine/statistics.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr size_t kMaxColours = 64, kMaxValues = 64;

uint32_t grey_of(const StoredImage& m, int64_t i) { return m.pixels[size_t(i * m.C)]; }
uint32_t colour_at(const StoredImage& m, int64_t i) {
  const uint16_t* p = m.pixels.data() + i * m.C;
  const int down = m.info.bits > 8 ? 8 : 0;
  return uint32_t(p[0] >> down) << 16 | uint32_t(p[1] >> down) << 8 | uint32_t(p[2] >> down);
}
bool is_grey(uint32_t colour) { return (colour >> 16) == (colour & 255) && (colour >> 8 & 255) == (colour & 255); }

constexpr uint32_t kGround = UINT32_MAX;  // no object's value

// Of every object's value: the shorter of the runs of it, across and down, through each of its pixels.
using Widths = std::map<uint32_t, std::vector<int>>;
void add_widths(const std::vector<uint32_t>& values, int64_t H, int64_t W, Widths& widths) {
  std::vector<int> across(values.size(), 0);
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0, end; x < W; x = end) {
      for (end = x + 1; end < W && values[size_t(y * W + end)] == values[size_t(y * W + x)];) ++end;
      for (int64_t i = x; i < end; ++i) across[size_t(y * W + i)] = int(end - x);
    }
  for (int64_t x = 0; x < W; ++x)
    for (int64_t y = 0, end; y < H; y = end) {
      const uint32_t value = values[size_t(y * W + x)];
      for (end = y + 1; end < H && values[size_t(end * W + x)] == value;) ++end;
      if (value == kGround) continue;
      std::vector<int>& of = widths[value];
      for (int64_t i = y; i < end; ++i) of.push_back(std::min(across[size_t(i * W + x)], int(end - y)));
    }
}

}  // namespace

MaskSurvey survey_masks(std::span<const ImageFile> images, int64_t most) {
  std::vector<const ImageFile*> masked;
  for (const ImageFile& p : images)
    if (!p.mask.empty()) masked.push_back(&p);
  check(!masked.empty(), "there is no mask to look at");
  std::vector<const ImageFile*> chosen;
  for (int64_t i = 0; i < std::min<int64_t>(most, int64_t(masked.size())); ++i)
    chosen.push_back(masked[size_t(i * int64_t(masked.size()) / std::min<int64_t>(most, int64_t(masked.size())))]);

  MaskSurvey s;
  std::map<uint32_t, int64_t> values, colours;
  bool coloured = false;
  std::string first_failure;
  // f(mask) of those that can be read; they are read anew each time, for large ones do not fit side by side.
  const auto for_each_mask = [&](auto&& f) {
    for (const ImageFile* p : chosen) try {
        const StoredImage m = read_stored(p->mask);
        check(m.info.format != ImageInfo::Format::jpeg, "mask ", p->mask.string(),
              " is a JPEG, whose compression changes values round every edge; save masks as PNG");
        f(m);
      } catch (const InternalError&) {
        throw;
      } catch (const Error& e) {
        if (first_failure.empty()) first_failure = e.sentence();
      }
  };
  for_each_mask([&](const StoredImage& m) {
    ++s.masks;
    s.pixels += m.H * m.W;
    for (int64_t i = 0; i < m.H * m.W; ++i) {
      if (m.C < 3) {
        ++values[grey_of(m, i)];
        continue;
      }
      const uint32_t c = colour_at(m, i);
      if (colours.size() <= kMaxColours || colours.contains(c)) ++colours[c];
      coloured = coloured || !is_grey(c);
    }
  });
  check(s.masks > 0, first_failure);
  check(values.empty() || !coloured, "some masks are grey and some are coloured: keep masks of one kind in one folder");
  if (coloured) {
    check(colours.size() <= kMaxColours, "the masks hold more than ", kMaxColours,
          " colours: are these masks? Save them without smoothing, as PNG");
    s.kind = MaskKind::colour, s.values = colours;
    s.why = text("they hold ", colours.size(), " colours, each taken for a class");
  } else {
    for (const auto& [c, n] : colours) values[c & 255] += n;  // grey in three channels
    s.values = values;
    const int64_t of_zero = values.contains(0) ? values.at(0) : 0;
    const uint32_t largest = values.rbegin()->first;
    const int64_t ends = of_zero + values.rbegin()->second;
    if (values.size() == 2 && of_zero > 0) {
      s.kind = MaskKind::nonzero;
      s.why = text("they hold 0 and ", largest, ": background and object");
    } else if (values.size() > kMaxValues ||
               (values.size() > 2 && largest >= 250 && double(ends) > 0.97 * double(s.pixels) && of_zero > 0)) {
      s.kind = MaskKind::nonzero;
      s.why = text("nearly all pixels are 0 or ", largest, ", the others are soft edges: background and object");
    } else {
      s.kind = MaskKind::index;
      if (largest == 255 && values.size() > 2) s.ignore.push_back(255);
      s.why = text("they hold ", values.size(), " values, each taken for a class",
                   s.ignore.empty() ? "" : "; 255 is what nobody labelled, as is usual");
    }
  }
  // The object: what is not the first class, or, of several, not the commonest.
  uint32_t ground = 0;
  int64_t largest_count = -1;
  for (const auto& [v, n] : s.values)
    if (n > largest_count) largest_count = n, ground = v;
  if (s.kind == MaskKind::nonzero) ground = 0;
  Widths widths;
  int64_t object = 0;
  for_each_mask([&](const StoredImage& m) {
    std::vector<uint32_t> objects(size_t(m.H * m.W));
    for (int64_t i = 0; i < m.H * m.W; ++i) {
      uint32_t v = m.C < 3 ? grey_of(m, i) : colour_at(m, i);
      if (m.C >= 3 && s.kind != MaskKind::colour) v &= 255;
      const bool ignored = std::find(s.ignore.begin(), s.ignore.end(), int(v)) != s.ignore.end();
      const bool on = v != ground && !ignored;
      objects[size_t(i)] = !on ? kGround : s.kind == MaskKind::nonzero ? 1 : v;
      object += on;
    }
    add_widths(objects, m.H, m.W, widths);
  });
  s.object_share = s.pixels > 0 ? double(object) / double(s.pixels) : 0;
  constexpr double kLeastShare = 0.001;  // what is rarer than that decides nothing
  const size_t least = widths.size() > 1 ? size_t(kLeastShare * double(s.pixels)) : 0;
  for (auto& [value, of] : widths) {
    if (of.size() <= least) continue;
    const double width = median_high(of);
    if (s.object_width == 0 || width < s.object_width) s.object_width = width;
  }
  s.rarest_share = s.pixels > 0 ? double(s.pixels - object) / double(s.pixels) : 0;
  for (const auto& [value, of] : widths)
    s.rarest_share = std::min(s.rarest_share, double(of.size()) / double(s.pixels));
  return s;
}

std::string guess_mask_suffix(const std::filesystem::path& folder) {
  for (const char* suffix :
       {"_mask", "_gt", "_GT", "_label", "_labels", "_seg", "_segmentation", "_annotation", "-mask", "_L", "_bw"})
    if (load_image_folder({.path = folder, .mask_suffix = suffix}).labelled() > 0) return suffix;
  return {};
}

}  // namespace kern::data
