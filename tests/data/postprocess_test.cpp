#include "data/postprocess.h"

#include <gtest/gtest.h>

#include <vector>

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

}  // namespace
}  // namespace kern::data
