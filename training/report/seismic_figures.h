// Figures of seismic data: a section with its axes, and the map of a survey.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "training/report/svg.h"

namespace kern::training {

// An image over an axis of line numbers and one of time downwards.
struct SectionFigure {
  std::string title;
  std::string png;  // a PNG file's bytes
  std::string x_label = "crossline", y_label = "ms";
  double x_first = 0, x_last = 1;  // numbers of the first and the last column; may descend
  double y_first = 0, y_last = 1;  // of the first and the last sample
  double width = 860, height = 460;
  double image_width() const;  // of the part that the image fills: give it these proportions
  double image_height() const;
};
Svg section_figure(const SectionFigure& section);

// The colours of fault probability, from `from` to 1.
Svg fault_colours(double from);

// Lines as seen from above, one of them marked; both axes have the same scale when `metric`.
struct BaseMap {
  std::string title, x_label = "x, m", y_label = "y, m";
  std::vector<std::vector<std::pair<double, double>>> lines;
  std::vector<std::pair<double, double>> marked;
  std::string marked_name;
  bool metric = true;
  double width = 560, height = 460;
};
Svg base_map(const BaseMap& map);

}  // namespace kern::training
