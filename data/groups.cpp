#include "data/groups.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>

#include "kernels/common/error.h"

namespace kern::data {

std::vector<int64_t> joined_groups(std::span<const int64_t> a, std::span<const int64_t> b) {
  check(a.size() == b.size(), "joined_groups: ", a.size(), " items in one, ", b.size(), " in the other");
  std::vector<size_t> parent(a.size());
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](size_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (const std::span<const int64_t> numbers : {a, b}) {
    std::map<int64_t, size_t> first;
    for (size_t i = 0; i < numbers.size(); ++i) {
      const size_t one = root(first.emplace(numbers[i], i).first->second), other = root(i);
      parent[std::max(one, other)] = std::min(one, other);
    }
  }
  std::vector<int64_t> group;
  std::map<size_t, int64_t> number;
  for (size_t i = 0; i < a.size(); ++i) group.push_back(number.emplace(root(i), int64_t(number.size())).first->second);
  return group;
}

namespace {

// The items of each group, the groups shuffled.
std::vector<std::vector<int64_t>> shuffled_groups(std::span<const int64_t> from, std::span<const int64_t> group,
                                                  RandomSequence& random) {
  std::vector<std::vector<int64_t>> groups;
  std::map<int64_t, size_t> known;
  for (const int64_t i : from) {
    const size_t at = known.emplace(group[size_t(i)], groups.size()).first->second;
    if (at == groups.size()) groups.emplace_back();
    groups[at].push_back(i);
  }
  random.shuffle(std::span(groups));
  return groups;
}

}  // namespace

std::pair<std::vector<int64_t>, std::vector<int64_t>> parted(std::span<const int64_t> from, double share,
                                                             std::span<const int64_t> group, RandomSequence& random) {
  const std::vector<std::vector<int64_t>> groups = shuffled_groups(from, group, random);
  const auto wanted = std::lround(share * double(from.size()));
  std::pair<std::vector<int64_t>, std::vector<int64_t>> parts;
  for (const std::vector<int64_t>& g : groups) {
    const auto have = long(parts.first.size()), with = have + long(g.size());
    std::vector<int64_t>& part =
        parts.second.empty() && std::abs(with - wanted) < std::abs(have - wanted) ? parts.first : parts.second;
    part.insert(part.end(), g.begin(), g.end());
  }
  return parts;
}

std::vector<int64_t> kept_for_test(std::span<const int64_t> from, double share, std::span<const int64_t> group,
                                   uint64_t seed, const char* things) {
  check(share >= 0 && share < 1, "test=", share, " is no share of the labelled ", things, ": 0 keeps none");
  if (share == 0) return {};
  RandomSequence random(seed, RandomStream::shuffle, 0, 3);  // b = 3: no other split's sequence
  const auto wanted = std::lround(share * double(from.size()));
  std::vector<int64_t> test;
  for (const std::vector<int64_t>& g : shuffled_groups(from, group, random)) {
    const auto have = long(test.size()), with = have + long(g.size());
    if (std::abs(with - wanted) < std::abs(have - wanted)) test.insert(test.end(), g.begin(), g.end());
  }
  check(!test.empty() && test.size() < from.size(), "test=", share, " of ", from.size(), " labelled ", things,
        " that are not to be parted keeps ", test.empty() ? "none" : "all", " of them for the test: give ",
        test.empty() ? "a larger" : "a smaller", " share");
  std::sort(test.begin(), test.end());
  return test;
}

}  // namespace kern::data
