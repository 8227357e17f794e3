#include "data/wells_normalise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "kernels/common/error.h"
#include "tests/support/error_of.h"
#include "tests/support/not_numbers.h"

namespace kern::data {
namespace {

using kern::testing::kNaN;
const std::vector<int64_t> kFirst{0};

using kern::testing::error_of;

Well well_of(std::vector<std::pair<std::string, std::vector<float>>> curves) {
  Well w{.id = "w"};
  w.depth.resize(curves[0].second.size());
  for (auto& [name, values] : curves) w.curves.push_back({.name = name, .values = std::move(values)});
  return w;
}

TEST(Normalise, StandardMinmaxAndRobust) {
  const std::vector<Well> wells{well_of({{"GR", {1, 2, 3, 4, 5}}}), well_of({{"GR", {100, 200}}})};
  const auto standard = fit_normalisation(wells, kFirst, {.scaling = Scaling::standard});
  EXPECT_DOUBLE_EQ(standard.curves[0].offset, 3);
  EXPECT_DOUBLE_EQ(standard.curves[0].scale, std::sqrt(2.0));
  const auto minmax = fit_normalisation(wells, kFirst, {.scaling = Scaling::minmax});
  EXPECT_EQ(network_inputs(wells[0], minmax), (std::vector<float>{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(network_inputs(wells[1], minmax),
            (std::vector<float>{kClip, kClip}));  // the validation well widened nothing
  const auto robust = fit_normalisation(wells, kFirst, {.scaling = Scaling::robust});
  EXPECT_DOUBLE_EQ(robust.curves[0].offset, 1.04);
  EXPECT_DOUBLE_EQ(robust.curves[0].scale, 4.96 - 1.04);
}

TEST(Normalise, MissingValuesAreZeroWithAMask) {
  const std::vector<Well> wells{well_of({{"GR", {0, kNaN, 10}}, {"NPHI", {1, 3, kNaN}}})};
  const auto n = fit_normalisation(wells, kFirst, {.scaling = Scaling::minmax});
  EXPECT_TRUE(n.mask);
  EXPECT_EQ(n.channels(), 4);
  EXPECT_EQ(network_inputs(wells[0], n), (std::vector<float>{0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0}));
  const auto off = fit_normalisation(wells, kFirst, {.scaling = Scaling::minmax, .mask = Mask::off});
  EXPECT_EQ(network_inputs(wells[0], off), (std::vector<float>{0, 0, 0, 1, 1, 0}));
}

TEST(Normalise, TheMaskDependsOnTheTrainingWells) {
  const std::vector<Well> wells{well_of({{"GR", {0, 1, 2}}}), well_of({{"GR", {0, kNaN, 2}}})};
  EXPECT_FALSE(fit_normalisation(wells, kFirst, {}).mask);
  EXPECT_TRUE(fit_normalisation(wells, std::vector<int64_t>{0, 1}, {}).mask);
  EXPECT_TRUE(fit_normalisation(wells, kFirst, {.mask = Mask::on}).mask);
}

TEST(Normalise, LogarithmsOfResistivities) {
  const std::vector<Well> wells{well_of({{"RT", {1, 100, 0, -5, 10}}})};
  const auto n = fit_normalisation(wells, kFirst, {.scaling = Scaling::minmax, .log10 = {"rt"}});
  EXPECT_TRUE(n.mask);  // 0 and -5 are no resistivities
  EXPECT_EQ(network_inputs(wells[0], n), (std::vector<float>{0, 1, 1, 1, 0, 0, 0, 0, 0.5, 1}));
}

TEST(Normalise, AConstantCurveIsNotBlownUp) {
  const std::vector<Well> wells{well_of({{"GR", {0.1f, 0.1f, 0.1f}}})};
  for (const Scaling s : {Scaling::minmax, Scaling::standard, Scaling::robust})
    for (const float v : network_inputs(wells[0], fit_normalisation(wells, kFirst, {.scaling = s})))
      EXPECT_NEAR(v, 0, 1e-6);
}

TEST(Normalise, WhatCannotBeScaledIsSaid) {
  const std::vector<Well> wells{well_of({{"GR", {1, 2}}, {"RT", {kNaN, kNaN}}}),
                                well_of({{"RT", {1, 2}}, {"GR", {1, 2}}})};
  EXPECT_SAYS(error_of([&] { fit_normalisation(wells, kFirst, {}); }),
              "no training well holds a value of the curve RT");
  EXPECT_SAYS(error_of([&] { fit_normalisation(wells, kFirst, {.log10 = {"XX"}}); }), "log10 names XX");
  EXPECT_SAYS(error_of([&] { fit_normalisation(wells, {}, {}); }), "no training wells");
  const auto n = fit_normalisation(wells, std::vector<int64_t>{1}, {});
  EXPECT_SAYS(error_of([&] { network_inputs(wells[0], n); }), "is GR, the normalisation expects RT");
  EXPECT_SAYS(error_of([&] { scaling_from("minmx"); }), "not one of minmax, standard, robust");
  EXPECT_EQ(scaling_from("robust"), Scaling::robust);
  EXPECT_EQ(mask_from("auto"), Mask::automatic);
}

TEST(Normalise, PerWellForgetsUnitsAndOffsets) {
  std::vector<float> one, other, few{1, 2, 3};
  for (int i = 0; i <= 100; ++i) one.push_back(float(i)), other.push_back(float(i) * 30 - 7);
  const std::vector<Well> wells{well_of({{"GR", one}}), well_of({{"GR", other}}), well_of({{"GR", few}})};
  const auto n = fit_normalisation(wells, kFirst, {.per_well = true});
  EXPECT_TRUE(n.per_well);
  const std::vector<float> a = network_inputs(wells[0], n), b = network_inputs(wells[1], n);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5) << i;
  EXPECT_NEAR(a[50], 0, 1e-6);
  EXPECT_NEAR(a[90] - a[10], 2.5631, 1e-4);
  // Too few values to know a scale: the training's.
  EXPECT_FLOAT_EQ(network_inputs(wells[2], n)[0], float((1 - n.curves[0].offset) / n.curves[0].scale));
}

}  // namespace
}  // namespace kern::data
