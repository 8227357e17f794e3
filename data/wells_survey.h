// What well files hold before anyone has said which curves are wanted: names, units, how much of each is measured, and
// which of them look like labels. For `kern wells init`.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/wells.h"

namespace kern::data {

struct SurveyedCurve {
  std::string name;                // as most files spell it
  std::string unit;                // the most frequent one
  int64_t wells = 0;               // that hold a value of it
  int64_t samples = 0, valid = 0;  // of those wells; valid: measured
  double least = 0, most = 0;      // of the measured values
  double spread = 0;               // 99th over 50th percentile where all are above 0, else 0: tens ask for a logarithm
  bool whole = false;              // all values are whole numbers
  int64_t distinct = 0;            // values or words, counted up to 65
  bool words = false;              // a table's column of words
};

struct WellsSurvey {
  int64_t files = 0, wells = 0;
  std::vector<SurveyedCurve> curves;  // by name; without the depth and what tells wells apart
  std::vector<Problem> skipped;       // files that cannot be read
  std::string label;                  // the one that looks most like labels; empty: none does
  std::vector<std::string> other_labels;
};

// Only path, well_column, depth_column and null_values of the options count. Error: nothing can be read.
WellsSurvey survey_wells(const WellsOptions& options);

// One kind of measurement under the names that logging companies give it.
struct CurveFamily {
  const char* measures;            // "gamma ray"
  std::vector<std::string> names;  // the commonest first
  bool logarithm = false;          // spans decades
};
const std::vector<CurveFamily>& curve_families();

}  // namespace kern::data
