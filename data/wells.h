// Wells from files: a folder of LAS and CSV files, or one file, becomes a set of wells with the same curves.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/finding.h"
#include "data/well.h"

namespace kern::data {

struct LasFile;

struct WellsOptions {
  std::filesystem::path path;  // a folder (searched recursively, files sorted by name) or one .las, .csv, .csv.gz, .tsv

  // Curves by name, in the order of the channels. Upper and lower case do not differ. A name may list aliases,
  // "GR|GAMMA|SGR": the first that a file has is taken, and the set calls it by the first name. "depth" is the well's
  // depth, whatever the file calls it, in the unit of step.
  std::vector<std::string> curves{"GR"};
  std::string label;  // label curve or column, aliases allowed; empty: no labels wanted
  // The file's code (a number or a word) and its class index; without any the code is the index. -1 leaves unlabelled.
  std::vector<std::pair<std::string, int>> codes;
  int classes = 0;                  // 0: as many as the codes, or the labels found, need
  bool ignore_unmapped = false;     // codes outside the table become unlabelled; otherwise they are an error
  std::vector<double> null_values;  // read as missing, besides each file's own NULL

  std::string well_column = "well_id|well|uwi";                 // CSV: rows with the same value are one well
  std::string depth_column = "depth|dept|depth_m|depth_md|md";  // CSV: where no such column is, row order with step 1

  double step = 0;        // > 0: resample every well to this distance; 0: take the files' own, which must then agree
  std::string step_unit;  // of step: "m" or "ft"; empty: the unit of depth that most wells have
  bool absent_curves = false;   // a curve that no well has is missing in all, not an error, if one has another
  bool require_curves = false;  // leave out wells that lack a curve; otherwise the curve is missing throughout
  bool strict = false;          // a file that cannot be used is an error; otherwise it is skipped and listed
};

struct UnmappedCode {
  std::string code, file;  // file: the first that holds it
  int64_t samples = 0, wells = 0;
};

struct WellSet {
  std::vector<Well> wells;               // files by name; inside a table by first row
  std::vector<std::string> curve_names;  // the first name of each entry of WellsOptions::curves
  std::string label_name;                // empty when no labels were asked for
  int classes = 0;
  double step = 0;                     // of (nearly) all wells; 0 when nothing is known of it
  std::string step_unit;               // of step: "m" or "ft", or empty where the files say nothing that is known
  std::vector<Problem> skipped;        // files and wells that are not in the set
  std::vector<Problem> notes;          // what was done to those that are
  std::vector<UnmappedCode> unmapped;  // only with ignore_unmapped
};

// Reads, checks, sorts and, when asked, resamples. Depth ascends afterwards; descending files are turned over (a note).
//   Refused file by file (skipped, or thrown when strict): unreadable files, duplicate depths, depths that go up and
//   down, fewer than 2 samples, and without step= files whose step is not the majority's.
//   Thrown: no such path, no usable well, a curve or label that no well has, codes outside the table, options out of
//   range.
// A well that is evenly sampled at step= already stays as it is; the others are resampled. Depths stay in the file's
// unit; steps of metres and of feet are compared and converted where both units are known.
WellSet load_wells(const WellsOptions& options);

// Puts depth, curves and labels on whole multiples of the step: curves linearly between neighbours, never across a gap
// or a missing value; labels from the nearest sample. A gap is more than 1.5 of the well's own step; inside one the
// curves are missing and nothing is labelled. No filter comes before a coarser step. Throws an Error for a step that
// fits no 2 samples.
void resample(Well& well, double step);
// "m" or "ft" for what a file may call metres or feet, else empty.
std::string depth_unit_of(std::string_view written);
// A distance in unit `from` as one in unit `to`: itself where either is not known.
double in_depth_unit(double distance, std::string_view from, std::string_view to);
bool is_depth(const Curve& curve);  // called kDepthCurve
// Gives the curve kDepthCurve, if the well has one, its values: the depths, in `unit` ("m", "ft"; empty: the well's).
void set_depth_curve(Well& well, std::string_view unit);
// Whether all samples are one step apart (within 1 %).
bool evenly_sampled(const Well& well);

// One LAS file as load_wells reads it (labels only where the options name a label), before any resampling.
// Throws an Error where load_wells would skip the file or refuse a code.
Well well_from_las(const LasFile& file, const WellsOptions& options, std::vector<Problem>& notes);

// Whether a value is one of those that logging programs write where nothing was measured (-999, -999.25, -9999 …).
bool likely_null(float value);

// For each of the given depths (of the original file, in its order, NaN allowed) the nearest sample of the well, or -1
// where the well has none within `reach`. This is how predictions find their way back to the file's rows.
std::vector<int64_t> nearest_samples(const Well& well, const std::vector<double>& depths, double reach);

// Whether two steps are the same for all practical purposes (within 1 %: 0.152 m and 0.1524 m are).
bool same_step(double a, double b);

}  // namespace kern::data
