#include "data/wells_labelled.h"

#include <algorithm>

#include "data/names.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

bool called(const Well& w, const std::string& id) { return w.id == id || w.name == id || w.uwi == id; }

}  // namespace

LabelledWells choose_labelled(const std::vector<Well>& wells, const Split& split, const LabelledOptions& o) {
  if (o.wells.empty()) return choose_share(split.training, group_wells(wells), o.fraction, o.seed);
  LabelledWells out;
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
  std::sort(out.labelled.begin(), out.labelled.end());
  std::sort(out.hidden.begin(), out.hidden.end());
  return out;
}

std::vector<int64_t> class_counts(const std::vector<Well>& wells, std::span<const int64_t> which, int classes) {
  std::vector<int64_t> counts(size_t(classes), 0);
  for (int64_t i : which)
    for (int label : wells[size_t(i)].labels)
      if (label != kUnlabelled) ++counts[size_t(label)];
  return counts;
}

}  // namespace kern::data
