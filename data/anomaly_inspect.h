// What would break or bend a training on good and defective images, said in plain words before it starts.
#pragma once
#include <vector>

#include "data/anomaly_set.h"
#include "data/image_store.h"

namespace kern::data {

// Errors first, then warnings, then notes. `store` holds the set's images in their order. Kinds: files left out,
// images that cannot be read, too few good ones, all of them identical, equal images (across the split, or good
// here and bad there), grey among colours, sizes that differ, masks that are empty, anomalies without a mask, too few
// anomalies for a threshold.
std::vector<Finding> inspect_anomalies(const AnomalySet& set, const ImageStore& store, const AnomalySplit* split);

// Fewer images than this do not say how the normal ones vary.
inline constexpr int64_t kLeastNormal = 2, kFewNormal = 50;

// "37 of 48 masks cover more than half of their image ...": what speaks for masks that are white where the thing is
// good; empty: nothing does.
std::string masks_warning(const AnomalySet& set, const ImageStore& store);

// Why no model can be trained on these of the store's images: one alone, or all identical. Empty where one can.
std::string untrainable(const ImageStore& store, const std::vector<int64_t>& training);

}  // namespace kern::data
