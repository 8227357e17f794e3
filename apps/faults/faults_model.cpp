#include "apps/faults/faults_model.h"

#include <algorithm>

#include "engine/json.h"
#include "layers/prepare.h"
#include "training/shipped_models.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
using nlohmann::json;

json to_json(const FaultsModel& m) {
  return {{"architecture", m.architecture},
          {"network", {{"channels", m.network.channels}, {"dropout", m.network.dropout}}},
          {"tile", m.tile},
          {"threshold", m.threshold},
          {"average_precision", m.average_precision},
          {"provenance", m.provenance},
          {"synthetic", m.synthetic}};
}

FaultsModel from_json(const json& j) {
  FaultsModel m;
  m.architecture = j.at("architecture").get<std::string>();
  m.network.channels = j.at("network").at("channels").get<std::vector<int>>();
  m.network.dropout = j.at("network").at("dropout").get<double>();
  m.tile = j.at("tile").get<int64_t>();
  m.threshold = j.at("threshold").get<double>();
  m.average_precision = j.at("average_precision").get<double>();
  m.provenance = j.at("provenance").get<std::string>();
  m.synthetic = j.value("synthetic", "");
  return m;
}
}  // namespace

models::SectionNetwork FaultsModel::build() {
  models::SectionNetwork made = models::make_section_model(architecture, network);
  module = made.module;
  reach = made.reach;
  dimensions = models::section_model(architecture).dimensions;
  lines = models::section_model(architecture).lines;
  return made;
}

void save_faults_model(const std::filesystem::path& path, const FaultsModel& model) {
  training::save_task_model(path, "faults", to_json(model), model.module);
}

FaultsModel load_faults_model(const std::filesystem::path& path) {
  FaultsModel model;
  const TensorFile file = training::load_task_model(path, "faults", [&](const json& description) {
    model = from_json(description);
    check(model.tile >= 16 && model.threshold >= 0 && model.threshold <= 1, "it contradicts itself");
    model.build();
  });
  load_into(training::file_tensors(model.module), file);
  model.module = prepare(model.module);
  model.module.set_training(false);
  return model;
}

void take_weights(FaultsModel& model, const std::filesystem::path& path) {
  const TensorFile file = training::load_task_model(path, "faults", [&](const json& description) {
    const FaultsModel other = from_json(description);
    check(other.architecture == model.architecture && other.network.channels == model.network.channels,
          "it is another network");
  });
  load_into(training::file_tensors(model.module), file);
}

std::string FaultsModels::name(bool cube) const {
  if (!shipped()) return chosen_;
  const auto all = training::shipped_models();
  const bool has_cubes =
      std::any_of(all.begin(), all.end(), [](const auto& file) { return file.stem() == kCubesModel; });
  return cube && has_cubes ? kCubesModel : kSectionsModel;
}

void FaultsModels::expect() {
  if (!shipped()) of(false);
  else training::shipped_model(name(false));
}

const FaultsModel& FaultsModels::of(bool cube) {
  std::optional<FaultsModel>& model = loaded_[name(cube) == kCubesModel];
  if (!model) {
    model = load_faults_model(shipped() ? training::shipped_model(name(cube)) : training::find_model_file(chosen_));
    model->module.move_to(device_);
  }
  return *model;
}

}  // namespace kern::apps
