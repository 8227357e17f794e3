#include "data/wells_labelled.h"

#include <algorithm>
#include <cmath>

#include "data/names.h"
#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

bool called(const Well& w, const std::string& id) { return w.id == id || w.name == id || w.uwi == id; }

// The training wells in an order in which every prefix that ends between groups is a choice.
std::vector<int64_t> shuffled(const std::vector<Well>& wells, const Split& split, uint64_t seed,
                              std::vector<int64_t>& group) {
  group = group_wells(wells);
  std::vector<int64_t> groups;
  for (const int64_t w : split.training) groups.push_back(group[size_t(w)]);
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  RandomSequence random(seed, RandomStream::shuffle, 0, 3);  // b = 3: no other sequence of that stream
  random.shuffle(std::span<int64_t>(groups));
  std::vector<int64_t> place(wells.size(), 0);
  for (size_t i = 0; i < groups.size(); ++i) place[size_t(groups[i])] = int64_t(i);
  std::vector<int64_t> order = split.training;
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return place[size_t(group[size_t(a)])] < place[size_t(group[size_t(b)])];
  });
  return order;
}

}  // namespace

LabelledWells choose_labelled(const std::vector<Well>& wells, const Split& split, const LabelledOptions& o) {
  check(o.fraction > 0 && o.fraction <= 1, "wells: labelled_fraction=", o.fraction,
        " is not a share of the training wells: above 0, at most 1");
  LabelledWells out;
  if (o.wells.empty()) {
    std::vector<int64_t> group;
    const std::vector<int64_t> order = shuffled(wells, split, o.seed, group);
    const int64_t wanted = int64_t(std::ceil(o.fraction * double(order.size()) - 1e-9));
    int64_t before = -1;
    for (const int64_t w : order) {
      const bool chosen = int64_t(out.labelled.size()) < wanted || group[size_t(w)] == before;
      (chosen ? out.labelled : out.hidden).push_back(w);
      before = chosen ? group[size_t(w)] : -1;
    }
  } else {
    std::vector<std::string> ids;
    for (const int64_t w : split.training) ids.push_back(wells[size_t(w)].id);
    for (const std::string& id : o.wells) {
      if (std::any_of(split.training.begin(), split.training.end(),
                      [&](int64_t w) { return called(wells[size_t(w)], id); }))
        continue;
      const auto near = nearest_name(id, ids);
      throw Error(text("wells: labelled_wells names ", id, ", which is no training well with labels",
                       near.empty() ? std::string() : text(" (did you mean ", near, "?)")));
    }
    for (const int64_t w : split.training) {
      const bool chosen =
          std::any_of(o.wells.begin(), o.wells.end(), [&](const auto& id) { return called(wells[size_t(w)], id); });
      (chosen ? out.labelled : out.hidden).push_back(w);
    }
  }
  std::sort(out.labelled.begin(), out.labelled.end());
  std::sort(out.hidden.begin(), out.hidden.end());
  return out;
}

}  // namespace kern::data
