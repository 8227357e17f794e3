// From measured values to what a network reads: scaled curves, and a mask where nothing was measured.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "data/well.h"

namespace kern::data {

enum class Scaling {
  minmax,    // smallest value 0, largest 1
  standard,  // mean 0, standard deviation 1
  robust,    // 1st percentile 0, 99th percentile 1
};
enum class Mask { automatic, on, off };         // automatic: on when a training well has gaps
Scaling scaling_from(const std::string& name);  // minmax, standard, robust; an Error otherwise
Mask mask_from(const std::string& name);        // auto, on, off

// Of a well's own scale (Normalisation::per_well).
inline constexpr size_t kLeastOwn = 50;
inline constexpr double kOwnLow = 0.1, kOwnHigh = 0.9;
inline constexpr double kOwnDeviations = 2.5631;  // from the 10th to the 90th percentile of a normal distribution
inline constexpr double kLeastWidth = 1e-7;       // of a scale, as a share of the offset: what is less is rounding
inline constexpr float kClip = 8;                 // scaled values end here: a spike must not outweigh a well

struct CurveScale {
  std::string name;
  bool log10 = false;            // first take the logarithm; values <= 0 are then missing
  double offset = 0, scale = 1;  // scaled = (value - offset) / scale
};

// Everything that prediction needs to make the same inputs; it goes into the model file.
struct Normalisation {
  std::vector<CurveScale> curves;  // in channel order
  bool mask = false;               // one more channel per curve after all curves: 1 measured, 0 missing
  // Of every well by its own statistics: (value - median) / ((q90 - q10) / 2.563), which leaves how a curve moves and
  // drops where it lies. A curve with fewer than kLeastOwn values, a constant one and the depth (kDepthCurve) keep the
  // offset and scale above.
  bool per_well = false;
  int64_t channels() const { return int64_t(curves.size()) * (mask ? 2 : 1); }
};

struct NormalisationOptions {
  Scaling scaling = Scaling::standard;
  Mask mask = Mask::automatic;
  std::vector<std::string> log10;  // names of curves, e.g. resistivities
  bool per_well = false;
};

// Statistics of the training wells alone. A constant curve gets scale 1. Throws an Error for an unknown name in log10
// and for a curve without a single value in the training wells.
Normalisation fit_normalisation(const std::vector<Well>& wells, std::span<const int64_t> training,
                                const NormalisationOptions& options);

// [L, channels] of a well, channels last: scaled, clipped to +-kClip, 0 where missing. Throws an Error when the well's
// curves are not those of the normalisation, by name and order.
std::vector<float> network_inputs(const Well& well, const Normalisation& normalisation);
// The same values before clipping, NaN where missing: one curve, for finding spikes.
std::vector<float> scaled_curve(const Curve& curve, const CurveScale& scale);
// The scale of a curve by the values of this well alone; `scale` where they are too few, or all one.
CurveScale own_scale(const Curve& curve, const CurveScale& scale);

}  // namespace kern::data
