#include "training/gradient_boosting.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/random.h"
#include "kernels/common/error.h"
#include "kernels/common/parallel.h"

namespace kern::training {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Table {
  std::vector<float> x;
  std::vector<int> labels;
};
// Two features of use among five: which class is told by their signs, so that no single split says anything.
Table crossed(int n, uint64_t seed) {
  RandomSequence random(seed, RandomStream::noise);
  Table t;
  for (int i = 0; i < n; ++i) {
    for (int f = 0; f < 5; ++f) t.x.push_back(random.normal());
    const float* x = t.x.data() + 5 * i;
    t.labels.push_back((x[1] > 0.3f) != (x[3] > -0.2f) ? 2 : x[1] > 0.3f);
  }
  return t;
}
double accuracy(const GradientBoosting& model, const Table& t) {
  int right = 0;
  const size_t F = size_t(model.features());
  for (size_t i = 0; i < t.labels.size(); ++i) right += model.predict(std::span(t.x).subspan(i * F, F)) == t.labels[i];
  return double(right) / double(t.labels.size());
}

// One round, one split, no sampling: leaves worked out by hand.
TEST(GradientBoosting, ARoundIsWhatTheFormulaSays) {
  const std::vector<float> x{1, 2, 3, 10, 11, 12};
  const std::vector<int> y{0, 0, 0, 1, 1, 1};
  const GradientBoosting m = fit_gradient_boosting(
      x, y, 2, {.rounds = 1, .leaves = 2, .rate = 0.5, .lambda = 1, .least_samples = 1, .rows = 1, .features = 1});
  // p = 1/2: g = -1/2 or 1/2, h = 1/4; of three samples G = -+3/2, H = 3/4, the leaf 0.5 * 1.5 / 1.75.
  const double leaf = 0.5 * 1.5 / 1.75, bias = std::log(0.5);
  std::vector<float> s(2);
  for (const float v : {-100.0f, 1.0f, 3.0f, 6.4f}) {
    m.scores(std::vector<float>{v}, s);
    EXPECT_NEAR(s[0], bias + leaf, 1e-5) << v;
    EXPECT_NEAR(s[1], bias - leaf, 1e-5) << v;
  }
  for (const float v : {6.6f, 12.0f, 100.0f}) {  // the line is half way between 3 and 10
    m.scores(std::vector<float>{v}, s);
    EXPECT_NEAR(s[0], bias - leaf, 1e-5) << v;
  }
}

TEST(GradientBoosting, LearnsWhatNoSingleSplitSays) {
  const Table train = crossed(4000, 1), test = crossed(2000, 2);
  const GradientBoosting m = fit_gradient_boosting(train.x, train.labels, 3, {.rounds = 40});
  EXPECT_GT(accuracy(m, test), 0.97);
}

// A tree is as good as any could be where every sample has a leaf of its own.
TEST(GradientBoosting, FitsWhatItIsAllowedToKnowByHeart) {
  Table t = crossed(200, 3);
  RandomSequence random(4, RandomStream::noise);
  for (int& label : t.labels) label = int(random.below(3));
  const GradientBoosting m = fit_gradient_boosting(t.x, t.labels, 3,
                                                   {.rounds = 60,
                                                    .leaves = 64,
                                                    .rate = 0.3,
                                                    .lambda = 0.1,
                                                    .least_samples = 1,
                                                    .rows = 1,
                                                    .features = 1,
                                                    .bins = 255});
  EXPECT_EQ(accuracy(m, t), 1);
}

TEST(GradientBoosting, MissingValuesGoWhereTheyAreWorthMost) {
  // Missing says class 1, as values above 0 do; a rank of its own could not be both.
  RandomSequence random(5, RandomStream::noise);
  Table t;
  for (int i = 0; i < 3000; ++i) {
    const float v = random.normal();
    const bool missing = random.below(4) == 0;
    t.x.push_back(missing ? kNan : v);
    t.labels.push_back(missing || v > 0);
  }
  const GradientBoosting m = fit_gradient_boosting(t.x, t.labels, 2, {.rounds = 20, .rows = 1, .features = 1});
  EXPECT_EQ(m.predict(std::vector<float>{kNan}), 1);
  EXPECT_EQ(m.predict(std::vector<float>{-1}), 0);
  EXPECT_EQ(m.predict(std::vector<float>{1}), 1);
  // Never missing in training: the way of most.
  Table whole;
  for (int i = 0; i < 1000; ++i) whole.x.push_back(float(i)), whole.labels.push_back(i >= 800);
  const GradientBoosting w = fit_gradient_boosting(whole.x, whole.labels, 2, {.rounds = 20, .rows = 1, .features = 1});
  EXPECT_EQ(w.predict(std::vector<float>{kNan}), 0);
}

TEST(GradientBoosting, ThreadsRepetitionAndModelFilesKeepTheBits) {
  Table t = crossed(3000, 6);
  for (size_t i = 0; i < t.x.size(); i += 7) t.x[i] = kNan;
  const int before = thread_count();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 3, 4}) {
    set_thread_count(threads);
    const GradientBoosting m = fit_gradient_boosting(t.x, t.labels, 3, {.rounds = 12, .seed = 9});
    const TensorFile file{.shown_name = "m", .metadata = {}, .tensors = m.state("b")};
    const GradientBoosting again = GradientBoosting::from(file, "b", 5, 3);
    for (const GradientBoosting* of : {&m, &again}) {
      std::vector<float> all(3 * t.labels.size());
      for (size_t i = 0; i < t.labels.size(); ++i)
        of->scores(std::span(t.x).subspan(5 * i, 5), std::span(all).subspan(3 * i, 3));
      results.push_back(all);
    }
  }
  set_thread_count(before);
  for (const auto& r : results) EXPECT_EQ(r, results[0]);
  // The order of the samples does not matter but for which of them a round draws.
  const BoostingOptions all{.rounds = 5, .rows = 1, .features = 1};
  Table turned;
  for (size_t i = t.labels.size(); i-- > 0;) {
    turned.x.insert(turned.x.end(), t.x.begin() + int64_t(5 * i), t.x.begin() + int64_t(5 * i + 5));
    turned.labels.push_back(t.labels[i]);
  }
  const GradientBoosting a = fit_gradient_boosting(t.x, t.labels, 3, all),
                         b = fit_gradient_boosting(turned.x, turned.labels, 3, all);
  for (const float v : {-1.0f, 0.1f, 2.0f}) {
    const std::vector<float> x{v, -v, kNan, v, 0};
    std::vector<float> one(3), other(3);
    a.scores(x, one), b.scores(x, other);
    EXPECT_EQ(one, other);
  }
}

TEST(GradientBoosting, ClassesThatAreNotThereAndFeaturesThatSayNothing) {
  const std::vector<float> x{1, kNan, 1, kNan, 1, kNan, 1, kNan};
  const std::vector<int> y{0, 2, 2, 2};  // no class 1; no feature varies, the second is never there
  const GradientBoosting m =
      fit_gradient_boosting(x, y, 3, {.rounds = 3, .least_samples = 1, .rows = 1, .features = 1});
  EXPECT_EQ(m.predict(std::vector<float>{1, kNan}), 2);
  std::vector<float> s(3);
  m.scores(std::vector<float>{5, 7}, s);
  for (const float v : s) EXPECT_TRUE(std::isfinite(v));
  EXPECT_LT(s[1], s[0]);
  EXPECT_EQ(fit_gradient_boosting(std::vector<float>{1}, std::vector<int>{1}, 2).predict(std::vector<float>{3}), 1);
}

TEST(GradientBoosting, DamagedFilesAndWrongOptionsAreSentences) {
  const auto says = [](auto&& f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing";
  };
  const Table t = crossed(300, 7);
  EXPECT_NE(says([&] { fit_gradient_boosting(t.x, t.labels, 3, {.rate = 0}); }).find("rate and lambda above 0"),
            std::string::npos);
  EXPECT_NE(says([&] { fit_gradient_boosting(t.x, t.labels, 2); }).find("label 2 of 2 classes"), std::string::npos);
  const GradientBoosting m = fit_gradient_boosting(t.x, t.labels, 3, {.rounds = 3});
  const auto damaged = [&](const std::string& name, auto&& change) {
    TensorFile file{.shown_name = "m", .metadata = {}, .tensors = m.state("b")};
    for (FileTensor& tensor : file.tensors)
      if (tensor.name == "b." + name) {
        auto values = tensor.tensor.integers();
        change(values);
        tensor.tensor = Tensor::from(tensor.tensor.shape(), values);
      }
    return says([&] { GradientBoosting::from(file, "b", 5, 3); });
  };
  EXPECT_NE(damaged("nodes", [](auto& v) { v[0] = 5; }).find("is damaged"), std::string::npos);
  EXPECT_NE(damaged("nodes", [](auto& v) { v[1] = std::numeric_limits<int32_t>::max(); }).find("is damaged"),
            std::string::npos);
  EXPECT_NE(damaged("nodes", [](auto& v) { v[4] = 1; }).find("is damaged"), std::string::npos);  // round in circles
  EXPECT_NE(damaged("roots", [](auto& v) { v[2] = -1; }).find("begins at node -1"), std::string::npos);
  const TensorFile file{.shown_name = "m", .metadata = {}, .tensors = m.state("b")};
  EXPECT_NE(says([&] { GradientBoosting::from(file, "b", 5, 4); }).find("do not fit"), std::string::npos);
  EXPECT_NE(says([&] { GradientBoosting::from(file, "c", 5, 3); }).find("'c.bias' is missing"), std::string::npos);
}

}  // namespace
}  // namespace kern::training
