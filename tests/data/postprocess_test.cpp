#include "data/postprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/common/error.h"
#include "kernels/common/philox.h"

namespace kern::data {
namespace {

std::vector<int> removed(std::vector<int> labels, int64_t n) {
  remove_short(labels, n);
  return labels;
}
using V = std::vector<int>;

TEST(RemoveShort, ShortRunsTakeTheLabelAbove) {
  EXPECT_EQ(removed({0, 0, 0, 1, 0, 0, 0}, 2), V({0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(removed({2, 2, 2, 1, 3, 3, 3}, 2), V({2, 2, 2, 2, 3, 3, 3}));
  EXPECT_EQ(removed({2, 2, 2, 1, 1, 3, 3}, 2), V({2, 2, 2, 1, 1, 3, 3}));
  EXPECT_EQ(removed({0, 0, 0, 1, 2, 2, 3}, 3), V({0, 0, 0, 0, 0, 0, 0}));  // three short runs in a row
  EXPECT_EQ(removed({0, 0, 0, 1, 0, 1, 1, 1}, 3), V({0, 0, 0, 0, 0, 1, 1, 1}));
}

TEST(RemoveShort, AtTheTopTheFirstLongRunBelowIsTaken) {
  EXPECT_EQ(removed({1, 0, 0, 0}, 2), V({0, 0, 0, 0}));
  EXPECT_EQ(removed({1, 2, 0, 0, 0, 3}, 2), V({0, 0, 0, 0, 0, 0}));
}

TEST(RemoveShort, WithoutAnyLongRunNothingChanges) {
  EXPECT_EQ(removed({1, 2, 1, 2}, 2), V({1, 2, 1, 2}));
  EXPECT_EQ(removed({1, 1}, 100), V({1, 1}));
  EXPECT_EQ(removed({}, 3), V{});
}

TEST(RemoveShort, NUpToOneChangesNothing) {
  for (const int n : {1, 0, -5}) EXPECT_EQ(removed({0, 1, 0, 2}, n), V({0, 1, 0, 2}));
}

TEST(RemoveShort, UnlabelledSamplesStayAndSeparate) {
  EXPECT_EQ(removed({0, 0, -1, 1, 2, 2, 0}, 2), V({0, 0, -1, 2, 2, 2, 2}));
  EXPECT_EQ(removed({-1, -1}, 5), V({-1, -1}));
}

// f(labels, log of their probability) for every labelling of L samples in K classes that never goes back.
template <class F>
void for_each_in_order(const std::vector<float>& p, int64_t classes, F&& f) {
  const size_t length = p.size() / size_t(classes);
  std::vector<int> labels(length, 0);
  for (;;) {
    double score = 0;
    for (size_t i = 0; i < length; ++i) score += std::log(double(p[i * size_t(classes) + size_t(labels[i])]));
    if (std::is_sorted(labels.begin(), labels.end())) f(labels, score);
    size_t i = 0;
    while (i < length && ++labels[i] == classes) labels[i++] = 0;
    if (i == length) return;
  }
}

std::vector<int> best_monotone(const std::vector<float>& p, int64_t classes) {
  std::vector<int> best;
  double best_score = -1e300;
  for_each_in_order(p, classes, [&](const std::vector<int>& labels, double) {
    double score = 0;  // how many of the samples are expected to be right
    for (size_t i = 0; i < labels.size(); ++i) score += double(p[i * size_t(classes) + size_t(labels[i])]);
    if (score > best_score) best_score = score, best = labels;
  });
  return best;
}

std::vector<float> some_probabilities(int64_t samples, int64_t classes, uint32_t round) {
  std::vector<float> p(size_t(samples * classes));
  for (size_t i = 0; i < p.size(); ++i)
    p[i] = 0.01f + kernels::to_uniform(kernels::philox({5, round}, uint32_t(i), 0, 0, 0).v[0]);
  return p;
}

TEST(LabelMonotone, OfThoseThatNeverGoBackTheOneExpectedRightMostOften) {
  for (int round = 0; round < 50; ++round) {
    const int64_t classes = 1 + round % 4;
    const std::vector<float> p = some_probabilities(6, classes, uint32_t(round));
    std::vector<int> labels(6);
    label_monotone(p, classes, labels);
    EXPECT_EQ(labels, best_monotone(p, classes)) << "round " << round;
  }
}

TEST(LabelMonotone, AClassMayBeMissingAndImpossibleSamplesAreOutvoted) {
  // 0 0 2 0 2 2: the lone 2 and the lone 0 after it cost less than any way back; class 1 never comes.
  const std::vector<float> p{0.9f, 0.1f, 0, 0.9f, 0.1f, 0, 0.3f, 0, 0.7f, 0.8f, 0, 0.2f, 0, 0.1f, 0.9f, 0, 0, 1};
  V labels(6);
  label_monotone(p, 3, labels);
  EXPECT_EQ(labels, V({0, 0, 0, 0, 2, 2}));
  V none;
  label_monotone({}, 3, none);
  EXPECT_TRUE(none.empty());
}

TEST(LabelMonotone, FewSamplesThatAreSurelyWrongAreOutvoted) {
  // Three samples at the top rule class 0 out, a hundred below them are fairly sure of it.
  std::vector<float> p;
  for (int i = 0; i < 103; ++i) {
    p.push_back(i < 3 ? 0.0f : 0.8f);
    p.push_back(i < 3 ? 1.0f : 0.2f);
  }
  V labels(103);
  label_monotone(p, 2, labels);
  EXPECT_EQ(labels, V(103, 0));
  p[2 * 50] = NAN;
  label_monotone(p, 2, labels);
  EXPECT_EQ(labels, V(103, 0));
}

TEST(Postprocess, OrdersFirstAndRemovesThinRunsThen) {
  const std::vector<float> p{0.9f, 0.1f, 0, 0.9f, 0.1f, 0, 0.1f, 0.9f, 0, 0.1f, 0, 0.9f, 0.4f, 0, 0.6f};
  V labels{0, 0, 1, 2, 2};
  postprocess({}, p, 3, labels);
  EXPECT_EQ(labels, V({0, 0, 1, 2, 2}));
  postprocess({.monotone = true}, p, 3, labels);
  EXPECT_EQ(labels, V({0, 0, 1, 2, 2}));
  postprocess({.monotone = true, .remove_short = 2}, p, 3, labels);
  EXPECT_EQ(labels, V({0, 0, 0, 2, 2}));
}

}  // namespace
}  // namespace kern::data
