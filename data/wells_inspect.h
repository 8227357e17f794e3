// What would break or bend a training, said in plain words before it starts.
#pragma once
#include <string>
#include <vector>

#include "data/wells.h"
#include "data/wells_normalise.h"
#include "data/wells_split.h"

namespace kern::data {

// Errors first, then warnings, then notes; otherwise by kind and in the order of the wells. It includes what load_wells
// skipped, noted and left unlabelled. With a split: the same well on both sides, classes that only one side has. With a
// normalisation: what it clips and which missing values it cannot tell from measured ones.
//   Kinds: labels outside the classes, one class only, empty or absent label curves, constant curves, the same well
//   twice, units that disagree (by name, and by values of another size), depth gaps and uneven spacing, spikes,
//   leftovers such as -9999, wells too short.
std::vector<Finding> inspect_wells(const WellSet& set, const Split* split = nullptr,
                                   const Normalisation* normalisation = nullptr);

struct CurveSummary {
  std::string name, unit;                // unit: the most frequent one
  double least = 0, mean = 0, most = 0;  // NaN when nothing was measured
  double missing_share = 0;              // of all samples
  int64_t wells_without = 0;
};
struct WellsSummary {
  int64_t wells = 0, labelled_wells = 0, samples = 0, labelled_samples = 0;
  int64_t shortest = 0, longest = 0;  // samples of a well
  double step = 0;
  std::string depth_unit;
  std::vector<CurveSummary> curves;
  std::vector<int64_t> class_counts;  // samples of each class
};
WellsSummary summarise_wells(const WellSet& set);

}  // namespace kern::data
