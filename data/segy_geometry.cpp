#include "data/segy_geometry.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

// Sorted numbers as an axis: every step of their common distance, unless that would be mostly holes.
std::vector<int> axis_of(std::vector<int> numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  int64_t step = 0;
  for (size_t i = 1; i < numbers.size(); ++i) step = std::gcd(step, int64_t(numbers[i]) - numbers[i - 1]);
  if (step == 0) return numbers;
  const int64_t count = (int64_t(numbers.back()) - numbers.front()) / step + 1;
  if (count > 2 * int64_t(numbers.size()) + 64) return numbers;
  std::vector<int> axis;
  for (int64_t i = 0; i < count; ++i) axis.push_back(int(numbers.front() + i * step));
  return axis;
}

// Pairs of places where files that do not follow the standard keep inline and crossline.
struct Pair {
  int il, xl;
};
constexpr Pair kUsualPlaces[] = {{189, 193}, {9, 21}, {9, 13}, {17, 13}, {5, 21}};

}  // namespace

const char* to_string(SegyKind kind) {
  switch (kind) {
    case SegyKind::line:
      return "2-D line";
    case SegyKind::cube:
      return "3-D cube";
    case SegyKind::prestack:
      return "prestack";
  }
  return "";
}

// What is learnt on the way through the headers.
struct SegyGeometry::Found {
  std::vector<int32_t> offsets, ensembles;  // of every trace
  int64_t shared = 0;                       // positions with traces of different offsets
  Range il{INT64_MAX, INT64_MIN}, xl{INT64_MAX, INT64_MIN};
  Range usual[std::size(kUsualPlaces)][2];
};

SegyGeometry::SegyGeometry(const SegyFile& file) {
  check(file.traces() <= int64_t(std::numeric_limits<uint32_t>::max()), file.name(), " has ", file.traces(),
        " traces, more than Kern numbers (4294967295): cut it into several files");
  const ByteOrder order = file.layout().order;
  const SegyField il = trace_field_at("il", file.options().il), xl = trace_field_at("xl", file.options().xl);
  Found found;
  for (auto& pair : found.usual) pair[0] = pair[1] = {INT64_MAX, INT64_MIN};
  offsets_ = delays_ = {INT64_MAX, INT64_MIN};
  const auto widen = [](Range& r, int64_t v) { r.least = std::min(r.least, v), r.most = std::max(r.most, v); };
  int64_t zeros = 0, zeros_alike = 0;
  int32_t zero_offset = 0;
  places_.reserve(size_t(file.traces()));
  file.each_header([&](int64_t trace, std::span<const std::byte> header) {
    const auto get = [&](const SegyField& f) { return int32_t(get_field(header, f, order)); };
    const Place p{get(il), get(xl), uint32_t(trace)};
    const int32_t offset = get(trace_field::offset);
    places_.push_back(p);
    found.offsets.push_back(offset);
    found.ensembles.push_back(get(trace_field::ensemble));
    if (p.inline_number == 0 && p.crossline_number == 0) {
      if (zeros > 0) zeros_alike += offset == zero_offset;
      else zero_offset = offset;
      ++zeros;
    }
    widen(found.il, p.inline_number), widen(found.xl, p.crossline_number);
    for (size_t i = 0; i < std::size(kUsualPlaces); ++i) {
      widen(found.usual[i][0], get({"", kUsualPlaces[i].il, 4}));
      widen(found.usual[i][1], get({"", kUsualPlaces[i].xl, 4}));
    }
    widen(offsets_, offset), widen(delays_, get(trace_field::delay));
    dead_ += get(trace_field::identification) == 2;
  });

  // Padding: several traces that share the numbers 0, 0 and their offset, among others that have numbers.
  if (zeros_alike > 0 && zeros < int64_t(places_.size())) {
    unnumbered_ = zeros;
    std::erase_if(places_, [](const Place& p) { return p.inline_number == 0 && p.crossline_number == 0; });
  }
  const auto in_order = [](const Place& a, const Place& b) {
    return std::tie(a.inline_number, a.crossline_number, a.trace) <
           std::tie(b.inline_number, b.crossline_number, b.trace);
  };
  const std::vector<Place> in_file = places_;
  if (!std::is_sorted(places_.begin(), places_.end(), in_order)) std::sort(places_.begin(), places_.end(), in_order);

  // One trace a place; whether the others differ in their offset tells prestack data from duplicates.
  size_t kept = 0;
  for (size_t i = 0; i < places_.size();) {
    size_t next = i + 1;
    bool differ = false;
    int64_t alike = 0;
    for (; next < places_.size() && places_[next].inline_number == places_[i].inline_number &&
           places_[next].crossline_number == places_[i].crossline_number;
         ++next) {
      const bool same = found.offsets[places_[next].trace] == found.offsets[places_[next - 1].trace];
      differ |= !same, alike += same;
    }
    found.shared += differ;
    duplicates_ += alike;
    places_[kept++] = places_[i];
    i = next;
  }
  places_.resize(kept);

  std::vector<int> lines, columns;
  for (const Place& p : places_) {
    if (lines.empty() || lines.back() != p.inline_number) lines.push_back(p.inline_number);
    columns.push_back(p.crossline_number);
  }
  inlines_ = axis_of(std::move(lines)), crosslines_ = axis_of(std::move(columns));

  const bool one_place = places_.size() == 1 && in_file.size() > 1;
  std::vector<int32_t> ensembles = found.ensembles;
  std::sort(ensembles.begin(), ensembles.end());
  const bool own_ensembles = std::adjacent_find(ensembles.begin(), ensembles.end()) == ensembles.end();
  // A path across the grid fills hardly more than one place of a row.
  const bool path = inlines_.size() > 2 && crosslines_.size() > 2 &&
                    places_.size() < 2 * std::max(inlines_.size(), crosslines_.size());
  if (2 * found.shared > int64_t(places_.size()) && !(one_place && own_ensembles)) kind_ = SegyKind::prestack;
  else if (one_place || path) kind_ = SegyKind::line;
  if (kind_ == SegyKind::line) {
    // In the order of the file; numbered by the ensembles where these ascend, else from 1.
    bool ascending = true;
    for (size_t i = 1; i < in_file.size(); ++i)
      ascending &= found.ensembles[in_file[i].trace] > found.ensembles[in_file[i - 1].trace];
    places_.clear();
    crosslines_.clear();
    for (size_t i = 0; i < in_file.size(); ++i) {
      const int number = ascending ? found.ensembles[in_file[i].trace] : int(i + 1);
      places_.push_back({in_file[0].inline_number, number, in_file[i].trace});
      crosslines_.push_back(number);
    }
    inlines_ = {in_file[0].inline_number};
    duplicates_ = 0;
  }

  by_crossline_.resize(places_.size());
  std::iota(by_crossline_.begin(), by_crossline_.end(), 0u);
  std::sort(by_crossline_.begin(), by_crossline_.end(), [&](uint32_t a, uint32_t b) {
    return std::tie(places_[a].crossline_number, places_[a].inline_number) <
           std::tie(places_[b].crossline_number, places_[b].inline_number);
  });
  name_odd_things(file, found);
}

void SegyGeometry::name_odd_things(const SegyFile& file, const Found& found) {
  const auto& o = file.options();
  const auto say = [&](const auto&... parts) { findings_.push_back(text(parts...)); };
  if (kind_ == SegyKind::prestack)
    say("the file is prestack: most places have several traces, of offsets ", offsets_.least, " to ", offsets_.most,
        ". Stack it first; read as it is, the first trace of every place counts");
  if (found.il.least == found.il.most && found.xl.least == found.xl.most && file.traces() > 1) {
    std::string others;
    for (size_t i = 0; i < std::size(kUsualPlaces) && others.empty(); ++i) {
      const auto& [il, xl] = kUsualPlaces[i];
      const auto& [lines, columns] = found.usual[i];
      // Along a 2-D line numbers grow from trace to trace, and both of them do: that is no grid.
      const auto grows = [&](const auto& range) {
        return (int64_t(range.most) - int64_t(range.least)) % std::max<int64_t>(1, file.traces() - 1) == 0;
      };
      if (il != o.il && lines.least < lines.most && columns.least < columns.most && !(grows(lines) && grows(columns)))
        others = text("; bytes ", il, " and ", xl, " do: try il=", il, " xl=", xl);
    }
    say("inline (byte ", o.il, ") and crossline (byte ", o.xl, ") never change", others,
        kind_ == SegyKind::line ? "; the traces are taken as one line in the order of the file" : "");
  } else if (kind_ == SegyKind::line) {
    say("inline and crossline change together, so the traces are a line across the grid, taken in the order of the "
        "file");
  }
  if (unnumbered_ > 0) say(unnumbered_, " traces have neither inline nor crossline number (both 0) and are left out");
  if (duplicates_ > 0)
    say(duplicates_, duplicates_ == 1 ? " trace repeats" : " traces repeat",
        " a place that another trace has; the first one counts");
  if (kind_ != SegyKind::line && gaps() > 0)
    say("places of the grid without a trace: ", gaps(), " of ", inlines_.size() * crosslines_.size());
  if (dead_ > 0) say(dead_, " traces are marked dead");
  if (delays_.least != delays_.most)
    say("traces start at different times: the delay (bytes 109-110) goes from ", delays_.least, " to ", delays_.most,
        "; samples are taken as they stand");
}

namespace {
std::string range_of(const std::vector<int>& numbers) {
  return numbers.size() == 1 ? text("only ", numbers[0], " is there")
                             : text("they go from ", numbers.front(), " to ", numbers.back());
}
// Where on the axis; the axis is ascending and holds the number.
size_t column_of(const std::vector<int>& axis, int number) {
  return size_t(std::lower_bound(axis.begin(), axis.end(), number) - axis.begin());
}
}  // namespace

SegySection SegyGeometry::inline_section(int number) const {
  check(std::binary_search(inlines_.begin(), inlines_.end(), number), "there is no inline ", number, "; ",
        range_of(inlines_));
  SegySection s{.along_inline = true, .number = number, .columns = crosslines_, .traces = {}};
  s.traces.assign(crosslines_.size(), -1);
  auto at = std::lower_bound(places_.begin(), places_.end(), number,
                             [](const Place& p, int n) { return p.inline_number < n; });
  for (; at != places_.end() && at->inline_number == number; ++at)
    s.traces[column_of(crosslines_, at->crossline_number)] = at->trace;
  return s;
}

SegySection SegyGeometry::crossline_section(int number) const {
  check(std::binary_search(crosslines_.begin(), crosslines_.end(), number), "there is no crossline ", number, "; ",
        range_of(crosslines_));
  SegySection s{.along_inline = false, .number = number, .columns = inlines_, .traces = {}};
  s.traces.assign(inlines_.size(), -1);
  auto at = std::lower_bound(by_crossline_.begin(), by_crossline_.end(), number,
                             [&](uint32_t i, int n) { return places_[i].crossline_number < n; });
  for (; at != by_crossline_.end() && places_[*at].crossline_number == number; ++at)
    s.traces[column_of(inlines_, places_[*at].inline_number)] = places_[*at].trace;
  return s;
}

SegySection SegyGeometry::middle_section() const {
  if (crosslines_.size() == 1) return crossline_section(crosslines_[0]);
  return inline_section(inlines_[inlines_.size() / 2]);
}

std::vector<float> read_section(const SegyFile& file, const SegySection& section) {
  std::vector<float> samples(section.traces.size() * size_t(file.samples()));
  file.read_traces(section.traces, samples);
  return samples;
}

}  // namespace kern::data
