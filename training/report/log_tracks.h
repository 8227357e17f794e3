// Well logs as a geologist reads them: depth downwards on the left, one track per curve, then the classes as coloured
// columns.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "training/classes.h"
#include "training/report/svg.h"

namespace kern::training {

struct TrackCurve {
  std::string name, unit;
  std::vector<float> values;  // [L], NaN where nothing was measured: the line has a gap there
};

struct TrackClasses {
  std::string name;
  std::vector<int> values;  // [L] class, or -1
};

struct WellTrack {
  std::string id;
  std::string depth_unit;                 // "m", "ft" or empty
  std::vector<double> depth;              // [L], ascending
  std::vector<TrackCurve> curves;         // each [L]
  std::vector<int> truth;                 // [L] class, or -1 without label; empty when the well has no labels
  std::vector<int> prediction;            // [L]; empty when there is none
  std::vector<float> probabilities;       // [L, K], rows sum to 1; empty: no such column
  std::vector<TrackClasses> others = {};  // further predictions, each with its errors, under their names
  // Share of the labelled samples that are predicted right; NaN without labels.
  double accuracy() const;
  int64_t labelled() const;
};

struct TrackStyle {
  double height = 620;  // of the tracks, in pixels; one sample row per pixel at most
  double curve_width = 120, class_width = 56;
  int64_t most_curves = 8;  // further ones are named in a line below
  bool legend = false;      // the classes' colours below the tracks (a page shows class_legend() once instead)
};

// The image of one well. Samples are gathered into pixel rows: curves by the envelope of minimum and maximum, classes
// by the commonest of the row, errors by their share in it, probabilities by their mean; its size does not grow with
// the length. Gamma ray, porosity, density and sonic have the scales that they are usually plotted on (0 to 150, 0.45
// to -0.15, 1.95 to 2.95, 140 to 40) where their values lie on them, and porosity lies over density in one track; any
// other spans the 0.5th to 99.5th percentile of its values so that one spike does not flatten it. Curves in ohms with
// positive values get a logarithmic scale of whole decades, as is the custom. InternalError when an array's length does
// not fit the depth, or a class is none of the list.
Svg log_tracks(const WellTrack& well, const ClassList& classes, const TrackStyle& style = {});

// The classes' names and colours, side by side in as many lines as they need.
Svg class_legend(const ClassList& classes, double width = 900);

}  // namespace kern::training
