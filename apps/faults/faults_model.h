// A trained network for seismic sections with everything prediction needs, and the model file that holds it.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "models/section_models.h"

namespace kern::apps {

// Sections reach the network as [N, traces, samples, lines], cubes as [N, inlines, crosslines, samples, 1], in the scale of
// data/fault_sections.h: divided by data::amplitude_scale() of the whole volume, clipped to +-data::kLoudest. It answers
// with one logit for every sample.
struct FaultsModel {
  std::string architecture;       // a row of models::section_models()
  models::SectionConfig network;  // with its own channels where none are given
  int64_t tile = 256;             // side of the tiles that larger sections are cut into
  double threshold = 0.5;         // from which probability on a sample counts as a fault: best F1 of the validation
  double average_precision = 0;   // of the validation
  std::string provenance;         // version, seed
  std::string synthetic;          // YAML: what the sections that trained it were like; empty: made by an older Kern

  AnyModule module;    // made by build() or load_faults_model()
  int dimensions = 2;  // 2: it takes sections, 3: cubes
  int lines = 1;       // neighbouring lines that are channels of a section: the answer is that of the middle one
  int reach = 0;       // traces and samples to either side that an answer may depend on
  models::SectionNetwork build();
  bool takes_single_sections() const { return dimensions == 2 && lines == 1; }
};

void save_faults_model(const std::filesystem::path& path, const FaultsModel& model);
// In evaluation mode, on the CPU. Error when the file is no model of this task, or damaged.
FaultsModel load_faults_model(const std::filesystem::path& path);

// The weights of a model file into a model's network, which was built as its own. Error as load_faults_model().
void take_weights(FaultsModel& model, const std::filesystem::path& file);

// The names of models that come with Kern (training/shipped_models.h). Cubes go through the one for sections, along
// both directions, where there is none for cubes.
inline constexpr const char *kCubesModel = "faults_cubes", *kSectionsModel = "faults_sections";

// The model that the user named, or those that come with Kern; each is loaded when it is first asked for.
class FaultsModels {
 public:
  // `chosen`: a model file or a run folder; empty: Kern's own.
  FaultsModels(std::string chosen, Device device) : chosen_(std::move(chosen)), device_(device) {}
  // For cubes or, where `cube` is false, for sections; what the user named whatever it is for. Errors as
  // load_faults_model() and training::shipped_model() say.
  const FaultsModel& of(bool cube);
  // The Errors that of() would throw for the files alone, before anything else is done: what the user named is loaded.
  void expect();
  bool shipped() const { return chosen_.empty(); }
  std::string name(bool cube) const;

 private:
  std::string chosen_;
  Device device_;
  std::optional<FaultsModel> loaded_[2];
};

}  // namespace kern::apps
