#include <fmt/format.h>

#include "apps/findings.h"
#include "apps/wells/verbs.h"
#include "data/wells_inspect.h"
#include "data/wells_survey.h"
#include "kernels/common/log.h"

namespace kern::apps {
namespace {

void print_summary(const data::WellsSummary& s, const training::ClassList& classes) {
  fmt::print("{} wells ({} with labels), {} samples ({} labelled), {} to {} samples a well, step {:g} {}\n\n", s.wells,
             s.labelled_wells, s.samples, s.labelled_samples, s.shortest, s.longest, s.step, s.depth_unit);
  fmt::print("{:<16} {:>8} {:>12} {:>12} {:>12} {:>9} {:>14}\n", "curve", "unit", "least", "mean", "most", "missing",
             "wells without");
  for (const data::CurveSummary& c : s.curves)
    fmt::print("{:<16} {:>8} {:>12.5g} {:>12.5g} {:>12.5g} {:>8.2f}% {:>14}\n", terminal_text(c.name),
               terminal_text(c.unit), c.least, c.mean, c.most, 100 * c.missing_share, c.wells_without);
  if (s.labelled_samples > 0) fmt::print("\n{:<24} {:>12} {:>8}\n", "class", "samples", "share");
  for (size_t i = 0; i < s.class_counts.size() && s.labelled_samples > 0; ++i)
    fmt::print("{:<24} {:>12} {:>7.2f}%\n", classes[i].name, s.class_counts[i],
               100 * double(s.class_counts[i]) / double(s.labelled_samples));
}

}  // namespace

void run_wells_inspect(const TrainConfig& c, Call& call) {
  // Codes outside the classes are what a person wants to see here, not an error.
  data::WellsOptions options = c.data.options();
  options.ignore_unmapped = true;
  const data::WellSet set = data::load_wells(options);
  const data::WellsSummary summary = data::summarise_wells(set);
  print_summary(summary, set.classes > 0 ? c.data.class_list(set.classes) : training::ClassList{});

  if (c.data.label.empty()) {
    const data::WellsSurvey survey = data::survey_wells(options);
    std::string names;
    for (const data::SurveyedCurve& curve : survey.curves)
      names += fmt::format("{}{} ({} wells)", names.empty() ? "" : ", ", curve.name, curve.wells);
    fmt::print("\nno label= is given; the files have: {}{}\n", terminal_text(names),
               survey.label.empty() ? "" : "; " + terminal_text(survey.label) + " looks like labels");
  }
  std::vector<data::Finding> findings;
  if (summary.labelled_wells >= 2) {
    const data::Split split = data::split_wells(set.wells, c.split.options());
    const data::Normalisation scales =
        data::fit_normalisation(set.wells, split.training, {.scaling = c.scaling, .mask = c.mask, .log10 = c.log10});
    findings = data::inspect_wells(set, &split, &scales);
  } else {
    findings = data::inspect_wells(set);
  }
  call.figures.add("wells", summary.wells);
  call.figures.add("labelled_wells", summary.labelled_wells);
  call.figures.add("samples", summary.samples);
  fmt::print("\n");
  say_findings(findings, call);
}

}  // namespace kern::apps
