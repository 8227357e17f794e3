#include "data/interpretation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <sstream>

#include "data/number.h"
#include "data/segy_inspect.h"
#include "data/survey_map.h"
#include "engine/random.h"
#include "kernels/common/error.h"
#include "kernels/common/log.h"

namespace kern::data {
namespace {

constexpr size_t kKept = 1 << 16;    // places on faults that pieces are cut round
constexpr double kOnLine = 0.6;      // how far, in lines, the points of a stick may lie from its line
constexpr double kRasterStep = 0.2;  // voxels between the points that a stick is drawn by

struct Stick {
  std::vector<std::array<double, 3>> points;  // fractional (row, column, sample)
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string w; in >> w;) words.push_back(std::move(w));
  return words;
}

// The points of a text by sticks, in the world's coordinates, in the order in which the sticks begin.
std::vector<Stick> parse_sticks(const std::filesystem::path& path) {
  std::ifstream in(path);
  check(bool(in), "cannot read ", path.string());
  std::vector<Stick> sticks;
  std::map<std::string, size_t> known;
  int64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::vector<std::string> words = words_of(line);
    if (words.empty() || words[0][0] == '#' || words[0][0] == '!') continue;
    const bool charisma = words[0] == "INLINE-";
    if (charisma && words.size() >= 4) words.erase(words.begin(), words.begin() + 4);
    std::array<double, 3> p{};
    bool numbers = words.size() >= 4;
    for (size_t d = 0; d < 3 && numbers; ++d) numbers = parse_number(words[d], p[d]);
    check(numbers, path.string(), " line ", number,
          ": expected a point of a fault stick, X Y Z and the stick's number, or a line of a Charisma file; got '",
          line.substr(0, 60), "'");
    std::string name = words[3];
    if (charisma)
      for (size_t i = 4; i < words.size(); ++i) name += " " + words[i];
    const auto [at, fresh] = known.emplace(name, sticks.size());
    if (fresh) sticks.emplace_back();
    sticks[at->second].points.push_back(p);
  }
  check(!sticks.empty(), path.string(), " holds no fault stick");
  return sticks;
}

}  // namespace

int32_t fault_label(float value, const std::vector<int>& fault_values) {
  if (!std::isfinite(value) || value < 0) return -1;
  if (fault_values.empty()) return value > 0;
  return std::find(fault_values.begin(), fault_values.end(), int(std::lround(value))) != fault_values.end();
}

Interpretation::Interpretation(const std::filesystem::path& labels, const SegyOptions& places,
                               std::vector<int> fault_values, const SegyFile& survey, const SegyGeometry& geometry)
    : name_(labels.string()),
      fault_values_(std::move(fault_values)),
      rows_(geometry.inlines().size()),
      columns_(geometry.crosslines().size()),
      width_(int64_t(geometry.crosslines().size())),
      samples_(survey.samples()) {
  check(std::filesystem::is_regular_file(labels), "there is no file ", name_);
  if (is_segy_name(labels)) {
    file_.emplace(labels, places);
    scan_segy(survey, geometry);
  } else {
    read_sticks(labels, survey, geometry);
  }
  for (const Line& l : lines_) (l.along_inline ? rows_ : columns_)[size_t(l.index)] = true;
}

// Of all places on faults kKept, each equally likely.
void Interpretation::keep(Place place) {
  ++fault_samples_;
  if (faults_.size() < kKept) return faults_.push_back(place);
  RandomSequence random(0, RandomStream::shuffle, uint32_t(fault_samples_), uint32_t(fault_samples_ >> 32));
  const double chance = double(kKept) / double(fault_samples_);
  if (random.uniform() < chance) faults_[random.below(kKept)] = place;
}

void Interpretation::scan_segy(const SegyFile& survey, const SegyGeometry& geometry) {
  check(file_->samples() == samples_, name_, " has ", file_->samples(), " samples a trace, and ", survey.name(), " ",
        samples_, ": labels must have the survey's samples");
  const SegyGeometry own(*file_);
  check(own.kind() != SegyKind::prestack, name_, " is prestack: labels must be stacked");
  const auto rows = int64_t(rows_.size());
  traces_.assign(size_t(rows * width_), -1);
  for (int64_t r = 0; r < rows; ++r) {
    const int number = geometry.inlines()[size_t(r)];
    if (!std::binary_search(own.inlines().begin(), own.inlines().end(), number)) continue;
    const SegySection s = own.inline_section(number);
    for (size_t k = 0; k < s.columns.size(); ++k) {
      const auto at = std::lower_bound(geometry.crosslines().begin(), geometry.crosslines().end(), s.columns[k]);
      if (at != geometry.crosslines().end() && *at == s.columns[k])
        traces_[size_t(r * width_ + (at - geometry.crosslines().begin()))] = s.traces[k];
    }
  }
  std::vector<bool> row_has(rows_.size()), column_has(columns_.size());
  std::vector<float> values(static_cast<size_t>(samples_));
  struct Found {
    int64_t row, column, sample;
  };
  const auto each_fault = [&](const auto& f) {
    for (int64_t t = 0; t < rows * width_; ++t) {
      if (traces_[size_t(t)] < 0) continue;
      file_->read_trace(traces_[size_t(t)], values);
      for (int64_t z = 0; z < samples_; ++z)
        if (fault_label(values[size_t(z)], fault_values_) == 1) f(Found{t / width_, t % width_, z});
    }
  };
  each_fault([&](const Found& f) { row_has[size_t(f.row)] = column_has[size_t(f.column)] = true; });
  const auto count = [](const std::vector<bool>& v) { return double(std::count(v.begin(), v.end(), true)); };
  check(
      count(row_has) > 0, name_, " shows no fault on a trace of ", survey.name(),
      fault_values_.empty() ? ": its values above 0 are faults" : ": fault_values= says which of its values are faults",
      ", and traces are found by their inline and crossline numbers");
  const bool by_row = width_ > 1 && (rows == 1 || count(row_has) / double(rows) <= count(column_has) / double(width_));
  const std::vector<bool>& has = by_row ? row_has : column_has;
  std::vector<int64_t> line_of(has.size(), -1);
  for (size_t i = 0; i < has.size(); ++i)
    if (has[i]) line_of[i] = int64_t(lines_.size()), lines_.push_back({by_row, int64_t(i)});
  each_fault([&](const Found& f) {
    keep({line_of[size_t(by_row ? f.row : f.column)], by_row ? f.column : f.row, f.sample});
  });
}

void Interpretation::read_sticks(const std::filesystem::path& path, const SegyFile& survey,
                                 const SegyGeometry& geometry) {
  std::vector<Stick> sticks = parse_sticks(path);
  bool below = true;  // depths that grow downwards as negative numbers
  for (const Stick& s : sticks)
    for (const auto& p : s.points) below = below && p[2] <= 0;
  const SurveyMap map(survey, geometry);
  const auto rows = int64_t(rows_.size());
  const auto inside = [&](const std::array<double, 3>& p) {
    return p[0] > -1 && p[0] < double(rows) && p[1] > -1 && p[1] < double(width_) && p[2] >= -1 &&
           p[2] <= double(samples_);
  };
  int64_t points = 0, outside = 0;
  for (Stick& s : sticks) {
    for (auto& p : s.points) p = map.place({p[0], p[1], below ? -p[2] : p[2]});
    points += int64_t(s.points.size());
    outside += int64_t(std::erase_if(s.points, [&](const auto& p) { return !inside(p); }));
  }
  check(outside < points, "none of the ", points, " points of ", name_, " lies within ", survey.name(),
        ": X and Y are the survey's coordinates (its line numbers, where it has no coordinates) and Z is in ",
        survey.layout().unit(), "; x= and y= say where the coordinates stand in its trace headers");
  if (outside > 0) warn(name_, ": ", outside, " of ", points, " points lie outside the survey and are left out");

  // A stick follows the line that its points share. One straight down follows either: that of most of the others.
  enum class Follows { nothing, inlines, crosslines, either };
  const auto follows = [&](const Stick& s) {
    std::array<double, 2> least{1e18, 1e18}, most{-1e18, -1e18};
    for (const auto& p : s.points)
      for (size_t d = 0; d < 2; ++d) least[d] = std::min(least[d], p[d]), most[d] = std::max(most[d], p[d]);
    const bool one_row = most[0] - least[0] <= kOnLine, one_column = most[1] - least[1] <= kOnLine;
    if (rows == 1) return Follows::inlines;
    if (width_ == 1) return Follows::crosslines;
    return one_row && one_column ? Follows::either
           : one_row             ? Follows::inlines
           : one_column          ? Follows::crosslines
                                 : Follows::nothing;
  };
  std::array<int64_t, 4> counted{};
  std::erase_if(sticks, [](const Stick& s) { return s.points.size() < 2; });
  for (const Stick& s : sticks) ++counted[size_t(follows(s))];
  const bool rather_inlines = counted[size_t(Follows::inlines)] >= counted[size_t(Follows::crosslines)];
  if (counted[size_t(Follows::nothing)] > 0)
    warn(name_, ": ", counted[size_t(Follows::nothing)], " of ", sticks.size(),
         " sticks follow neither an inline nor a crossline and are left out");
  for (const Stick& s : sticks) {
    const Follows f = follows(s);
    if (f == Follows::nothing) continue;
    const bool along_inline = f == Follows::inlines || (f == Follows::either && rather_inlines);
    double middle = 0;
    for (const auto& p : s.points) middle += p[along_inline ? 0 : 1] / double(s.points.size());
    const int64_t columns = along_inline ? width_ : rows, lines = along_inline ? rows : width_;
    const Line line{along_inline, std::clamp<int64_t>(std::llround(middle), 0, lines - 1)};
    Section& section = drawn_[line];
    section.resize(size_t(columns * samples_));
    const auto mark = [&](int64_t column, int64_t sample) {
      if (column >= 0 && column < columns && sample >= 0 && sample < samples_)
        section[size_t(column * samples_ + sample)] = 1;
    };
    // Two samples thick, across what it falls more steeply along.
    for (size_t k = 0; k + 1 < s.points.size(); ++k) {
      const double c0 = s.points[k][along_inline ? 1 : 0], c1 = s.points[k + 1][along_inline ? 1 : 0],
                   z0 = s.points[k][2], z1 = s.points[k + 1][2];
      const double long_side = std::max(std::abs(c1 - c0), std::abs(z1 - z0));
      const auto steps = int64_t(std::ceil(long_side / kRasterStep)) + 1;
      const bool steep = std::abs(z1 - z0) >= std::abs(c1 - c0);
      for (int64_t i = 0; i <= steps; ++i) {
        const double t = double(i) / double(steps), c = c0 + t * (c1 - c0), z = z0 + t * (z1 - z0);
        const auto column = int64_t(std::floor(steep ? c : c + 0.5)), sample = int64_t(std::floor(steep ? z + 0.5 : z));
        mark(column, sample), mark(column + steep, sample + !steep);
      }
    }
  }
  check(!drawn_.empty(), name_, " holds no fault stick of two points that follows an inline or a crossline of ",
        survey.name());
  for (const auto& [line, section] : drawn_) lines_.push_back(line);
  for (size_t l = 0; l < lines_.size(); ++l) {
    const Section& section = drawn_[lines_[l]];
    for (size_t k = 0; k < section.size(); ++k)
      if (section[k] == 1) keep({int64_t(l), int64_t(k) / samples_, int64_t(k) % samples_});
  }
}

void Interpretation::read(int64_t row, int64_t column, std::span<int8_t> labels) const {
  const auto samples = size_t(samples_);
  std::fill(labels.begin(), labels.end(), int8_t(-1));
  if (!rows_[size_t(row)] && !columns_[size_t(column)]) return;
  if (file_) {
    const int64_t trace = traces_[size_t(row * width_ + column)];
    if (trace < 0) return;
    std::vector<float> values(samples);
    file_->read_trace(trace, values);
    for (size_t z = 0; z < samples; ++z) labels[z] = int8_t(fault_label(values[z], fault_values_));
    return;
  }
  // Where two interpreted lines cross, a fault on either is one.
  const auto take = [&](const Line& line, int64_t at) {
    const auto drawn = drawn_.find(line);
    if (drawn == drawn_.end()) return;
    for (size_t z = 0; z < samples; ++z) labels[z] = std::max(labels[z], drawn->second[size_t(at) * samples + z]);
  };
  take({true, row}, column), take({false, column}, row);
}

}  // namespace kern::data
