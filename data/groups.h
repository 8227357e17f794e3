// Parts of a set of which some items belong together: none of these groups is parted.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/random.h"

namespace kern::data {

// Items i and j of equal number in `a` or in `b`, which number the same items, are of one group: a number for each item,
// from 0 in the order of their first item.
std::vector<int64_t> joined_groups(std::span<const int64_t> a, std::span<const int64_t> b);

// Whole groups of the items `from`, shuffled, become the first part until it has round(share x n) items or would come no
// nearer to them; the rest the second. group[i] is the number of item i. In the order of the groups.
std::pair<std::vector<int64_t>, std::vector<int64_t>> parted(std::span<const int64_t> from, double share,
                                                             std::span<const int64_t> group, RandomSequence& random);

// Of the items `from` those that are kept for the test, ascending: whole groups, drawn by the seed, each that brings them
// nearer to the share. Share 0: none. No other draw depends on this one.
// Error: a share below 0 or of 1 and more, and one of which nothing or everything is kept; `things` are named in it.
std::vector<int64_t> kept_for_test(std::span<const int64_t> from, double share, std::span<const int64_t> group,
                                   uint64_t seed, const char* things);

}  // namespace kern::data
