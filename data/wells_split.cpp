#include "data/wells_split.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>

#include "data/groups.h"
#include "data/names.h"
#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr size_t kEnoughToRecognise = 16;  // different measured values; fewer may agree by chance

// Equal for wells whose curves measured the same values in the same order. 0: too little to tell.
uint64_t fingerprint(const Well& well) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  size_t changes = 0;
  for (const Curve& curve : well.curves) {
    float before = NAN;
    for (const float v : curve.values) {
      if (std::isnan(v)) continue;
      changes += v != before;
      before = v;
      hash = (hash ^ std::bit_cast<uint32_t>(v)) * 0x100000001b3;
    }
    hash = (hash ^ 0x2c) * 0x100000001b3;
  }
  return changes < kEnoughToRecognise ? 0 : hash;
}

bool has_labels(const Well& w) {
  return std::any_of(w.labels.begin(), w.labels.end(), [](int label) { return label != kUnlabelled; });
}

bool called(const Well& w, const std::string& id) { return w.id == id || w.name == id || w.uwi == id; }

}  // namespace

std::vector<int64_t> group_wells(const std::vector<Well>& wells) {
  std::vector<int64_t> parent(wells.size());
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](int64_t i) {
    while (parent[size_t(i)] != i) i = parent[size_t(i)];
    return i;
  };
  std::map<std::string, int64_t> first;  // the first well with this name, UWI or fingerprint
  const auto same = [&](const std::string& key, int64_t i) {
    const auto [entry, added] = first.emplace(key, i);
    if (added) return;
    const int64_t a = root(entry->second), b = root(i);
    parent[size_t(std::max(a, b))] = std::min(a, b);
  };
  for (int64_t i = 0; i < int64_t(wells.size()); ++i) {
    const Well& w = wells[size_t(i)];
    same(text("id ", w.id), i);
    if (!w.name.empty()) same(text("name ", w.name), i);
    if (!w.uwi.empty()) same(text("uwi ", w.uwi), i);
    if (const uint64_t hash = fingerprint(w)) same(text("values ", hash), i);
  }
  std::vector<int64_t> group(wells.size()), number(wells.size(), -1);
  int64_t groups = 0;
  for (size_t i = 0; i < wells.size(); ++i) {
    int64_t& n = number[size_t(root(int64_t(i)))];
    if (n < 0) n = groups++;
    group[i] = n;
  }
  return group;
}

namespace {

// validates[group]: the groups chosen by share or fold.
std::vector<bool> choose_groups(const std::vector<int64_t>& labelled_in_group, const SplitOptions& o) {
  std::vector<int64_t> order;
  int64_t labelled = 0;
  for (size_t g = 0; g < labelled_in_group.size(); ++g)
    if (labelled_in_group[g] > 0) order.push_back(int64_t(g)), labelled += labelled_in_group[g];
  RandomSequence random(o.seed, RandomStream::shuffle, 0, 1);  // b = 1: not the sequence of any epoch's order
  random.shuffle(std::span<int64_t>(order));

  std::vector<bool> validates(labelled_in_group.size(), false);
  if (o.folds != 0) {
    check(o.folds >= 2 && o.fold >= 0 && o.fold < o.folds, "wells: fold=", o.fold, " of folds=", o.folds,
          " does not exist: folds is 2 or more and fold is 0 .. folds-1");
    check(int64_t(order.size()) >= o.folds, "wells: folds=", o.folds,
          " needs as many different labelled wells, and there are ", order.size());
    std::vector<int64_t> size(size_t(o.folds), 0);
    for (const int64_t g : order) {  // the next group goes where the fewest wells are
      const auto fold = std::min_element(size.begin(), size.end()) - size.begin();
      size[size_t(fold)] += labelled_in_group[size_t(g)];
      validates[size_t(g)] = fold == o.fold;
    }
    return validates;
  }
  check(o.validation > 0 && o.validation < 1, "wells: validation=", o.validation, " is not a fraction between 0 and 1");
  const int64_t wanted = std::max<int64_t>(1, std::llround(o.validation * double(labelled)));
  int64_t chosen = 0, groups = 0;
  for (const int64_t g : order) {
    const int64_t n = labelled_in_group[size_t(g)];
    if (chosen > 0 && chosen + n > wanted) continue;
    if (++groups == int64_t(order.size())) break;  // one stays for training
    validates[size_t(g)] = true;
    chosen += n;
  }
  return validates;
}

std::vector<bool> listed_groups(const std::vector<Well>& wells, const std::vector<int64_t>& group,
                                const SplitOptions& o, Split& split) {
  std::vector<bool> validates(wells.size(), false);
  std::vector<std::string> ids;
  for (const Well& w : wells) ids.push_back(w.id);
  for (const std::string& id : o.validation_wells) {
    bool found = false;
    for (size_t i = 0; i < wells.size(); ++i) {
      if (!called(wells[i], id)) continue;
      check(has_labels(wells[i]), "wells: validation_wells names ", id, ", which has no labels to evaluate on");
      found = validates[size_t(group[i])] = true;
    }
    if (found) continue;
    const auto near = nearest_name(id, ids);
    throw Error(text("wells: validation_wells names ", id, ", and there is no such well",
                     near.empty() ? std::string() : text(" (did you mean ", near, "?)")));
  }
  for (size_t i = 0; i < wells.size(); ++i) {
    const auto& list = o.validation_wells;
    if (validates[size_t(group[i])] &&
        std::none_of(list.begin(), list.end(), [&](const std::string& id) { return called(wells[i], id); }))
      split.notes.push_back(text("the well ", wells[i].id, " is one well with a validation well and goes with it"));
  }
  return validates;
}

}  // namespace

Split split_wells(const std::vector<Well>& wells, const SplitOptions& o) {
  const std::vector<int64_t> group = group_wells(wells);
  std::vector<int64_t> labelled_in_group(wells.size(), 0);
  for (size_t i = 0; i < wells.size(); ++i) labelled_in_group[size_t(group[i])] += has_labels(wells[i]);

  check(std::any_of(wells.begin(), wells.end(), has_labels), "wells: none of the ", wells.size(),
        " wells has a label to learn from or to evaluate on: set label to the curve or column that holds it");

  Split split;
  std::vector<bool> validates(wells.size(), false), tests(wells.size(), false);
  if (!o.validation_wells.empty()) validates = listed_groups(wells, group, o, split);
  std::vector<int64_t> free;  // labelled wells of which no list says what they are for
  for (size_t i = 0; i < wells.size(); ++i)
    if (has_labels(wells[i]) && !validates[size_t(group[i])]) free.push_back(int64_t(i));
  for (const int64_t i : kept_for_test(free, o.test, group, o.seed, "wells")) {
    tests[size_t(group[size_t(i)])] = true;
    labelled_in_group[size_t(group[size_t(i)])] = 0;
  }
  if (o.validation_wells.empty()) validates = choose_groups(labelled_in_group, o);
  for (size_t i = 0; i < wells.size(); ++i) {
    const bool validation = validates[size_t(group[i])], test = tests[size_t(group[i])];
    if (has_labels(wells[i]))
      (validation ? split.validation : test ? split.test : split.training).push_back(int64_t(i));
    else if (!validation && !test) split.unlabelled.push_back(int64_t(i));
  }
  check(!split.training.empty() && !split.validation.empty(), "wells: of ", wells.size(),
        wells.size() == 1 ? " well " : " wells ", split.training.size(), " labelled ",
        split.training.size() == 1 ? "is" : "are", " left for training and ", split.validation.size(),
        " for validation: at least one on each side is needed, and different ones");
  return split;
}

}  // namespace kern::data
