#include "apps/images/images_model.h"

#include <algorithm>

#include "apps/model_words.h"
#include "engine/json.h"
#include "layers/prepare.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
using nlohmann::json;

constexpr std::pair<data::MaskKind, const char*> kMaskWords[] = {{data::MaskKind::index, "index"},
                                                                 {data::MaskKind::colour, "colour"},
                                                                 {data::MaskKind::nonzero, "nonzero"},
                                                                 {data::MaskKind::zero, "zero"},
                                                                 {data::MaskKind::alpha, "alpha"}};

json to_json(const ImagesModel& m) {
  json classes = json::array();
  for (const auto& c : m.classes) classes.push_back({{"name", c.name}, {"colour", c.colour}, {"values", c.values}});
  return {{"architecture", m.architecture},
          {"network",
           {{"in", m.network.in},
            {"out", m.network.out},
            {"channels", m.network.channels},
            {"dropout", m.network.dropout},
            {"padding", word_of(kPaddingWords, m.network.padding)},
            {"scaling", m.network.scaling ? json(word_of(kScalingWords, *m.network.scaling)) : json()},
            {"norm_eps", m.network.norm_eps ? json(*m.network.norm_eps) : json()}}},
          {"size", {m.H, m.W}},
          {"own_size", m.own_size},
          {"seen_size", {m.seen_H, m.seen_W}},
          {"fit", m.fit == data::Fit::crop ? "crop" : "scale"},
          {"classes", classes},
          {"masks", word_of(kMaskWords, m.masks)},
          {"ignore", m.ignore},
          {"training_pictures", m.training_images},
          {"validation_pictures", m.validation_images},
          {"test_pictures", m.test_images},
          {"provenance", m.provenance}};
}

ImagesModel from_json(const json& j) {
  ImagesModel m;
  m.architecture = j.at("architecture").get<std::string>();
  const json& n = j.at("network");
  m.network.in = n.at("in").get<int>();
  m.network.out = n.at("out").get<int>();
  m.network.channels = n.at("channels").get<std::vector<int>>();
  m.network.dropout = n.at("dropout").get<double>();
  m.network.padding = value_of(kPaddingWords, n.at("padding").get<std::string>());
  if (!n.at("scaling").is_null()) m.network.scaling = value_of(kScalingWords, n.at("scaling").get<std::string>());
  if (!n.at("norm_eps").is_null()) m.network.norm_eps = n.at("norm_eps").get<double>();
  m.H = j.at("size").at(0).get<int>();
  m.W = j.at("size").at(1).get<int>();
  m.own_size = j.at("own_size").get<bool>();
  if (j.contains("seen_size")) {  // older models lack it
    m.seen_H = j.at("seen_size").at(0).get<int>();
    m.seen_W = j.at("seen_size").at(1).get<int>();
  }
  m.fit = j.at("fit").get<std::string>() == "crop" ? data::Fit::crop : data::Fit::scale;
  for (const json& c : j.at("classes"))
    m.classes.push_back(
        {c.at("name").get<std::string>(), c.at("colour").get<std::string>(), c.at("values").get<std::vector<int>>()});
  m.masks = value_of(kMaskWords, j.at("masks").get<std::string>());
  m.ignore = j.at("ignore").get<std::vector<int>>();
  m.training_images = j.at("training_pictures").get<std::vector<std::string>>();
  m.validation_images = j.at("validation_pictures").get<std::vector<std::string>>();
  m.test_images = j.value("test_pictures", std::vector<std::string>());  // older files have none
  m.provenance = j.at("provenance").get<std::string>();
  return m;
}
}  // namespace

void ImagesModel::build() { module = models::make_image2d_model(architecture, network); }

void save_images_model(const std::filesystem::path& path, const ImagesModel& model) {
  training::save_task_model(path, "images", to_json(model), model.module);
}

ImagesModel load_images_model(const std::filesystem::path& path) {
  ImagesModel model;
  const TensorFile file = training::load_task_model(path, "images", [&](const json& description) {
    model = from_json(description);
    const int classes = model.class_count(), out = model.network.out;
    check((out == classes || (out == 1 && classes == 2)) && (model.network.in == 1 || model.network.in == 3) &&
              model.H > 0 && model.W > 0,
          "it contradicts itself");
    class_list(model.classes);
    model.build();
  });
  load_into(training::file_tensors(model.module), file);
  model.module = prepare(model.module);
  return model;
}

}  // namespace kern::apps
