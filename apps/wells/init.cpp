#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "apps/new_config.h"
#include "apps/wells/verbs.h"
#include "data/names.h"
#include "data/number.h"
#include "data/wells_inspect.h"
#include "data/wells_survey.h"
#include "kernels/common/log.h"

namespace kern::apps {
namespace {
using data::SurveyedCurve;

constexpr double kMaxMissing = 0.5, kLeastCoverage = 0.6;
constexpr size_t kMaxCurves = 8;
constexpr int64_t kMaxClasses = 64, kFewWells = 20;

struct KnownCode {
  const char *code, *name, *colour;
};
// Of the FORCE 2020 contest (Bormann et al. 2020), which others use as well.
constexpr KnownCode kForce[] = {{"30000", "sandstone", "#f0e442"}, {"65030", "sandstone/shale", "#c8b560"},
                                {"65000", "shale", "#808080"},     {"80000", "marl", "#009e73"},
                                {"74000", "dolomite", "#cc79a7"},  {"70000", "limestone", "#56b4e9"},
                                {"70032", "chalk", "#a8e0ff"},     {"88000", "halite", "#ffd0e0"},
                                {"86000", "anhydrite", "#b59be0"}, {"99000", "tuff", "#d55e00"},
                                {"90000", "coal", "#1a1a1a"},      {"93000", "basement", "#7a1f1f"}};

struct Chosen {
  std::string names, why;  // "GR|SGR"
  bool logarithm = false;
  std::string first() const { return names.substr(0, names.find('|')); }
};

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

// One entry a kind of measurement that most wells have, the names that wells give it as aliases.
std::vector<Chosen> known_curves(const data::WellsSurvey& s) {
  std::vector<Chosen> out;
  for (const data::CurveFamily& family : data::curve_families()) {
    std::vector<const SurveyedCurve*> found;
    for (const std::string& name : family.names)
      for (const SurveyedCurve& c : s.curves)
        if (data::same_name(c.name, name) && !c.words) found.push_back(&c);
    std::stable_sort(found.begin(), found.end(), [](auto* a, auto* b) { return a->wells > b->wells; });
    Chosen chosen{.logarithm = family.logarithm};
    int64_t wells = 0;
    std::string units;
    for (const SurveyedCurve* c : found) {
      // Another name helps only wells that lack the first, and only in the same unit.
      if (!chosen.names.empty() && (wells >= s.wells || !data::same_name(c->unit, found[0]->unit))) continue;
      chosen.names += (chosen.names.empty() ? "" : "|") + c->name;
      wells += c->wells;
    }
    if (found.empty() || double(std::min(wells, s.wells)) < kLeastCoverage * double(s.wells)) continue;
    chosen.why = fmt::format("{}{}, in {} of {} wells", family.measures,
                             found[0]->unit.empty() ? "" : " in " + found[0]->unit, std::min(wells, s.wells), s.wells);
    out.push_back(std::move(chosen));
  }
  return out;
}

// Where no name is known: every measured curve that most wells have.
std::vector<Chosen> other_curves(const data::WellsSurvey& s, const std::string& label) {
  std::vector<Chosen> out;
  for (const SurveyedCurve& c : s.curves) {
    const bool is_label =
        data::same_name(c.name, label) || std::any_of(s.other_labels.begin(), s.other_labels.end(),
                                                      [&](const std::string& l) { return data::same_name(l, c.name); });
    if (c.words || is_label || c.distinct < 3 || c.least == c.most || double(c.wells) < 0.8 * double(s.wells)) continue;
    out.push_back({c.name,
                   fmt::format("in {} of {} wells, {:.4g} to {:.4g}{}", c.wells, s.wells, c.least, c.most,
                               c.unit.empty() ? "" : " " + c.unit),
                   c.spread > 20});
  }
  return out;
}

// Every code of the label with its number of samples and wells, ascending.
std::vector<data::UnmappedCode> codes_of(data::WellsOptions o) {
  o.codes = {{"no such code", 0}};  // so that none is known
  o.classes = 1;
  o.ignore_unmapped = true;
  std::vector<data::UnmappedCode> codes = data::load_wells(o).unmapped;
  std::sort(codes.begin(), codes.end(), [](const auto& a, const auto& b) {
    double x = 0, y = 0;
    const bool p = data::parse_number(a.code, x), q = data::parse_number(b.code, y);
    return p && q ? x < y : p != q ? p : a.code < b.code;
  });
  return codes;
}

bool of_force(const std::vector<data::UnmappedCode>& codes) {
  return std::all_of(codes.begin(), codes.end(), [](const data::UnmappedCode& c) {
    return std::any_of(std::begin(kForce), std::end(kForce), [&](const KnownCode& k) { return c.code == k.code; });
  });
}

void write_classes(NewConfig& out, const std::vector<data::UnmappedCode>& codes) {
  const bool force = of_force(codes);
  if (force) out.comment("The codes are those of the FORCE 2020 contest, and so are the names.");
  else out.comment("One class a code. Give them their names; two codes in one class: codes: [3, 4].");
  out.line("classes:");
  for (const data::UnmappedCode& c : codes) {
    double number = 0;
    const bool numeric = data::parse_number(c.code, number);
    std::string name = numeric ? "code " + c.code : c.code, colour;
    for (const KnownCode& k : kForce)
      if (force && c.code == k.code) name = k.name, colour = fmt::format(", colour: \"{}\"", k.colour);
    const auto flow = [](const std::string& s) { return training::to_flow(training::field::write_value(s)); };
    out.line(fmt::format("  - {{name: {}{}, codes: [{}]}}", flow(name), colour, flow(c.code)),
             fmt::format("{} samples in {} {}", c.samples, c.wells, c.wells == 1 ? "well" : "wells"));
  }
}

// Whether the classes of nearly every well follow each other in depth and never go back, as zones between horizons do.
bool classes_are_monotone(const data::WellSet& set) {
  int64_t monotone = 0, labelled = 0;
  for (const data::Well& w : set.wells) {
    int last = -1;
    bool any = false, back = false;
    for (const int label : w.labels) {
      if (label < 0) continue;
      any = true;
      back = back || label < last;
      last = std::max(last, label);
    }
    labelled += any;
    monotone += any && !back;
  }
  return set.classes >= 3 && labelled >= 5 && double(monotone) >= 0.98 * double(labelled);
}

}  // namespace

void run_wells_init(const InitConfig& c, Call& call) {
  NewConfig out(c.out, c.overwrite);
  data::WellsOptions o{.path = c.data};
  const data::WellsSurvey survey = data::survey_wells(o);
  o.label = c.label.empty() ? survey.label : c.label;
  std::string names;
  for (const SurveyedCurve& curve : survey.curves) names += (names.empty() ? "" : ", ") + curve.name;
  check(!o.label.empty(), "none of the curves and columns of ", c.data,
        " looks like labels: say which holds the classes with label=. There are: ", names);

  std::vector<Chosen> curves = known_curves(survey);
  const bool known = !curves.empty();
  if (!known) curves = other_curves(survey, o.label);
  check(!curves.empty(), "no curve of ", c.data, " is measured in most wells. There are: ", names);
  if (curves.size() > kMaxCurves) curves.resize(kMaxCurves);
  const auto use = [&] {
    o.curves.clear();
    for (const Chosen& one : curves) o.curves.push_back(one.names);
  };
  use();

  // Wells of another step would be left out: they are resampled to that of most.
  data::WellSet all = [&] {
    data::WellsOptions unlabelled = o;
    unlabelled.label.clear();
    return data::load_wells(unlabelled);
  }();
  const auto other_steps = std::count_if(all.skipped.begin(), all.skipped.end(),
                                         [](const data::Problem& p) { return p.remedy.starts_with("set step="); });
  if (other_steps > 0) o.step = all.step;

  const std::vector<data::UnmappedCode> codes = codes_of(o);
  check(codes.size() >= 2, "the label ", o.label, " holds ", codes.size() == 1 ? "one value alone" : "no value",
        ": there is nothing to tell apart. Say which curve holds the classes with label=");
  check(int64_t(codes.size()) <= kMaxClasses, "the label ", o.label, " holds ", codes.size(),
        " different values: is that a class number? Say which curve holds the classes with label=");
  for (size_t i = 0; i < codes.size(); ++i) o.codes.emplace_back(codes[i].code, int(i));
  o.classes = int(codes.size());
  data::WellSet set = data::load_wells(o);
  data::WellsSummary summary = data::summarise_wells(set);
  std::vector<std::string> left_out;
  for (size_t i = curves.size(); i-- > 0 && curves.size() > 1;)
    if (summary.curves[i].missing_share > kMaxMissing) {
      left_out.push_back(fmt::format("{} ({} missing)", curves[i].first(), percent(summary.curves[i].missing_share)));
      curves.erase(curves.begin() + int64_t(i));
    }
  if (!left_out.empty()) {
    use();
    set = data::load_wells(o);
    summary = data::summarise_wells(set);
  }
  check(summary.labelled_wells >= 2, summary.labelled_wells == 1 ? "one well has" : "no well has",
        " labels: a training needs at least two, one of them to validate");

  out.comment(
      fmt::format("Made by kern wells init from {}: {} wells, {} of them with labels, {} samples ({} labelled), every "
                  "{:g} {}.",
                  c.data, summary.wells, summary.labelled_wells, summary.samples, summary.labelled_samples,
                  summary.step, summary.depth_unit.empty() ? "units of depth" : summary.depth_unit));
  for (const data::Problem& p : survey.skipped) out.comment("Cannot be read: " + p.sentence);
  out.key("data", c.data);
  out.blank();
  out.comment(
      known ? "Input curves; a|b: a, or b where a well has no a."
            : "None of the usual mnemonics is there: every curve that most wells measure. Take out what no network "
              "should read (coordinates, drilling parameters).");
  std::vector<std::string> logarithms;
  for (size_t i = 0; i < curves.size(); ++i) {
    const double missing = summary.curves[i].missing_share;
    out.comment(fmt::format("{}: {}{}", curves[i].names, curves[i].why,
                            missing > 0 ? fmt::format(", {} of the samples missing", percent(missing)) : ""));
    if (curves[i].logarithm && summary.curves[i].least > 0) logarithms.push_back(curves[i].first());
    else if (curves[i].logarithm && summary.curves[i].most > 0) logarithms.push_back(curves[i].first());
  }
  if (!left_out.empty()) out.comment("Left out: " + fmt::format("{}", fmt::join(left_out, ", ")));
  out.key("curves", o.curves);
  if (!logarithms.empty()) out.key("log10", logarithms, "these span decades");
  out.key("scaling", std::string("robust"), "by median and quartiles: spikes do not matter");
  if (o.step > 0)
    out.key("step", o.step,
            fmt::format("{} of {} wells are sampled otherwise, and are resampled", other_steps, summary.wells));
  out.blank();
  if (c.label.empty() && !survey.other_labels.empty())
    out.comment(fmt::format("Others that could be labels: {}", fmt::join(survey.other_labels, ", ")));
  out.key("label", o.label);
  write_classes(out, codes);
  out.blank();
  const bool few = summary.labelled_wells <= kFewWells;
  const auto folds_can_be_made = [&] {  // two files of one well are one well
    try {
      data::split_wells(set.wells, {.validation = 0.2, .folds = 5});
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  if (few && summary.labelled_wells >= 5 && folds_can_be_made()) {
    out.comment(
        "With so few wells the figures depend on which of them validate: train fold 0 to 4, and look at all five.");
    out.key("folds", 5);
    out.key("fold", 0);
  } else {
    out.key("validation", summary.labelled_wells < 5 ? 1.0 / double(summary.labelled_wells) : 0.2,
            "share of the labelled wells, whole ones");
  }
  out.blank();
  const double usual_length = double(summary.samples) / double(std::max<int64_t>(1, summary.wells));
  const bool monotone = classes_are_monotone(set);
  // Where a zone lies is seen from the zones above and below it: such wells are read whole.
  const bool whole = !few && monotone && usual_length <= 4096;
  int64_t window = whole ? 0 : 1024;
  while (window > 128 && double(window) > usual_length) window /= 2;
  const int batch = whole ? 4 : 8;
  const int64_t windows = std::max<int64_t>(1, whole ? summary.labelled_wells : summary.labelled_samples / window),
                updates = std::max<int64_t>(1, (windows + batch - 1) / batch);
  if (few) {
    out.comment("Too few wells for a network of its own: it reads what boosted trees read, and corrects them.");
    out.key("features", std::string("windows"));
    out.key("residual_on", std::string("boosting"));
    out.key("model", std::string("mlp"));
    out.key("channels", std::vector<int>{64});
    out.key("radius", 0);
  } else {
    out.key("model", std::string("unet_strided"));
  }
  out.key("window", window,
          whole ? "whole wells: classes come in order, so that what lies above and below tells them" : "samples");
  out.key("batch", batch, whole ? "wells" : "windows");
  const int64_t wanted = few ? 400 : monotone ? 6000 : 3000;
  out.key("epochs", std::clamp<int64_t>((wanted + updates - 1) / updates, few ? 20 : 10, 200),
          fmt::format("of about {} updates", updates));
  out.key("lr", 0.002);
  out.key("optimiser", std::string("adamw"));
  out.key("weight_decay", 0.01);
  int64_t least = summary.labelled_samples, most = 0;
  for (const int64_t n : summary.class_counts) least = std::min(least, n), most = std::max(most, n);
  if (most > 10 * std::max<int64_t>(1, least)) {
    out.key("class_weights", std::string("complement"),
            fmt::format("the commonest class has {} samples, the rarest {}", most, least));
    out.key("monitor", std::string("macro_f1"));
  }
  if (!few) out.line("augment: {gain: 0.1, shift: 0.1, noise: 0.1}", "of the scaled curves");
  if (monotone) out.key("monotone", true, "in nearly every well the classes never go back with depth");
  out.key("run", std::string("runs/") + std::filesystem::path(c.out).stem().string());

  TrainConfig check_it;
  training::Schema keys("kern wells train");
  describe_train(keys, check_it);
  out.write(keys, "kern wells train " + c.out);
  call.figures.add("out", c.out);
  call.figures.add("label", o.label);
  call.figures.add("curves", o.curves);
  call.figures.add("classes", int64_t(codes.size()));
  call.figures.add("labelled_wells", summary.labelled_wells);
}

}  // namespace kern::apps
