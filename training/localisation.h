// How well an anomaly map shows where a defect is.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace kern::training {

class Localisation {
 public:
  // map [H,W]: the higher the more anomalous; mask [H,W]: not 0 in the defect, empty for an image without one. Errors:
  // sizes that differ, a map that is not finite.
  void add(std::span<const float> map, std::span<const uint8_t> mask, int64_t H, int64_t W);
  int64_t regions() const { return int64_t(regions_.size()); }
  // The chance that a pixel of a defect scores higher than one of none, a tie counting half. NaN without both.
  double pixel_auroc() const;
  // PRO (Bergmann et al. 2020): the share of each connected region (by sides and corners) that is found, averaged over
  // regions so that small ones count as much as large ones, over false-positive rates up to `limit`; 1 is perfect. NaN
  // without regions or without other pixels.
  double region_overlap(double limit = 0.3) const;

 private:
  std::vector<float> outside_;               // scores of all pixels of no defect
  std::vector<std::vector<float>> regions_;  // scores of each region's pixels
};

}  // namespace kern::training
