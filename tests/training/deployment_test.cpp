#include "training/deployment.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/fault_sections.h"
#include "engine/autograd.h"
#include "engine/random.h"
#include "training/anomaly_map.h"

namespace kern::training {
namespace {

Tensor uniform(const Shape& shape, float low, float high, uint32_t seed = 1) {
  RandomSequence random(seed, RandomStream::noise);
  std::vector<float> values(size_t(shape.size()));
  for (float& v : values) v = float(random.uniform(double(low), double(high)));
  return Tensor::from(shape, values);
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want, float tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const float scale = std::max(1.0f, std::abs(want[i]));
    ASSERT_TRUE(std::abs(got[i] - want[i]) <= tolerance * scale) << i << ": " << got[i] << " and " << want[i];
  }
}

TEST(Deployment, CurvesAreScaledAsForTraining) {
  const float nan = std::nanf("");
  data::Well well{.id = "w"};
  well.curves = {{.name = "GR", .values = {80, nan, 120, 9000, -50}}, {.name = "RT", .values = {10, 0, -3, nan, 1000}}};
  for (int i = 0; i < 5; ++i) well.depth.push_back(i);
  for (const bool mask : {false, true})
    for (const bool log10 : {false, true}) {
      const data::Normalisation n{{{"GR", false, 75.5, 30.25}, {"RT", log10, 1.2, 0.4}}, mask};
      std::vector<float> measured;
      for (size_t i = 0; i < 5; ++i)
        measured.push_back(well.curves[0].values[i]), measured.push_back(well.curves[1].values[i]);
      const Tensor x = CurveScaling(n)(Tensor::from({1, 5, 2}, measured)).inputs;
      EXPECT_EQ(x.shape(), (Shape{1, 5, mask ? 4 : 2}));
      expect_near(x.values(), data::network_inputs(well, n), 2e-6f);
    }
}

TEST(Deployment, AmplitudesAreClippedAsForTraining) {
  std::vector<float> values{0.5f, -7, 6, std::nanf(""), 5};
  const std::vector<float> got = AmplitudeClip()(Tensor::from({1, 5, 1, 1}, values)).values();
  data::scale_amplitudes(values, 1);
  EXPECT_EQ(got, values);
}

TEST(Deployment, OneLogitIsTwoClasses) {
  const std::vector<float> p = class_probabilities(Tensor::from({1, 2, 1}, std::vector<float>{0, 100})).values();
  EXPECT_EQ(p, (std::vector<float>{0.5f, 0.5f, 0, 1}));
  expect_near(class_probabilities(Tensor::from({1, 1, 2}, std::vector<float>{0, std::log(3.0f)})).values(),
              {0.25f, 0.75f}, 1e-6f);
}

TEST(Deployment, MapsAreSmoothedAsForScores) {
  for (const double deviation : {0.0, 0.8, 4.0}) {
    const Tensor map = uniform({2, 5, 7, 1}, 0, 3);
    const Tensor got = MapSmoothing(13, 21, deviation)(map);
    const std::vector<float> values = map.values(), all = got.values();
    for (size_t n = 0; n < 2; ++n)
      expect_near({all.begin() + ptrdiff_t(n * 273), all.begin() + ptrdiff_t((n + 1) * 273)},
                  anomaly_map(std::span(values).subspan(n * 35, 35), 5, 7, 13, 21, deviation), 3e-6f);
  }
}

TEST(Deployment, ReconstructionsAreScoredAsByKern) {
  const NoGrad off;
  const Tensor x = uniform({3, 16, 14, 3}, 0, 1), image = uniform({3, 16, 14, 3}, 0, 1, 2);
  for (const models::Measure measure :
       {models::Measure::sse, models::Measure::mse, models::Measure::l1, models::Measure::ssim})
    for (const bool divergence : {false, true})
      for (const kern::Spread kind : {kern::Spread::log_sigma, kern::Spread::log_variance}) {
        const models::Reconstruction r{.image = image,
                                       .mean = uniform({3, 4}, -1, 1),
                                       .spread = uniform({3, 4}, -1, 1, 3),
                                       .kind = kind,
                                       .divergence = divergence};
        const ReconstructionError error(measure, 3);
        const std::vector<double> want = models::reconstruction_scores(r, x, measure);
        expect_near(error.score(r, x).values(), {want.begin(), want.end()}, 1e-5f);
        expect_near(error.map(image, x).values(), models::error_map(image, x, measure).values(), 1e-6f);
      }
}

TEST(Deployment, PadimsDistancesAreThoseOfItsProducts) {
  const FeatureShape shape{3, 4, 9};
  Padim padim(shape, {.channels = 5, .seed = 3});
  padim.add(uniform({12, 3, 4, 9}, 0, 1));
  padim.fit();
  const Tensor features = uniform({2, 3, 4, 9}, -1, 2, 5);
  const Tensor got = PadimDistances(padim, shape)(features);
  EXPECT_EQ(got.shape(), (Shape{2, 3, 4, 1}));
  expect_near(got.values(), padim.distances(features).values(), 1e-5f);
}

}  // namespace
}  // namespace kern::training
