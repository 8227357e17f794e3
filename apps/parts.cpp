#include "apps/parts.h"

#include <algorithm>
#include <set>

#include "kernels/common/error.h"
#include "kernels/common/log.h"

namespace kern::apps {

std::vector<int64_t> chosen(DataPart part, const DataParts& parts, const std::vector<std::string>& names,
                            const PartWords& words) {
  using Names = std::set<std::string>;
  const Names trained(parts.training.begin(), parts.training.end()),
      validated(parts.validation.begin(), parts.validation.end()), tested(parts.test.begin(), parts.test.end());
  const bool kept_apart = !tested.empty();
  const auto wanted = [&](const std::string& name) {
    switch (part) {
      case DataPart::unseen:
        return !trained.contains(name) && !(kept_apart && validated.contains(name));
      case DataPart::test:
        return tested.contains(name);
      case DataPart::validation:
        return validated.contains(name);
      case DataPart::training:
        return trained.contains(name);
      case DataPart::all:
        return true;
    }
    return false;
  };
  std::vector<int64_t> out;
  for (size_t i = 0; i < names.size(); ++i)
    if (wanted(names[i])) out.push_back(int64_t(i));
  const auto total = int64_t(names.size()), left_out = total - int64_t(out.size());
  const std::string made = kept_apart ? " trained or validated this model" : " trained this model";
  check(total > 0, "no labelled ", words.things, " to evaluate in ", words.data);
  if (part == DataPart::unseen)
    check(!out.empty(), "all ", total, " labelled ", words.things, " of ", words.data, made,
          ": what it says of them says nothing about new ones. Give other ", words.things, ", or ", words.things,
          "=training to see how well it learned these");
  check(!out.empty(), "none of the ", total, " labelled ", words.things, " of ", words.data,
        " has the name of one that the model was made with, as ", words.things, "= asks: give ", words.things,
        "=unseen or ", words.things, "=all");
  if (part == DataPart::unseen && left_out > 0)
    inform(left_out, " ", words.things, " of ", words.data, made, " and are left out (", words.things,
           "=all evaluates them too)");
  const auto seen =
      std::count_if(names.begin(), names.end(), [&](const std::string& n) { return trained.contains(n); });
  if (part == DataPart::all && seen > 0)
    warn(seen, " of these ", total, " ", words.things, " trained this model: the figures are better than those of new ",
         words.things, " (", words.things, "=unseen leaves them out)");
  return out;
}

void describe_part(training::Schema& keys, const std::string& things, DataPart& part) {
  keys.choice(things, part,
              "which labelled " + things +
                  ", by name: unseen, those that no training step saw and, where the model kept a test, that validated "
                  "nothing; those of the test, those that validated the model, which chose its best epoch, those that "
                  "trained it; or all of the data",
              {{"unseen", DataPart::unseen},
               {"test", DataPart::test},
               {"validation", DataPart::validation},
               {"training", DataPart::training},
               {"all", DataPart::all}});
  if (things == "images") keys.formerly("pictures");
}

void announce_test(int64_t kept, const std::string& things) {
  if (kept == 0) return;
  inform(kept, " of the labelled ", things, kept == 1 ? " is" : " are",
         " kept for the test, at which no training looks: kern ", things, " evaluate model=RUN data=… ", things,
         "=test does, once at the end");
}

void describe_groups(training::Schema& keys, data::GroupOptions& groups, const std::string& what) {
  keys.key("group.gap", groups.gap, "group=number: neighbours whose numbers differ by no more are of one thing",
           training::at_least(0));
  keys.choice("group", groups.by,
              "images of one thing are never parted by " + what +
                  "; name: those whose names differ in the last part alone (sheet_01_1, sheet_01_2); number: those "
                  "whose names' last numbers follow one another",
              {{"each", data::Grouping::each}, {"name", data::Grouping::name}, {"number", data::Grouping::number}});
}

}  // namespace kern::apps
