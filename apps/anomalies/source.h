// The images that a command works with.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "apps/anomalies/config.h"
#include "data/image_store.h"

namespace kern::apps {

struct AnomaliesSource {
  data::AnomalySet set;                           // what cannot be read has Truth::unknown and stands in set.skipped
  std::shared_ptr<const data::ImageStore> store;  // the set's images in their order; masks: 1 in the defect
};
AnomaliesSource read_source(const AnomaliesData& data);
void warn_of_skipped(const AnomaliesSource& source);
std::vector<std::string> ids_of(const AnomaliesSource& source, const std::vector<int64_t>& which);

}  // namespace kern::apps
