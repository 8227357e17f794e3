#include "data/wells_inspect.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/statistics.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr int64_t kShortWell = 32;  // samples; a network sees hardly more than padding
constexpr double kOtherSize = 30;   // median and spread both so many times another well's: another unit
constexpr double kRareShare = 0.01;

using Findings = std::vector<Finding>;

std::string plural(int64_t n, const char* one) { return text(n, " ", one, n == 1 ? "" : "s"); }

// "A, B, C and 4 more"
std::string list(const std::vector<std::string>& names) {
  constexpr size_t kMax = 6;
  std::string out;
  for (size_t i = 0; i < std::min(kMax, names.size()); ++i) out += text(i ? ", " : "", names[i]);
  return names.size() > kMax ? text(out, " and ", names.size() - kMax, " more") : out;
}

std::string percent(double share) { return text(std::round(share * 1000) / 10, " %"); }

// Different spellings of one unit, as logging companies write them.
std::string usual_unit(std::string_view unit) {
  std::string plain;
  for (const char c : unit)
    if (c != ' ' && c != '.' && c != '_' && c != '-') plain += c >= 'A' && c <= 'Z' ? char(c + 32) : c;
  static const std::map<std::string, std::string> same = {
      {"gapi", "api"},      {"apiunits", "api"},   {"gammaapi", "api"},  {"metres", "m"},     {"meters", "m"},
      {"metre", "m"},       {"meter", "m"},        {"mt", "m"},          {"feet", "ft"},      {"foot", "ft"},
      {"f", "ft"},          {"ohmm", "ohm m"},     {"ohmsm", "ohm m"},   {"ohm/m", "ohm m"},  {"us/f", "us/ft"},
      {"usec/ft", "us/ft"}, {"g/cm3", "g/cc"},     {"g/c3", "g/cc"},     {"gm/cc", "g/cc"},   {"gr/cc", "g/cc"},
      {"v/v", "fraction"},  {"m3/m3", "fraction"}, {"frac", "fraction"}, {"dec", "fraction"}, {"ft3/ft3", "fraction"},
      {"pu", "%"},          {"percent", "%"},      {"pct", "%"},         {"b/e", "barns/e"},  {"inches", "in"},
      {"inch", "in"},       {"unitless", ""},      {"none", ""}};
  const auto entry = same.find(plain);
  return entry == same.end() ? plain : entry->second;
}

void look_at_loading(const WellSet& set, Findings& out) {
  for (const UnmappedCode& u : set.unmapped)
    out.push_back({Severity::error, u.file,
                   text("the label ", set.label_name, " holds the code ", u.code, " (", plural(u.samples, "sample"),
                        " in ", plural(u.wells, "well"), ", first in ", u.file, "), which no class has"),
                   text("add ", u.code, " to codes, or set ignore_unmapped=true to leave such samples unlabelled")});
  for (const Problem& p : set.skipped)
    out.push_back({Severity::warning, p.file, text("left out: ", p.sentence), p.remedy});
  for (const Problem& p : set.notes) out.push_back({Severity::note, p.file, p.sentence, p.remedy});
}

void look_at_labels(const WellSet& set, const WellsSummary& summary, Findings& out) {
  if (set.label_name.empty()) return;
  std::vector<std::string> absent, empty;
  for (const Well& w : set.wells) {
    std::map<int, int64_t> outside;
    bool any = false;
    for (const int label : w.labels) {
      any |= label != kUnlabelled;
      if (label < kUnlabelled || label >= set.classes) ++outside[label];
    }
    for (const auto& [label, samples] : outside)
      out.push_back({Severity::error, w.id,
                     text("the well ", w.id, " holds the label ", label, " in ", plural(samples, "sample"),
                          ", outside the classes 0 .. ", set.classes - 1),
                     text("raise classes, or map ", label, " in codes")});
    if (w.labels.empty()) absent.push_back(w.id);
    else if (!any) empty.push_back(w.id);
  }
  if (!absent.empty())
    out.push_back({Severity::note, "",
                   text(plural(int64_t(absent.size()), "well"), " of ", set.wells.size(),
                        " without a label curve: ", list(absent)),
                   "supervised training leaves them aside"});
  if (!empty.empty())
    out.push_back({Severity::warning, "",
                   text("the label ", set.label_name, " is empty throughout in ", plural(int64_t(empty.size()), "well"),
                        ": ", list(empty)),
                   set.unmapped.empty() ? "check the label curve's name and NULL; such wells count as unlabelled"
                                        : "they hold codes that no class has: add those to the classes' codes"});
  std::vector<std::string> none, rare;
  size_t present = 0;
  for (size_t c = 0; c < summary.class_counts.size(); ++c) {
    const int64_t n = summary.class_counts[c];
    present += n > 0;
    if (n == 0) none.push_back(text(c));
    else if (double(n) < kRareShare * double(summary.labelled_samples))
      rare.push_back(text(c, " (", percent(double(n) / double(summary.labelled_samples)), ")"));
  }
  if (present == 0) out.push_back({Severity::error, "", "no sample of any well is labelled", "check label and codes"});
  if (present == 1)
    out.push_back({Severity::error, "", "all labelled samples are of one class: there is nothing to tell apart",
                   "check label and codes, or add wells with other classes"});
  if (present > 1 && !none.empty())
    out.push_back({Severity::warning, "", text("no sample has the class ", list(none)),
                   "take it out of codes, or add wells that have it"});
  if (!rare.empty())
    out.push_back({Severity::note, "", text("rare classes: ", list(rare), " of the labelled samples"),
                   "merge them in codes, or weight the classes"});
}

void look_at_duplicates(const WellSet& set, const Split* split, Findings& out) {
  std::map<int64_t, std::vector<int64_t>> members;
  const std::vector<int64_t> group = group_wells(set.wells);
  for (size_t i = 0; i < group.size(); ++i) members[group[i]].push_back(int64_t(i));
  const auto holds = [](const std::vector<int64_t>& side, int64_t well) {
    return std::find(side.begin(), side.end(), well) != side.end();
  };
  for (const auto& [number, wells] : members) {
    if (wells.size() < 2) continue;
    std::vector<std::string> names;
    bool trains = false, evaluates = false;
    for (const int64_t w : wells) {
      names.push_back(text(set.wells[size_t(w)].id, " of ", set.wells[size_t(w)].source));
      if (split)
        trains |= holds(split->training, w) || holds(split->unlabelled, w), evaluates |= holds(split->validation, w);
    }
    const bool leaks = trains && evaluates;
    out.push_back(
        {leaks ? Severity::error : Severity::warning, set.wells[size_t(wells[0])].id,
         text("one well ", names.size() == 2 ? "twice" : text(names.size(), " times"), " (same name, UWI or values)",
              leaks ? ", in training and in validation" : "", ": ", list(names)),
         leaks ? "remove the copies, or let the split be made by kern"
               : "remove the copies; a split keeps them on one side"});
  }
}

struct Sized {  // a curve in one well
  size_t well;
  double median, spread;  // spread: 5th to 95th percentile
};

void look_at_curve(const WellSet& set, size_t c, bool log10, Findings& out) {
  const std::string& name = set.curve_names[c];
  std::vector<std::string> constant;
  std::map<std::string, std::vector<std::string>> units;
  std::map<float, std::pair<int64_t, std::string>> leftovers;  // count, first well
  std::vector<Sized> sizes;
  std::vector<float> all;
  for (size_t w = 0; w < set.wells.size(); ++w) {
    const Well& well = set.wells[w];
    std::vector<float> values;
    for (const float v : well.curves[c].values) {
      if (std::isnan(v)) continue;
      if (likely_null(v)) {
        auto& [count, first] = leftovers[v];
        if (count++ == 0) first = well.id;
      } else {
        values.push_back(v);
      }
    }
    if (const std::string unit = usual_unit(well.curves[c].unit); !unit.empty()) units[unit].push_back(well.id);
    if (values.empty()) continue;
    all.insert(all.end(), values.begin(), values.end());
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    if (*least == *most && values.size() > 1) constant.push_back(text(well.id, " (", *least, ")"));
    const auto at = [&](double q) { return double(quantile_lower(values, q)); };
    sizes.push_back({w, std::abs(at(0.5)), at(0.95) - at(0.05)});
  }
  if (!constant.empty())
    out.push_back(
        {Severity::warning, "",
         text("the curve ", name, " is constant in ", plural(int64_t(constant.size()), "well"), ": ", list(constant)),
         "a stuck tool or a filler value: leave such wells out, or name the value in null_values"});
  if (units.size() > 1) {
    std::string sentence = text("the units of ", name, " disagree:");
    for (const auto& [unit, wells] : units)
      sentence += text(units.begin()->first == unit ? " " : "; ", unit, " in ", list(wells));
    out.push_back({Severity::warning, "", sentence, "convert the files to one unit"});
  }
  for (const auto& [value, found] : leftovers)
    out.push_back({Severity::warning, found.second,
                   text(plural(found.first, "value"), " of ", name, found.first == 1 ? " is " : " are ", value,
                        " (first in ", found.second, "), which looks like a missing value"),
                   text("set null_values to hold ", value)});
  if (all.empty()) return;

  const auto middle = [&](double Sized::*part) {
    std::vector<double> v;
    for (const Sized& s : sizes) v.push_back(s.*part);
    return median_high(v);
  };
  const double median = middle(&Sized::median), spread = middle(&Sized::spread);
  for (const Sized& s : sizes) {
    if (log10 || sizes.size() < 3 || median == 0 || spread == 0) break;
    const bool larger = s.median > kOtherSize * median && s.spread > kOtherSize * spread;
    const bool smaller = s.median < median / kOtherSize && s.spread < spread / kOtherSize && s.spread > 0;
    if (larger || smaller)
      out.push_back({Severity::warning, set.wells[s.well].id,
                     text("the values of ", name, " in the well ", set.wells[s.well].id,
                          " are of another size (median ", s.median, ", in other wells ", median, ")"),
                     "another unit? convert the file, or leave the well out"});
  }

  // Spikes are found by the percentiles of all wells, whatever the scaling: a spike must not hide behind itself.
  std::vector<Well> one(1);
  one[0].curves.push_back({.name = name, .values = std::move(all)});
  const bool positive =
      std::any_of(one[0].curves[0].values.begin(), one[0].curves[0].values.end(), [](float v) { return v > 0; });
  const int64_t first_well[] = {0};
  std::vector<std::string> logs;
  if (log10 && positive) logs.push_back(name);
  const Normalisation robust = fit_normalisation(one, first_well, {.scaling = Scaling::robust, .log10 = logs});
  int64_t spikes = 0, wells = 0;
  float worst = 0, worst_value = 0;
  double worst_depth = 0;
  std::string worst_well;
  for (const Well& well : set.wells) {
    const std::vector<float> scaled = scaled_curve(well.curves[c], robust.curves[0]);
    int64_t here = 0;
    for (size_t i = 0; i < scaled.size(); ++i) {
      if (!(std::abs(scaled[i]) > kClip) || likely_null(well.curves[c].values[i])) continue;
      ++here;
      if (std::abs(scaled[i]) > worst)
        worst = std::abs(scaled[i]), worst_value = well.curves[c].values[i], worst_depth = well.depth[i],
        worst_well = well.id;
    }
    spikes += here, wells += here > 0;
  }
  if (spikes > 0)
    out.push_back({Severity::warning, worst_well,
                   text("spikes: ", plural(spikes, "value"), " of ", name, " in ", plural(wells, "well"), " beyond ",
                        double(kClip), " times the usual range, the worst ", worst_value, " at ", worst_depth, " in ",
                        worst_well),
                   log10 ? "correct them in the file, or use scaling=robust, which clips them"
                         : "correct them in the file, use scaling=robust, or log10 for a resistivity"});
}

void look_at_depth(const WellSet& set, Findings& out) {
  std::map<std::string, std::vector<std::string>> units;
  std::vector<std::string> uneven;
  for (const Well& w : set.wells) {
    if (const std::string unit = usual_unit(w.depth_unit); !unit.empty()) units[unit].push_back(w.id);
    int64_t gaps = 0, odd = 0;
    double longest = 0, first = 0;
    for (size_t i = 1; i < w.depth.size(); ++i) {
      const double d = w.depth[i] - w.depth[i - 1];
      if (d > 1.5 * w.step) {
        if (gaps++ == 0) first = w.depth[i - 1];
        longest = std::max(longest, d);
      } else {
        odd += !same_step(d, w.step);
      }
    }
    if (gaps > 0)
      out.push_back(
          {Severity::warning, w.id,
           text("the well ", w.id, " has ", plural(gaps, "depth gap"), ", the first below ", first, ", the longest of ",
                longest, " ", w.depth_unit),
           text("set step=", w.step,
                " to have gaps filled with missing samples; otherwise the network sees the two sides as neighbours")});
    if (odd > 0) uneven.push_back(w.id);
    if (w.length() < kShortWell)
      out.push_back({Severity::warning, w.id, text("the well ", w.id, " has only ", plural(w.length(), "sample")),
                     "too short to learn from: leave it out"});
  }
  if (!uneven.empty())
    out.push_back(
        {Severity::note, "",
         text("the samples of ", plural(int64_t(uneven.size()), "well"), " are not evenly spaced: ", list(uneven)),
         text("set step=", set.step, " to resample them")});
  if (units.size() > 1) {
    std::string sentence = "the depth units disagree:";
    for (const auto& [unit, wells] : units)
      sentence += text(units.begin()->first == unit ? " " : "; ", unit, " in ", list(wells));
    out.push_back({Severity::note, "", sentence,
                   text("nothing needs to be done: steps are compared, and resampled, in ", set.step_unit,
                        ", and depths stay in the files' own units")});
  }
}

void look_at_split(const WellSet& set, const Split& split, Findings& out) {
  const auto counts = [&](const std::vector<int64_t>& side) {
    std::vector<int64_t> n(size_t(set.classes), 0);
    for (const int64_t w : side)
      for (const int label : set.wells[size_t(w)].labels)
        if (label >= 0 && label < set.classes) ++n[size_t(label)];
    return n;
  };
  const std::vector<int64_t> training = counts(split.training), validation = counts(split.validation);
  std::vector<std::string> unlearnt, unevaluated;
  for (size_t c = 0; c < training.size(); ++c) {
    if (training[c] == 0 && validation[c] > 0) unlearnt.push_back(text(c));
    if (training[c] > 0 && validation[c] == 0) unevaluated.push_back(text(c));
  }
  if (!unlearnt.empty())
    out.push_back({Severity::warning, "",
                   text("only validation wells have the class ", list(unlearnt), ": it cannot be learnt"),
                   "choose another fold or seed, or merge it in codes"});
  if (!unevaluated.empty())
    out.push_back({Severity::note, "",
                   text("no validation well has the class ", list(unevaluated), ": nothing will be known of it"),
                   "choose another fold or seed, or use folds"});
}

void look_at_normalisation(const WellSet& set, const Normalisation& n, Findings& out) {
  int64_t missing = 0, wells = 0;
  for (size_t c = 0; c < n.curves.size(); ++c) {
    int64_t clipped = 0;
    for (const Well& w : set.wells)
      for (const float v : scaled_curve(w.curves.at(c), n.curves[c])) clipped += std::abs(v) > kClip;
    if (clipped > 0)
      out.push_back({Severity::note, "",
                     text(plural(clipped, "value"), " of ", n.curves[c].name, clipped == 1 ? " is" : " are",
                          " clipped at ", double(kClip), " after scaling"),
                     ""});
  }
  for (const Well& w : set.wells) {
    int64_t here = 0;
    for (size_t c = 0; c < n.curves.size(); ++c)
      for (const float v : scaled_curve(w.curves.at(c), n.curves[c])) here += std::isnan(v);
    missing += here, wells += here > 0;
  }
  if (!n.mask && missing > 0)
    out.push_back({Severity::warning, "",
                   text(plural(missing, "missing value"), " in ", plural(wells, "well"),
                        " cannot be told from measured ones, because there is no mask channel"),
                   "set mask=on"});
}

}  // namespace

std::vector<Finding> inspect_wells(const WellSet& set, const Split* split, const Normalisation* normalisation) {
  Findings out;
  const WellsSummary summary = summarise_wells(set);
  look_at_loading(set, out);
  look_at_labels(set, summary, out);
  look_at_duplicates(set, split, out);
  for (size_t c = 0; c < set.curve_names.size(); ++c)
    look_at_curve(set, c, normalisation && c < normalisation->curves.size() && normalisation->curves[c].log10, out);
  look_at_depth(set, out);
  if (split) look_at_split(set, *split, out);
  if (normalisation) look_at_normalisation(set, *normalisation, out);
  std::stable_sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return out;
}

WellsSummary summarise_wells(const WellSet& set) {
  WellsSummary s{.wells = int64_t(set.wells.size()), .step = set.step};
  s.class_counts.assign(size_t(set.classes), 0);
  std::map<std::string, int64_t> depth_units;
  for (const Well& w : set.wells) {
    int64_t labelled = 0;
    for (const int label : w.labels) {
      labelled += label != kUnlabelled;
      if (label >= 0 && label < set.classes) ++s.class_counts[size_t(label)];
    }
    s.samples += w.length();
    s.labelled_samples += labelled;
    s.labelled_wells += labelled > 0;
    s.longest = std::max(s.longest, w.length());
    s.shortest = s.shortest == 0 ? w.length() : std::min(s.shortest, w.length());
    ++depth_units[w.depth_unit];
  }
  const auto most_frequent = [](const std::map<std::string, int64_t>& counts) {
    const auto best = std::max_element(counts.begin(), counts.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    return best == counts.end() ? std::string() : best->first;
  };
  s.depth_unit = most_frequent(depth_units);
  for (size_t c = 0; c < set.curve_names.size(); ++c) {
    CurveSummary curve{.name = set.curve_names[c], .least = INFINITY, .most = -INFINITY};
    std::map<std::string, int64_t> units;
    double sum = 0;
    int64_t measured = 0;
    for (const Well& w : set.wells) {
      int64_t here = 0;
      for (const float v : w.curves[c].values) {
        if (std::isnan(v)) continue;
        curve.least = std::min(curve.least, double(v));
        curve.most = std::max(curve.most, double(v));
        sum += double(v);
        ++here;
      }
      measured += here;
      curve.wells_without += here == 0;
      if (here > 0) ++units[w.curves[c].unit];
    }
    curve.unit = most_frequent(units);
    curve.mean = sum / double(measured);
    if (measured == 0) curve.least = curve.mean = curve.most = NAN;
    curve.missing_share = s.samples == 0 ? 0 : 1 - double(measured) / double(s.samples);
    s.curves.push_back(std::move(curve));
  }
  return s;
}

}  // namespace kern::data
