#include "engine/statistics.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "kernels/common/error.h"

namespace kern {
namespace {

// Of numpy.quantile([7, 1, 4, 2], ...) and statistics.median_low/high.
TEST(Statistics, are_those_of_numpy) {
  const std::vector<double> given{7, 1, 4, 2}, sorted{1, 2, 4, 7};
  for (const auto& [q, linear, nearest] : {std::tuple{0.0, 1.0, 1.0},
                                           {0.1, 1.3, 1.0},
                                           {0.25, 1.75, 2.0},
                                           {0.5, 3.0, 4.0},
                                           {0.9, 6.1, 7.0},
                                           {1.0, 7.0, 7.0}}) {
    std::vector<double> v = given;
    EXPECT_DOUBLE_EQ(quantile(v, q), linear) << q;
    EXPECT_DOUBLE_EQ(quantile_of_sorted(sorted, q), linear) << q;
    EXPECT_EQ(quantile_nearest(v, q), nearest) << q;
  }
  std::vector<int> even{7, 1, 4, 2}, odd{9, 3, 5};
  EXPECT_EQ(median_low(even), 2);
  EXPECT_EQ(median_high(even), 4);
  EXPECT_EQ(median_low(odd), 5);
  EXPECT_EQ(median_high(odd), 5);
}

TEST(Statistics, of_one_value_are_it_and_of_none_an_error) {
  std::vector<double> one{3}, none;
  EXPECT_EQ(quantile(one, 0.7), 3);
  EXPECT_EQ(quantile_of_sorted(one, 0.7), 3);
  EXPECT_EQ(quantile_nearest(one, 0.7), 3);
  EXPECT_EQ(median_low(one), 3);
  EXPECT_THROW(median_low(none), InternalError);
  EXPECT_THROW(median_high(none), InternalError);
  EXPECT_THROW(quantile_of_sorted(none, 0.5), InternalError);
}

}  // namespace
}  // namespace kern
