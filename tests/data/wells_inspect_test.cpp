#include "data/wells_inspect.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/wells_synthetic.h"
#include "tests/support/not_numbers.h"

namespace kern::data {
namespace {

using kern::testing::kNaN;

WellSet healthy(int64_t wells = 6) {
  WellSet set;
  set.wells = synthetic_wells({.wells = wells, .samples = 400, .seed = 2});
  set.curve_names = {"GR"};
  set.label_name = "FACIES";
  set.classes = kSyntheticClasses;
  set.step = 0.5;
  return set;
}

// The one finding whose sentence holds `part`; a test failure when there is none, or several.
Finding only(const std::vector<Finding>& findings, const std::string& part) {
  std::vector<Finding> hits;
  std::string all;
  for (const Finding& f : findings) {
    all += f.sentence + "\n";
    if (f.sentence.find(part) != std::string::npos) hits.push_back(f);
  }
  EXPECT_EQ(hits.size(), 1u) << "'" << part << "' among\n" << all;
  return hits.empty() ? Finding{} : hits[0];
}

TEST(InspectWells, HealthyWellsGiveNoFinding) {
  const WellSet set = healthy(20);
  const Split split = split_wells(set.wells, {.validation = 0.4});
  const Normalisation n = fit_normalisation(set.wells, split.training, {});
  for (const Finding& f : inspect_wells(set, &split, &n)) ADD_FAILURE() << f.sentence;
}

TEST(InspectWells, LabelsOutsideTheClasses) {
  WellSet set = healthy();
  set.wells[2].labels[7] = set.wells[2].labels[8] = 9;
  const Finding f = only(inspect_wells(set), "outside the classes 0 .. 4");
  EXPECT_EQ(f.severity, Severity::error);
  EXPECT_EQ(f.where, set.wells[2].id);
  EXPECT_NE(f.sentence.find("the label 9 in 2 samples"), std::string::npos) << f.sentence;
  EXPECT_FALSE(f.remedy.empty());
}

TEST(InspectWells, CodesThatNoClassHas) {
  WellSet set = healthy();
  set.unmapped.push_back({.code = "65030", .file = "a.las", .samples = 12, .wells = 2});
  EXPECT_EQ(only(inspect_wells(set), "the code 65030 (12 samples in 2 wells, first in a.las)").severity,
            Severity::error);
}

TEST(InspectWells, OneClassOnlyAndNoneAtAll) {
  WellSet set = healthy();
  for (Well& w : set.wells)
    for (int& label : w.labels) label = 3;
  EXPECT_EQ(only(inspect_wells(set), "one class").severity, Severity::error);
  for (Well& w : set.wells)
    for (int& label : w.labels) label = kUnlabelled;
  const auto findings = inspect_wells(set);
  EXPECT_EQ(only(findings, "no sample of any well is labelled").severity, Severity::error);
  EXPECT_EQ(findings[0].severity, Severity::error);  // the worst comes first
}

TEST(InspectWells, EmptyAndAbsentLabelCurvesAndAbsentClasses) {
  WellSet set = healthy();
  set.wells[1].labels.clear();
  for (int& label : set.wells[2].labels) label = kUnlabelled;
  for (Well& w : set.wells)
    for (int& label : w.labels)
      if (label == 4) label = 0;
  const auto findings = inspect_wells(set);
  EXPECT_EQ(only(findings, "without a label curve: " + set.wells[1].id).severity, Severity::note);
  EXPECT_EQ(only(findings, "empty throughout in 1 well: " + set.wells[2].id).severity, Severity::warning);
  EXPECT_EQ(only(findings, "no sample has the class 4").severity, Severity::warning);
}

TEST(InspectWells, RareClasses) {
  WellSet set = healthy();
  for (Well& w : set.wells)
    for (int& label : w.labels)
      if (label == 4) label = 0;
  set.wells[0].labels[3] = 4;
  EXPECT_EQ(only(inspect_wells(set), "rare classes: 4 (0 %)").severity, Severity::note);
}

TEST(InspectWells, ConstantCurves) {
  WellSet set = healthy();
  for (float& v : set.wells[3].curves[0].values) v = 80;
  EXPECT_EQ(only(inspect_wells(set), "GR is constant in 1 well: " + set.wells[3].id + " (80)").severity,
            Severity::warning);
}

TEST(InspectWells, TheSameWellTwiceAndAcrossTheSplit) {
  WellSet set = healthy();
  Well twin = set.wells[0];
  twin.id = twin.name = "another name";
  for (double& d : twin.depth) d += 5;
  set.wells.push_back(twin);
  EXPECT_EQ(only(inspect_wells(set), "one well twice").severity, Severity::warning);
  const Split fair = split_wells(set.wells, {.validation = 0.3});
  EXPECT_EQ(only(inspect_wells(set, &fair), "one well twice").severity, Severity::warning);
  const Split leaking{.training = {0, 1, 2, 3, 4}, .validation = {5, 6}, .unlabelled = {}, .notes = {}};
  const Finding f = only(inspect_wells(set, &leaking), "one well twice");
  EXPECT_EQ(f.severity, Severity::error);
  EXPECT_NE(f.sentence.find("in training and in validation"), std::string::npos) << f.sentence;
}

TEST(InspectWells, UnitsThatDisagreeByNameOrBySize) {
  WellSet set = healthy();
  set.wells[0].curves[0].unit = "API";  // another spelling of gAPI
  set.wells[1].depth_unit = "M";
  EXPECT_TRUE(inspect_wells(set).empty());
  set.wells[0].curves[0].unit = "ugRa/t";
  set.wells[1].depth_unit = "FT";
  for (float& v : set.wells[4].curves[0].values) v *= 100;
  const auto findings = inspect_wells(set);
  EXPECT_EQ(only(findings, "the units of GR disagree: api in ").severity, Severity::warning);
  EXPECT_EQ(only(findings, "the depth units disagree: ft in " + set.wells[1].id + "; m in ").severity, Severity::note);
  EXPECT_EQ(only(findings, "are of another size").where, set.wells[4].id);
}

TEST(InspectWells, DepthGapsUnevenSpacingAndShortWells) {
  WellSet set = healthy();
  for (size_t i = 100; i < 400; ++i) set.wells[0].depth[i] += 20;
  set.wells[1].depth[5] += 0.1;
  Well& tiny = set.wells[2];
  tiny.depth.resize(2), tiny.labels.resize(2), tiny.curves[0].values.resize(2);
  const auto findings = inspect_wells(set);
  const Finding gap = only(findings, "1 depth gap, the first below 1049.5, the longest of 20.5 m");
  EXPECT_EQ(gap.where, set.wells[0].id);
  EXPECT_NE(gap.remedy.find("step=0.5"), std::string::npos);
  EXPECT_EQ(only(findings, "not evenly spaced: " + set.wells[1].id).severity, Severity::note);
  EXPECT_EQ(only(findings, "has only 2 samples").where, tiny.id);
}

TEST(InspectWells, SpikesAndLeftoverNullValues) {
  WellSet set = healthy();
  set.wells[5].curves[0].values[17] = 5000;
  set.wells[4].curves[0].values[3] = -9999;
  set.wells[4].curves[0].values[4] = -9999;
  const auto findings = inspect_wells(set);
  const Finding spike = only(findings, "spikes: 1 value of GR in 1 well");
  EXPECT_EQ(spike.severity, Severity::warning);
  EXPECT_NE(spike.sentence.find("the worst 5000 at 1008.5 in " + set.wells[5].id), std::string::npos) << spike.sentence;
  const Finding leftover = only(findings, "2 values of GR are -9999");
  EXPECT_NE(leftover.remedy.find("null_values"), std::string::npos);
}

TEST(InspectWells, WhatLoadingSkippedAndNoted) {
  WellSet set = healthy();
  set.skipped.push_back({"x.las", "x.las: is broken", "mend it"});
  set.notes.push_back({"y.las", "y.las: was turned over", ""});
  const auto findings = inspect_wells(set);
  EXPECT_EQ(only(findings, "left out: x.las: is broken").remedy, "mend it");
  EXPECT_EQ(only(findings, "y.las: was turned over").severity, Severity::note);
}

TEST(InspectWells, ClassesOfOneSideOnly) {
  WellSet set = healthy(2);
  for (int& label : set.wells[0].labels) label = label == 1 ? 0 : label;
  for (int& label : set.wells[1].labels) label = label == 2 ? 0 : label;
  set.wells[0].labels[0] = 2;
  set.wells[1].labels[0] = 1;
  const Split split{.training = {0}, .validation = {1}, .unlabelled = {}, .notes = {}};
  const auto findings = inspect_wells(set, &split);
  EXPECT_EQ(only(findings, "only validation wells have the class 1").severity, Severity::warning);
  EXPECT_EQ(only(findings, "no validation well has the class 2").severity, Severity::note);
}

TEST(InspectWells, MissingValuesWithoutAMaskAndClipping) {
  WellSet set = healthy();
  const std::vector<int64_t> training{0, 1};
  set.wells[3].curves[0].values[9] = kNaN;
  set.wells[4].curves[0].values[9] = 900;
  const Normalisation n = fit_normalisation(set.wells, training, {});
  const auto findings = inspect_wells(set, nullptr, &n);
  EXPECT_EQ(only(findings, "1 missing value in 1 well cannot be told from measured ones").severity, Severity::warning);
  EXPECT_EQ(only(findings, "1 value of GR is clipped at 8").severity, Severity::note);
}

TEST(InspectWells, ACurveWithoutAnyValueIsNoCrash) {
  WellSet set = healthy();
  for (Well& w : set.wells)
    for (float& v : w.curves[0].values) v = kNaN;
  inspect_wells(set);
  EXPECT_TRUE(std::isnan(summarise_wells(set).curves[0].mean));
  EXPECT_EQ(summarise_wells(set).curves[0].missing_share, 1);
  EXPECT_TRUE(inspect_wells(WellSet{}).empty());
}

TEST(SummariseWells, CountsAndStatistics) {
  WellSet set;
  set.curve_names = {"GR"};
  set.label_name = "L";
  set.classes = 3;
  set.step = 1;
  set.wells.push_back({.id = "a",
                       .depth_unit = "m",
                       .step = 1,
                       .depth = {1, 2, 3, 4},
                       .curves = {{"GR", "API", {1, 2, kNaN, 6}}},
                       .labels = {0, 2, 2, -1}});
  set.wells.push_back(
      {.id = "b", .depth_unit = "m", .step = 1, .depth = {1, 2}, .curves = {{"GR", "", {kNaN, kNaN}}}, .labels = {}});
  const WellsSummary s = summarise_wells(set);
  EXPECT_EQ(s.wells, 2);
  EXPECT_EQ(s.labelled_wells, 1);
  EXPECT_EQ(s.samples, 6);
  EXPECT_EQ(s.labelled_samples, 3);
  EXPECT_EQ(s.shortest, 2);
  EXPECT_EQ(s.longest, 4);
  EXPECT_EQ(s.depth_unit, "m");
  EXPECT_EQ(s.class_counts, (std::vector<int64_t>{1, 0, 2}));
  EXPECT_EQ(s.curves[0].unit, "API");
  EXPECT_EQ(s.curves[0].least, 1);
  EXPECT_EQ(s.curves[0].mean, 3);
  EXPECT_EQ(s.curves[0].most, 6);
  EXPECT_EQ(s.curves[0].missing_share, 0.5);
  EXPECT_EQ(s.curves[0].wells_without, 1);
}

}  // namespace
}  // namespace kern::data
