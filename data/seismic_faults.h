// The faults of synthetic seismic: how they are drawn, and how rock is followed back through one.
//
// A fault is a surface: a plane, or one that flattens with depth (listric) and bends along its strike. Slip runs along
// it. It is greatest in the centre and zero at the rim of an ellipse, or grows linearly along the dip and fades along
// the strike. Half of it moves the rock above the surface (down in a normal fault, up in a reverse one), half the rock
// below, and both die out away from it; drag leaves part of it out beside the surface, so that layers bend into it.
#pragma once
#include <vector>

#include "data/seismic_draw.h"

namespace kern::data {

// Oldest first. The centres lie within inlines x crosslines x samples.
std::vector<SyntheticFault> draw_faults(const SyntheticSeismic& options, int64_t inlines, int64_t crosslines,
                                        int64_t samples, RandomSequence& random);

// A fault made ready for following points back.
class FaultSurface {
 public:
  FaultSurface(const SyntheticFault& fault, bool section, double least_throw);

  static constexpr float kFar = 1e6f;
  // x, y, z [n] become where the rock of these places was before this fault moved. distance[i] becomes the distance
  // from this fault where that is smaller and the fault throws enough to be labelled: in voxels along the axis most
  // across the surface, signed.
  void follow(float* x, float* y, float* z, float* distance, int64_t n) const;
  double slip() const { return std::abs(double(2 * half_slip_)); }  // the most

 private:
  float cx_, cy_, cz_;
  float hx_, hy_;  // horizontal direction to which it falls, of length 1
  float sin_dip_, cos_dip_;
  float cot_, bend_, top_, bottom_;  // cotangent of the dip: |cot| + bend t, of depths t from top to bottom
  float square_, cube_;
  float half_slip_;  // signed
  float down_, along_, reach_;
  float drag_, drag_width_;
  float linear_;
  float labelled_from_;  // half the throw
  bool section_;
};

}  // namespace kern::data
