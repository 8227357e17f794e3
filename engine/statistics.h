// Order statistics of a few numbers, by the names that NumPy and Python's `statistics` have for them. All but
// quantile_of_sorted() reorder what they are given, and all need at least one value.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "kernels/common/error.h"

namespace kern {

// A normal distribution's deviation is so many times the median distance from its median (the MAD).
inline constexpr double kDeviationPerMad = 1.4826;

namespace detail {
template <class T>
T order_statistic(std::span<T> values, size_t rank) {
  internal_check(rank < values.size(), "an order statistic of ", values.size(), " values");
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(rank), values.end());
  return values[rank];
}
}  // namespace detail

// The middle value; of an even number the lower, or the higher, of the two.
template <class T>
T median_low(std::vector<T>& values) {
  return detail::order_statistic<T>(values, values.empty() ? 0 : (values.size() - 1) / 2);
}
template <class T>
T median_high(std::vector<T>& values) {
  return detail::order_statistic<T>(values, values.size() / 2);
}

// numpy.quantile: the value below which the share q lies, linear between neighbours.
inline double quantile(std::vector<double>& values, double q) {
  const double at = q * double(values.size() - 1);
  const auto rank = size_t(at);
  const double below = detail::order_statistic<double>(values, rank);
  if (rank + 1 == values.size()) return below;
  const double above = *std::min_element(values.begin() + std::ptrdiff_t(rank) + 1, values.end());
  return below + (at - double(rank)) * (above - below);
}
inline double quantile_of_sorted(std::span<const double> values, double q) {
  internal_check(!values.empty(), "a quantile of nothing");
  const double at = q * double(values.size() - 1);
  const auto rank = size_t(at);
  return rank + 1 < values.size() ? values[rank] + (at - double(rank)) * (values[rank + 1] - values[rank])
                                  : values.back();
}
// numpy.quantile(method="lower"): one of the values, the last below.
template <class T>
T quantile_lower(std::vector<T>& values, double q) {
  return detail::order_statistic<T>(values, values.empty() ? 0 : size_t(q * double(values.size() - 1)));
}
// numpy.quantile(method="nearest"): one of the values; half way, the higher.
template <class T>
T quantile_nearest(std::vector<T>& values, double q) {
  return detail::order_statistic<T>(values, size_t(q * double(values.size() - 1) + 0.5));
}

}  // namespace kern
