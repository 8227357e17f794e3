#include "data/wells_survey.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "data/csv.h"
#include "data/las.h"
#include "data/names.h"
#include "data/number.h"
#include "data/wells_reading.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr size_t kMaxDistinct = 65, kMaxKept = 20000;

std::string upper(std::string_view s) {
  std::string out;
  for (const char c : s) out += c >= 'a' && c <= 'z' ? char(c - 32) : c;
  return out;
}

struct Tally {
  std::map<std::string, int64_t> spellings, units;
  int64_t wells = 0, samples = 0, valid = 0, words = 0;
  double least = std::numeric_limits<double>::infinity(), most = -least;
  bool whole = true;
  std::set<double> distinct;
  std::set<std::string> distinct_words;
  std::vector<double> kept;  // every so many values, for the percentiles
  int64_t stride = 1;

  void value(double v) {
    ++valid;
    least = std::min(least, v), most = std::max(most, v);
    whole = whole && v == std::floor(v);
    if (distinct.size() < kMaxDistinct) distinct.insert(v);
    if (valid % stride != 0) return;
    kept.push_back(v);
    if (kept.size() < kMaxKept) return;
    for (size_t i = 0; 2 * i < kept.size(); ++i) kept[i] = kept[2 * i];
    kept.resize(kept.size() / 2);
    stride *= 2;
  }
  void word(std::string_view w) {
    ++valid, ++words;
    if (distinct_words.size() < kMaxDistinct) distinct_words.emplace(w);
  }
};
using Tallies = std::map<std::string, Tally>;

std::string commonest(const std::map<std::string, int64_t>& counts) {
  std::string best;
  int64_t most = 0;
  for (const auto& [word, n] : counts)
    if (n > most) best = word, most = n;
  return best;
}

bool among(std::string_view name, const std::string& names) {
  for (const std::string& one : aliases_of(names))
    if (same_name(one, name)) return true;
  return false;
}

void survey_las(const LasFile& file, const WellsOptions& o, Tallies& tallies) {
  for (size_t c = 1; c < file.curves.size(); ++c) {
    const LasCurve& curve = file.curves[c];
    Tally& t = tallies[upper(curve.name)];
    const int64_t before = t.valid;
    for (const double v : curve.values)
      if (std::isfinite(v) && std::abs(v) < 1e20 && !likely_null(float(v)) &&
          std::find(o.null_values.begin(), o.null_values.end(), v) == o.null_values.end())
        t.value(v);
    if (t.valid == before) continue;
    ++t.wells, ++t.spellings[curve.name];
    if (!curve.unit.empty()) ++t.units[curve.unit];
    t.samples += int64_t(curve.values.size());
  }
}

// Returns how many wells the table has.
int64_t survey_table(const CsvTable& table, const WellsOptions& o, Tallies& tallies) {
  int well_column = -1;
  for (int c = 0; c < table.columns() && well_column < 0; ++c)
    if (among(table.names()[size_t(c)], o.well_column)) well_column = c;
  std::set<std::string, std::less<>> wells;
  for (int c = 0; c < table.columns(); ++c) {
    const std::string& name = table.names()[size_t(c)];
    if (among(name, o.well_column) || among(name, o.depth_column) || among(name, "uwi|row_id|index|id")) continue;
    Tally& t = tallies[upper(name)];
    const int64_t before = t.valid;
    std::set<std::string, std::less<>> with;
    for (int64_t row = 0; row < table.rows(); ++row) {
      const std::string_view cell = table.cell(row, c);
      if (cell.empty()) continue;
      double v = 0;
      const int64_t had = t.valid;
      if (!parse_number(cell, v)) {
        if (!same_name(cell, "nan") && !same_name(cell, "na") && !same_name(cell, "null") && !same_name(cell, "none"))
          t.word(cell);
      } else if (std::isfinite(v) && std::abs(v) < 1e20 && !likely_null(float(v))) {
        t.value(v);
      }
      if (t.valid == had || well_column < 0) continue;
      const std::string_view well = table.cell(row, well_column);
      if (!with.contains(well)) with.emplace(well);
    }
    if (t.valid == before) continue;
    t.wells += well_column < 0 ? 1 : int64_t(with.size());
    ++t.spellings[name];
    t.samples += table.rows();
  }
  if (well_column < 0) return 1;
  for (int64_t row = 0; row < table.rows(); ++row) {
    const std::string_view well = table.cell(row, well_column);
    if (!wells.contains(well)) wells.emplace(well);
  }
  return int64_t(wells.size());
}

// How much a name and its values look like labels; 0: not at all.
int likeness_to_labels(const SurveyedCurve& c) {
  const std::string name = upper(c.name);
  const auto has = [&](const char* word) { return name.find(word) != name.npos; };
  if (has("CONF") || c.distinct < 2 || c.distinct >= int64_t(kMaxDistinct) || !(c.words || c.whole)) return 0;
  const char* const words[] = {"ZONE", "STRAT", "FORMATION", "UNIT", "TARGET", "CLASS", "LABEL", "LITH", "FACIES"};
  int best = 0;
  for (int i = 0; i < int(std::size(words)); ++i)
    if (has(words[i])) best = i + 1;
  return best;
}

}  // namespace

WellsSurvey survey_wells(const WellsOptions& o) {
  WellsSurvey s;
  Tallies tallies;
  std::string first;
  for (const std::filesystem::path& file : well_files(o.path)) {
    ++s.files;
    try {
      if (same_name(file.extension().string(), ".las")) {
        survey_las(read_las(file), o, tallies);
        ++s.wells;
      } else {
        s.wells += survey_table(read_csv(file), o, tallies);
      }
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      s.skipped.push_back({file.string(), e.sentence(), ""});
    }
  }
  if (s.wells == 0)
    throw Error(text("wells: nothing in ", o.path.string(), " can be read. ", s.skipped.at(0).sentence));
  int best = 0;
  for (auto& [name, t] : tallies) {
    if (t.valid == 0) continue;
    SurveyedCurve c{.name = commonest(t.spellings),
                    .unit = commonest(t.units),
                    .wells = t.wells,
                    .samples = t.samples,
                    .valid = t.valid,
                    .least = t.least,
                    .most = t.most,
                    .whole = t.whole && t.words == 0,
                    .distinct = int64_t(t.distinct.size() + t.distinct_words.size()),
                    .words = 2 * t.words > t.valid};
    if (t.least > 0 && !t.kept.empty()) {
      std::sort(t.kept.begin(), t.kept.end());
      c.spread = t.kept[t.kept.size() * 99 / 100] / t.kept[t.kept.size() / 2];
    }
    if (const int likeness = likeness_to_labels(c); likeness > 0) {
      if (likeness > best) {
        if (!s.label.empty()) s.other_labels.push_back(s.label);
        best = likeness, s.label = c.name;
      } else {
        s.other_labels.push_back(c.name);
      }
    }
    s.curves.push_back(std::move(c));
  }
  return s;
}

const std::vector<CurveFamily>& curve_families() {
  static const std::vector<CurveFamily> families = {
      {"gamma ray", {"GR", "SGR", "CGR", "GRC", "GAMMA", "GRGC", "GR_EDTC", "HGR", "GRD"}},
      {"bulk density", {"RHOB", "RHOZ", "DEN", "ZDEN", "RHO", "RHOM"}},
      {"neutron porosity", {"NPHI", "TNPH", "NPOR", "NEU", "CNC", "NPHI_LS", "CNPOR", "CNLS"}},
      {"compressional slowness", {"DTC", "DT", "DTCO", "AC", "DT24", "DTLF", "DT4P"}},
      {"deep resistivity", {"RDEP", "RT", "ILD", "LLD", "RILD", "AT90", "HDRS", "RD", "RESD", "ILTD"}, true},
      {"medium resistivity", {"RMED", "ILM", "RILM", "AT30", "HMRS", "RM", "RESM"}, true},
      {"shallow resistivity", {"RSHA", "LLS", "SFL", "SFLU", "MSFL", "RLL3", "RS", "RESS", "RLLS"}, true},
      {"caliper", {"CALI", "CAL", "HCAL", "C1", "CALX", "MCAL", "DCAL"}},
      {"spontaneous potential", {"SP"}},
      {"photoelectric factor", {"PEF", "PE", "PEFZ", "PDPE"}}};
  return families;
}

}  // namespace kern::data
