// What ranks tell each other of an item. Several ranks: tests/mpi/shared_work.sh and tests/apps/ranks_test.cpp.
#include "training/shared_scores.h"

#include <gtest/gtest.h>

namespace kern::training {
namespace {

TEST(SharedScores, AParcelGivesBackWhatWentIn) {
  ConfusionMatrix m(make_classes({"a", "b"}));
  m.add(0, 1);
  m.add(1, 1);
  Parcel sent = Parcel::of(0.1, std::vector<float>{0.5f, -1}, m, std::vector<int>());
  sent.put(int64_t(7));
  Parcel p(sent.bytes());
  EXPECT_EQ(p.one<double>(), 0.1);
  EXPECT_EQ(p.many<float>(), (std::vector<float>{0.5f, -1}));
  const ConfusionMatrix got = p.matrix(make_classes({"a", "b"}));
  EXPECT_EQ(got.count(0, 1), 1);
  EXPECT_EQ(got.count(1, 1), 1);
  EXPECT_EQ(got.total(), 2);
  EXPECT_TRUE(p.many<int>().empty());
  EXPECT_EQ(p.one<int64_t>(), 7);
  EXPECT_THROW(p.one<double>(), InternalError);
}

TEST(SharedScores, ComeInOrderUntilOneLeaves) {
  std::vector<int64_t> scored, taken;
  const auto score = [&](int64_t i) { return scored.push_back(i), Parcel::of(double(i)); };
  const auto take = [&](int64_t i, Parcel p) {
    EXPECT_EQ(p.one<double>(), double(i));
    taken.push_back(i);
  };
  EXPECT_TRUE(score_together(5, score, take));
  EXPECT_EQ(taken, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  taken.clear();
  scored.clear();
  EXPECT_FALSE(score_together(5, score, take, [&] { return scored.size() == 3; }));
  EXPECT_EQ(taken, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_TRUE(score_together(0, score, take));
}

}  // namespace
}  // namespace kern::training
