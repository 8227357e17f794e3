#include "data/wells_reading.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "data/encoding.h"
#include "data/las.h"
#include "data/names.h"
#include "data/number.h"
#include "engine/statistics.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr int kMaxClasses = 256;  // without a table of codes; more than this is no class index but a code
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr double kAbsurd = 1e20;

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

std::string canonical(double code) {
  char buffer[32];
  return {buffer, size_t(std::snprintf(buffer, sizeof buffer, "%.10g", code))};
}

// "65000", "65000.00" and 65000 are one code.
std::string canonical(std::string_view code) {
  code = trimmed(code);
  double number = 0;
  return parse_number(code, number) ? canonical(number) : std::string(code);
}

bool means_missing(std::string_view word) {
  for (const char* missing : {"", "nan", "na", "n/a", "null", "none", "-"})
    if (same_name(word, missing)) return true;
  return false;
}

}  // namespace

std::vector<std::string> aliases_of(std::string_view names) {
  std::vector<std::string> out;
  while (true) {
    const size_t bar = names.find('|');
    const std::string_view name = trimmed(names.substr(0, bar));
    if (!name.empty()) out.emplace_back(name);
    if (bar == names.npos) return out;
    names.remove_prefix(bar + 1);
  }
}

LabelTable::LabelTable(const WellsOptions& options) : options_(options) {
  check(options.classes >= 0 && options.classes <= kMaxClasses, "wells: classes=", options.classes, " is not in 0 .. ",
        kMaxClasses, " (0: as many as the labels need)");
  for (const auto& [code, index] : options.codes) {
    check(index >= kUnlabelled && index < (options.classes ? options.classes : kMaxClasses), "wells: codes maps ", code,
          " to class ", index, ", which is not one of the classes 0 .. ",
          (options.classes ? options.classes : kMaxClasses) - 1, " (nor -1 for unlabelled)");
    const auto [entry, added] = table_.emplace(canonical(std::string_view(code)), index);
    check(added || entry->second == index, "wells: codes maps ", code, " to class ", entry->second, " and to class ",
          index, ": leave one of them");
    largest_ = std::max(largest_, index);
  }
}

int LabelTable::find(const std::string& code, bool& known) const {
  known = true;
  if (!table_.empty()) {
    const auto entry = table_.find(code);
    if (entry != table_.end()) return entry->second;
  } else {
    double number = 0;
    if (parse_number(code, number) && number >= 0 && number < (options_.classes ? options_.classes : kMaxClasses) &&
        number == std::floor(number))
      return int(number);
  }
  known = false;
  return kUnlabelled;
}

int LabelTable::note_unmapped(const std::string& code) {
  ++in_this_well_[code];
  return kUnlabelled;
}

int LabelTable::of_number(double code) {
  if (std::isnan(code)) return kUnlabelled;
  if (last_known_ && code == last_number_) return last_class_;
  for (const double null : options_.null_values)
    if (code == null) return kUnlabelled;
  const std::string text = canonical(code);
  bool known = false;
  const int index = find(text, known);
  last_number_ = code, last_class_ = index, last_known_ = known;
  largest_ = std::max(largest_, index);
  return known ? index : note_unmapped(text);
}

int LabelTable::of_text(std::string_view code) {
  code = trimmed(code);
  double number = 0;
  if (parse_number(code, number)) return of_number(number);
  bool known = false;
  const int index = find(std::string(code), known);
  largest_ = std::max(largest_, index);
  if (known) return index;
  return means_missing(code) ? kUnlabelled : note_unmapped(std::string(code));
}

void LabelTable::end_of_well(const std::string& file) {
  for (const auto& [code, samples] : in_this_well_) {
    UnmappedCode& entry = unmapped_[code];
    if (entry.wells == 0) entry.code = code, entry.file = file;
    entry.samples += samples;
    ++entry.wells;
  }
  in_this_well_.clear();
}

int LabelTable::classes() const { return options_.classes ? options_.classes : largest_ + 1; }

void LabelTable::refuse_unmapped() const {
  if (options_.ignore_unmapped || unmapped_.empty()) return;
  std::string list;
  int listed = 0;
  for (const auto& [code, entry] : unmapped_) {
    if (++listed > 12) {
      list += text(", and ", unmapped_.size() - 12, " more");
      break;
    }
    list += text(listed > 1 ? ", " : "", code, " (", entry.samples, entry.samples == 1 ? " sample in " : " samples in ",
                 entry.wells, entry.wells == 1 ? " well" : " wells", ", first in ", entry.file, ")");
  }
  const bool one = unmapped_.size() == 1;
  throw Error(text("wells: the label ", options_.label, " holds ", one ? "the code " : "codes ",
                   table_.empty() ? "that name no class index" : "that are not in codes", ": ", list, ". Add ",
                   one ? "it" : "them", " to codes, or set ignore_unmapped=true to leave such samples unlabelled"));
}

bool likely_null(float value) {
  constexpr float kNulls[] = {-999.25f, -999, -9999, -9999.25f, -99999, -32768, -32767, 9999, 99999, 999999};
  return std::find(std::begin(kNulls), std::end(kNulls), value) != std::end(kNulls);
}

void drop_absurd_values(Well& well, const std::string& shown, std::vector<Problem>& notes) {
  for (Curve& curve : well.curves) {
    int64_t dropped = 0;
    for (float& v : curve.values)
      if (std::abs(v) > float(kAbsurd)) v = kMissing, ++dropped;
    if (dropped > 0)
      notes.push_back({shown,
                       text(shown, ": ", dropped, dropped == 1 ? " value of " : " values of ", curve.name,
                            " beyond 1e20 is taken for missing"),
                       ""});
  }
}

namespace {

// Keeps the samples whose position keep() accepts.
template <class Keep>
void filter(Well& well, Keep keep) {
  size_t kept = 0;
  for (size_t i = 0; i < well.depth.size(); ++i) {
    if (!keep(i)) continue;
    well.depth[kept] = well.depth[i];
    for (Curve& c : well.curves) c.values[kept] = c.values[i];
    if (!well.labels.empty()) well.labels[kept] = well.labels[i];
    ++kept;
  }
  well.depth.resize(kept);
  for (Curve& c : well.curves) c.values.resize(kept);
  if (!well.labels.empty()) well.labels.resize(kept);
}

bool monotone(const std::vector<double>& depth) {
  return std::is_sorted(depth.begin(), depth.end()) || std::is_sorted(depth.rbegin(), depth.rend());
}

}  // namespace

void settle_depth(Well& well, const std::string& shown, std::vector<Problem>& notes, double null_value) {
  const size_t before = well.depth.size();
  filter(well, [&](size_t i) { return std::isfinite(well.depth[i]); });
  // NULL may be a true depth (999.25): it is only taken for a missing one where it stands out of order.
  if (!monotone(well.depth)) filter(well, [&](size_t i) { return well.depth[i] != null_value; });
  if (const size_t dropped = before - well.depth.size(); dropped > 0)
    notes.push_back({shown,
                     text(shown, ": ", dropped, dropped == 1 ? " row has" : " rows have", " no depth and ",
                          dropped == 1 ? "is" : "are", " left out"),
                     ""});
  check(well.depth.size() >= 2, shown, ": there ", well.depth.size() == 1 ? "is 1 sample" : "are no samples",
        " with a depth, and a well needs at least 2");
  if (well.depth.front() > well.depth.back()) {
    std::reverse(well.depth.begin(), well.depth.end());
    for (Curve& c : well.curves) std::reverse(c.values.begin(), c.values.end());
    std::reverse(well.labels.begin(), well.labels.end());
    notes.push_back({shown, text(shown, ": the depth descends and is turned over"), ""});
  }
  std::vector<double> steps;
  for (size_t i = 1; i < well.depth.size(); ++i) {
    const double d = well.depth[i] - well.depth[i - 1];
    check(d >= 0, shown, ": the depth goes up and down (", well.depth[i - 1], " is followed by ", well.depth[i],
          "): sort the rows by depth, or put each run into a file of its own");
    if (d > 0) steps.push_back(d);
  }
  if (const size_t twice = well.depth.size() - 1 - steps.size(); twice > 0) {
    double first = NAN, previous = NAN;
    filter(well, [&](size_t i) {
      const double d = well.depth[i];  // filter() moves samples forward only: this one stands where it stood
      const bool again = d == previous;
      if (again && std::isnan(first)) first = d;
      previous = d;
      return !again;
    });
    notes.push_back(
        {shown,
         text(shown, ": the depth ", first, " stands twice",
              twice > 1 ? text(", and ", twice - 1, " more like it") : "", "; the first row of each depth is kept"),
         ""});
    check(well.depth.size() >= 2, shown, ": there is 1 depth, and a well needs at least 2");
  }
  well.step = median_low(steps);
}

Well well_from_las(const LasFile& file, Reading& reading) {
  const WellsOptions& o = reading.options;
  const std::string shown = file.path.string();
  Well well;
  well.name = file.well_name;
  well.uwi = file.uwi;
  well.id = !file.well_name.empty() ? file.well_name
            : !file.uwi.empty()     ? file.uwi
                                    : escaped_utf8(file.path.stem().string());
  well.source = shown;
  for (const char c : file.curves.at(0).unit) well.depth_unit += lower(c);
  well.depth = file.curves[0].values;
  for (size_t i = 1; i < file.curves.size(); ++i) reading.seen_curves.insert(file.curves[i].name);
  const auto find = [&](const std::string& names) -> const LasCurve* {
    for (const std::string& name : aliases_of(names))
      if (const LasCurve* c = file.find(name); c && c != &file.curves[0]) return c;
    return nullptr;
  };
  for (const std::string& names : o.curves) {
    const LasCurve* source = same_name(names, kDepthCurve) ? nullptr : find(names);
    Curve curve{.name = aliases_of(names).at(0), .unit = source ? source->unit : std::string()};
    curve.values.assign(well.depth.size(), kMissing);
    for (size_t i = 0; source && i < curve.values.size(); ++i) {
      const double v = source->values[i];
      if (std::find(o.null_values.begin(), o.null_values.end(), v) == o.null_values.end()) curve.values[i] = float(v);
    }
    well.curves.push_back(std::move(curve));
  }
  if (const LasCurve* label = o.label.empty() ? nullptr : find(o.label)) {
    well.labels.reserve(well.depth.size());
    for (const double code : label->values) well.labels.push_back(reading.labels.of_number(code));
  }
  reading.labels.end_of_well(shown);
  drop_absurd_values(well, shown, reading.notes);
  settle_depth(well, shown, reading.notes, file.null_value);
  set_depth_curve(well, {});
  return well;
}

Well well_from_las(const LasFile& file, const WellsOptions& options, std::vector<Problem>& notes) {
  Reading reading(options);
  Well well = well_from_las(file, reading);
  reading.labels.refuse_unmapped();
  notes.insert(notes.end(), reading.notes.begin(), reading.notes.end());
  return well;
}

}  // namespace kern::data
