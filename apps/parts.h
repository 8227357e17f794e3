// Which of the labelled data `evaluate` evaluates, by what the training of the model saw of them. Data are known by name:
// a file that was renamed is a new one.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/image_groups.h"
#include "training/config.h"

namespace kern::apps {

// unseen: what trained nothing; where the model kept a part for the test, neither what validated it.
enum class DataPart { unseen, test, validation, training, all };

struct DataParts {
  std::vector<std::string> training, validation, test;  // names; no test: none was kept
};
struct PartWords {
  std::string things;  // "images"; also the key's name
  std::string data;    // where they lie
};

// The indices of `names`, in their order, that `part` asks for. Says how many were left out as seen, or that some of
// `all` trained the model. Error, saying what to give: none is left.
std::vector<int64_t> chosen(DataPart part, const DataParts& parts, const std::vector<std::string>& names,
                            const PartWords& words);

void describe_part(training::Schema& keys, const std::string& things, DataPart& part);

// Says how many are kept for the test, and what looks at them. things: "images" or "wells", as the task is called too.
void announce_test(int64_t kept, const std::string& things);

// The keys group= and group.gap= of images; `what` never parts them.
void describe_groups(training::Schema& keys, data::GroupOptions& groups, const std::string& what);

}  // namespace kern::apps
