// A trained network for seismic sections with everything prediction needs, and the model file that holds it.
#pragma once
#include <filesystem>
#include <string>

#include "models/section_models.h"

namespace kern::apps {

// Sections reach the network as [N, traces, samples, 1] in the scale of data/fault_sections.h: divided by
// data::amplitude_scale() of the whole volume, clipped to +-data::kLoudest. It answers with one logit for every sample.
struct FaultsModel {
  std::string architecture;       // a row of models::section_models()
  models::SectionConfig network;  // with its own channels where none are given
  int64_t tile = 256;             // side of the tiles that larger sections are cut into
  double threshold = 0.5;         // from which probability on a sample counts as a fault: best F1 of the validation
  double average_precision = 0;   // of the validation
  std::string provenance;         // version, seed
  std::string synthetic;          // YAML: what the sections that trained it were like; empty: made by an older Kern

  AnyModule module;  // made by build() or load_faults_model()
  int reach = 0;     // traces and samples to either side that an answer may depend on
  models::SectionNetwork build();
};

void save_faults_model(const std::filesystem::path& path, const FaultsModel& model);
// In evaluation mode, on the CPU. Error when the file is no model of this task, or damaged.
FaultsModel load_faults_model(const std::filesystem::path& path);

}  // namespace kern::apps
