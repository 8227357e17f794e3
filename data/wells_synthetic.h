// Synthetic gamma-ray wells with facies drawn into them: a stand-in for the contest table `well_id,row_id,GR,label`.
//
// A background near 0.65 of the range drifts slowly and carries white noise. Inside a facies the gamma ray falls to
// 0.15..0.4 with one of four shapes:
//
//   1 bell: gradual fall, gradual rise       3 sharp fall, gradual rise
//   2 cylinder: sharp fall, sharp rise       4 gradual fall, sharp rise
//
// so that a facies is hard to place only at its gradual edges and hard to name only when it is short. At 1100 samples a
// well class 0 covers about 52.6 % of the samples and each facies about 11.8 %.
#pragma once
#include <filesystem>

#include "data/well.h"

namespace kern::data {

inline constexpr int kSyntheticClasses = 5;  // 0 background, 1..4 the shapes above

struct SyntheticWells {
  int64_t wells = 100;           // 1 .. 1000000
  int64_t samples = 1100;        // a well, 64 .. 1000000; 6..14 facies per 1100 samples
  double step = 0.5;             // metres between samples, > 0
  double labelled_fraction = 1;  // 0 .. 1; the labelled wells are spread evenly, and the first is one of them
  uint64_t seed = 0;
};

// Throws an Error naming the option that is out of range.
void check_options(const SyntheticWells& options);

// Well `index` of the set. It depends on seed, index and samples alone: a larger set begins with the smaller one.
// GR is in gAPI (0..150, two decimals, so that a file holds exactly what memory does). Unlabelled wells have no labels.
Well synthetic_well(const SyntheticWells& options, int64_t index);
std::vector<Well> synthetic_wells(const SyntheticWells& options);

// One LAS 2.0 file a well: DEPT, GR and, in labelled wells, FACIES.
void write_synthetic_las(const std::filesystem::path& folder, const SyntheticWells& options);
// One table `well_id,row_id,GR,label`; the label is empty in unlabelled wells.
void write_synthetic_csv(const std::filesystem::path& file, const SyntheticWells& options);

}  // namespace kern::data
