#include "apps/images/images_model.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/model_file.h"
#include "training/loop.h"

namespace kern::apps {
namespace {
using nlohmann::json;

constexpr const char* kTaskKey = "kern.task";
constexpr const char* kTask = "images";
constexpr const char* kModelKey = "kern.images_model";

constexpr std::pair<data::MaskKind, const char*> kMaskWords[] = {{data::MaskKind::index, "index"},
                                                                 {data::MaskKind::colour, "colour"},
                                                                 {data::MaskKind::nonzero, "nonzero"},
                                                                 {data::MaskKind::alpha, "alpha"}};

constexpr std::pair<models::InputScaling, const char*> kScalingWords[] = {
    {models::InputScaling::none, "none"},
    {models::InputScaling::imagenet, "imagenet"},
    {models::InputScaling::symmetric, "symmetric"}};
constexpr std::pair<models::PaddingConvention, const char*> kPaddingWords[] = {
    {models::PaddingConvention::torch, "torch"}, {models::PaddingConvention::tensorflow, "tensorflow"}};

template <class E, size_t N>
std::string word_of(const std::pair<E, const char*> (&words)[N], E value) {
  for (const auto& [v, word] : words)
    if (v == value) return word;
  throw InternalError("a choice without a word");
}
template <class E, size_t N>
E value_of(const std::pair<E, const char*> (&words)[N], const std::string& word) {
  for (const auto& [v, w] : words)
    if (word == w) return v;
  throw Error("no such word: " + word);
}

std::vector<FileTensor> file_tensors(const AnyModule& module) {
  std::vector<FileTensor> out;
  for (const NamedTensor& t : module.tensors()) out.push_back({t.name, t.tensor});
  return out;
}

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
          {"fit", m.fit == data::Fit::crop ? "crop" : "scale"},
          {"classes", classes},
          {"masks", word_of(kMaskWords, m.masks)},
          {"ignore", m.ignore},
          {"training_pictures", m.training_pictures},
          {"validation_pictures", m.validation_pictures},
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
  m.fit = j.at("fit").get<std::string>() == "crop" ? data::Fit::crop : data::Fit::scale;
  for (const json& c : j.at("classes"))
    m.classes.push_back(
        {c.at("name").get<std::string>(), c.at("colour").get<std::string>(), c.at("values").get<std::vector<int>>()});
  m.masks = value_of(kMaskWords, j.at("masks").get<std::string>());
  m.ignore = j.at("ignore").get<std::vector<int>>();
  m.training_pictures = j.at("training_pictures").get<std::vector<std::string>>();
  m.validation_pictures = j.at("validation_pictures").get<std::vector<std::string>>();
  m.provenance = j.at("provenance").get<std::string>();
  return m;
}
}  // namespace

void ImagesModel::build() { module = models::make_image2d_model(architecture, network); }

void save_images_model(const std::filesystem::path& path, const ImagesModel& model) {
  save_tensors(path, file_tensors(model.module), {{kTaskKey, kTask}, {kModelKey, to_json(model).dump()}});
}

ImagesModel load_images_model(const std::filesystem::path& path) {
  const TensorFile file = load_tensors(path);
  const auto task = file.metadata.find(kTaskKey);
  check(task != file.metadata.end(), path.string(), " is a safetensors file, but not a model that Kern saved");
  check(task->second == kTask, path.string(), " is a model of the task '", task->second, "', not of 'images'");
  ImagesModel model;
  try {
    model = from_json(json::parse(file.metadata.at(kModelKey)));
  } catch (const std::exception&) {
    throw Error(path.string() + ": the description in this model file is damaged; train or copy it again");
  }
  const int classes = model.class_count(), out = model.network.out;
  check((out == classes || (out == 1 && classes == 2)) && (model.network.in == 1 || model.network.in == 3) &&
            model.H > 0 && model.W > 0,
        path.string(), ": the description in this model file contradicts itself; train or copy it again");
  try {
    class_list(model.classes);
    model.build();
  } catch (const InternalError&) {
    throw;
  } catch (const Error& e) {
    throw Error(text(path.string(), ": the description in this model file is damaged (", e.sentence(),
                     "); train or copy it again"));
  }
  load_into(file_tensors(model.module), file);
  return model;
}

ImagesModel find_images_model(const std::string& path) {
  const std::filesystem::path p = path;
  if (!std::filesystem::is_directory(p)) return load_images_model(p);
  check(std::filesystem::exists(p / training::kBestModelFile), path, " holds no ", training::kBestModelFile,
        ": name a model file, or the folder of a training that saved one");
  return load_images_model(p / training::kBestModelFile);
}

int choose_class(std::span<const float> p, double threshold) {
  if (p.size() == 2) return p[1] >= threshold ? 1 : 0;
  return int(std::max_element(p.begin(), p.end()) - p.begin());
}

}  // namespace kern::apps
