// How well predicted faults agree with labelled ones: sample by sample at every threshold, and forgiving a fault that
// is off by a sample or two.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/block_tiles.h"
#include "data/fault_surfaces.h"

namespace kern::training {

// Precision and recall at every threshold, of any number of samples in bounded memory: probabilities are counted in
// 4096 bins of equal width, so what differs by less than 1/4096 ties.
class PrecisionRecall {
 public:
  PrecisionRecall();
  // probability in [0, 1] (NaN counts as 0), label 0, 1, or negative: takes no part.
  void add(std::span<const float> probability, std::span<const int32_t> labels);
  int64_t positives() const { return positives_; }
  int64_t count() const { return count_; }
  // The sum over falling thresholds of precision times the recall gained (as scikit-learn's average_precision_score).
  // NaN without positives.
  double average_precision() const;
  struct Point {
    double threshold, precision, recall;
    double f1() const { return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0; }
  };
  // Where a sample is a fault if its probability is at least the threshold (rounded down to a bin). The precision of
  // nothing found is 0, the recall of no positives NaN.
  Point at(double threshold) const;
  Point best_f1() const;
  // What was counted so far, for another that adds it: faults by bin, then other samples.
  std::vector<int64_t> counts() const;
  void add_counts(const std::vector<int64_t>& counts);

 private:
  std::vector<int64_t> positive_, negative_;  // by bin
  int64_t positives_ = 0, count_ = 0;
};

// Agreement of two sets of samples within a distance, over any number of blocks: a found sample counts as right if a
// labelled one is no farther than `tolerance` samples (Euclidean), a labelled one as found likewise. The intersection
// over union that gives the same F1 is F1 / (2 - F1): Tol-IoU.
class TolerantAgreement {
 public:
  explicit TolerantAgreement(double tolerance = 2);
  // Samples that are not 0, and labels above 0; where a label is negative nobody looked: what is found there is no
  // mistake, but near enough to a labelled one it finds that. Errors: sizes that are not the block's.
  void add(std::span<const float> found, std::span<const int32_t> labels, const data::Block& block);
  // Only the samples of a part of the block are counted; the others are there to be near to.
  void add(std::span<const float> found, std::span<const int32_t> labels, const data::Block& block,
           const data::Box& counted);
  void merge(const TolerantAgreement& other);
  // What was counted so far, for another that adds it: found and right, labelled and met.
  std::vector<int64_t> counts() const { return {found_, right_, labelled_, met_}; }
  void add_counts(const std::vector<int64_t>& counts);
  double precision() const;  // NaN where nothing was found
  double recall() const;     // NaN where nothing was labelled
  double f1() const;         // 0 if nothing agrees, NaN if there was nothing at all
  double iou() const;

 private:
  std::vector<std::array<int64_t, 3>> ball_;  // steps no longer than the tolerance, the shortest first
  int64_t found_ = 0, right_ = 0, labelled_ = 0, met_ = 0;
};

}  // namespace kern::training
