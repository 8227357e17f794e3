// What a trained model says of wells, row by row: `kern wells predict` writes it, the Python package hands it out.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "apps/wells/config.h"
#include "apps/wells/wells_model.h"
#include "data/wells.h"

namespace kern::apps {

struct PredictedWell {
  std::string id, depth_unit;
  std::vector<double> depth;         // [L] of the rows, as they stand in the file
  std::vector<int> labels;           // [L] class index; -1 where a row gets none
  std::vector<float> probabilities;  // [L,K]; NaN where a row gets none
};

// What stands in a file for class k: its code if that is a number, else the index.
float code_of(const WellsModel& model, int k);
bool is_las(const std::filesystem::path& path);  // by its name
// The ending that makes a file a table (.csv, .csv.gz, .tsv, .tsv.gz), in its own spelling; empty when it is none.
std::string table_ending(const std::filesystem::path& path);
inline bool is_table(const std::filesystem::path& path) { return !table_ending(path).empty(); }

// The rows of a LAS file. The well is put on the model's step where it has another, and each row takes what was found
// at the nearest sample. Errors: as data::read_las and data::well_from_las say, and a well that lacks all curves, or one
// that the model cannot do without.
PredictedWell predict_las(const WellsModel& model, const PredictConfig& config, const data::LasFile& file);
// The same of a well in memory with the model's curves, before any resampling.
PredictedWell predict_well_rows(const WellsModel& model, const PredictConfig& config, data::Well well);

// The wells of a table, on the model's step, with warnings for those that are left out. Errors as data::load_wells
// says, and for curves as above.
data::WellSet read_table(const WellsModel& model, const PredictConfig& config, const std::filesystem::path& table);
// Every sample of one of them.
PredictedWell predict_samples(const WellsModel& model, const PredictConfig& config, const data::Well& well);

}  // namespace kern::apps
