#include "data/labelled_share.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

// The items in an order in which every prefix that ends between groups is a choice.
std::vector<int64_t> shuffled(std::span<const int64_t> items, std::span<const int64_t> group, uint64_t seed) {
  std::vector<int64_t> groups;
  for (const int64_t i : items) groups.push_back(group[size_t(i)]);
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  RandomSequence random(seed, RandomStream::shuffle, 0, 3);  // b = 3: no other sequence of that stream
  random.shuffle(std::span<int64_t>(groups));
  std::vector<int64_t> place(group.size(), 0);
  for (size_t i = 0; i < groups.size(); ++i) place[size_t(groups[i])] = int64_t(i);
  std::vector<int64_t> order(items.begin(), items.end());
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return place[size_t(group[size_t(a)])] < place[size_t(group[size_t(b)])];
  });
  return order;
}

}  // namespace

ShownLabels choose_share(std::span<const int64_t> items, std::span<const int64_t> group, double share, uint64_t seed) {
  check(share > 0 && share <= 1, "labelled_fraction=", share,
        " is not a share of the training data: above 0, at most 1");
  ShownLabels out;
  const std::vector<int64_t> order = shuffled(items, group, seed);
  const int64_t wanted = int64_t(std::ceil(share * double(order.size()) - 1e-9));
  int64_t before = -1;
  for (const int64_t i : order) {
    const bool chosen = int64_t(out.labelled.size()) < wanted || group[size_t(i)] == before;
    (chosen ? out.labelled : out.hidden).push_back(i);
    before = chosen ? group[size_t(i)] : -1;
  }
  std::sort(out.labelled.begin(), out.labelled.end());
  std::sort(out.hidden.begin(), out.hidden.end());
  return out;
}

std::vector<int64_t> without_labels(const ShownLabels& shown, std::span<const int64_t> unlabelled) {
  std::vector<int64_t> all;
  std::merge(shown.hidden.begin(), shown.hidden.end(), unlabelled.begin(), unlabelled.end(), std::back_inserter(all));
  return all;
}

}  // namespace kern::data
