#include "apps/wells/wells_model.h"

#include <algorithm>

#include "data/window_features.h"
#include "engine/json.h"
#include "kernels/common/parallel.h"
#include "layers/prepare.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
using nlohmann::json;

constexpr const char *kLogisticWeight = "logistic.weight", *kLogisticBias = "logistic.bias", *kBoosting = "boosting";

// Takes the logistic regression out of what a file holds: what is left is the network.
std::optional<training::LogisticRegression> take_logistic(TensorFile& file, const WellsModel& model) {
  const Tensor *weight = file.find(kLogisticWeight), *bias = file.find(kLogisticBias);
  if (!weight && !bias) return {};
  const int64_t features = model.normalisation.channels() * data::kWindowFeatures, classes = model.class_count();
  check(weight && bias && weight->shape() == Shape{classes, features} && bias->shape() == Shape{classes},
        file.shown_name,
        ": the logistic regression in this model file does not fit its curves and classes; train again");
  training::LogisticRegression r{features, classes, weight->values(), bias->values()};
  std::erase_if(file.tensors, [](const FileTensor& t) { return t.name == kLogisticWeight || t.name == kLogisticBias; });
  return r;
}

std::optional<training::GradientBoosting> take_boosting(TensorFile& file, const WellsModel& model) {
  const std::string prefix = std::string(kBoosting) + ".";
  const auto own = [&](const FileTensor& t) { return t.name.starts_with(prefix); };
  if (std::none_of(file.tensors.begin(), file.tensors.end(), own)) return {};
  auto trees = training::GradientBoosting::from(
      file, kBoosting, int64_t(model.normalisation.curves.size()) * data::kWindowFeatures, model.class_count());
  std::erase_if(file.tensors, own);
  return trees;
}

json penalty_json(const WellsModel& m) {
  if (!m.penalty) return {};
  return {{"costs", m.penalty->costs}, {"decides", m.least_penalty}};
}
void read_penalty(const json& j, WellsModel& m) {
  const auto it = j.find("penalty");  // older files have none
  if (it == j.end() || it->is_null()) return;
  m.penalty = {m.class_count(), it->at("costs").get<std::vector<double>>()};
  training::check_penalty(*m.penalty, m.class_count());
  m.least_penalty = it->at("decides").get<bool>();
}

json to_json(const WellsModel& m) {
  json curves = json::array(), classes = json::array();
  for (const data::CurveScale& c : m.normalisation.curves)
    curves.push_back({{"name", c.name}, {"log10", c.log10}, {"offset", c.offset}, {"scale", c.scale}});
  for (const auto& c : m.classes) classes.push_back({{"name", c.name}, {"colour", c.colour}});
  return {
      {"architecture", m.architecture},
      {"network",
       {{"in", m.network.in},
        {"out", m.network.out},
        {"channels", m.network.channels},
        {"strides", m.network.strides},
        {"kernel", m.network.kernel},
        {"residual_units", m.network.residual_units},
        {"radius", m.network.radius},
        {"norm", m.network.norm == models::Norm::batch ? "batch" : "instance"},
        {"on_base", m.network.on_base}}},
      {"curves", m.curves},
      {"normalisation", {{"curves", curves}, {"mask", m.normalisation.mask}, {"per_well", m.normalisation.per_well}}},
      {"reads_windows", m.reads_windows},
      {"on_boosting", m.on_boosting},
      {"penalty", penalty_json(m)},
      {"step", m.step},
      {"step_unit", m.step_unit},
      {"classes", classes},
      {"codes", m.codes},
      {"null_values", m.null_values},
      {"label", m.label},
      {"training_wells", m.training_wells},
      {"validation_wells", m.validation_wells},
      {"test_wells", m.test_wells},
      {"postprocess", {{"in_order", m.postprocess.monotone}, {"remove_short", m.postprocess.remove_short}}},
      {"provenance", m.provenance}};
}

WellsModel from_json(const json& j) {
  WellsModel m;
  m.architecture = j.at("architecture").get<std::string>();
  const json& n = j.at("network");
  m.network = {.in = n.at("in").get<int>(),
               .out = n.at("out").get<int>(),
               .channels = n.at("channels").get<std::vector<int>>(),
               .strides = n.at("strides").get<std::vector<int>>(),
               .kernel = n.at("kernel").get<int>(),
               .residual_units = n.at("residual_units").get<int>(),
               .radius = n.value("radius", models::Signal1dConfig{}.radius),  // older files have none
               .norm = n.at("norm").get<std::string>() == "batch" ? models::Norm::batch : models::Norm::instance,
               .on_base = n.value("on_base", false)};
  m.curves = j.at("curves").get<std::vector<std::string>>();
  for (const json& c : j.at("normalisation").at("curves"))
    m.normalisation.curves.push_back({c.at("name").get<std::string>(), c.at("log10").get<bool>(),
                                      c.at("offset").get<double>(), c.at("scale").get<double>()});
  m.normalisation.mask = j.at("normalisation").at("mask").get<bool>();
  m.normalisation.per_well = j.at("normalisation").value("per_well", false);
  m.on_boosting = j.value("on_boosting", false);
  m.reads_windows = j.value("reads_windows", false);  // older files have none
  m.step = j.at("step").get<double>();
  m.step_unit = j.value("step_unit", "");  // older files have none
  for (const json& c : j.at("classes"))
    m.classes.push_back({c.at("name").get<std::string>(), c.at("colour").get<std::string>()});
  read_penalty(j, m);
  m.codes = j.at("codes").get<std::vector<std::vector<std::string>>>();
  m.null_values = j.value("null_values", std::vector<double>());  // older files have none
  m.label = j.at("label").get<std::string>();
  m.training_wells = j.at("training_wells").get<std::vector<std::string>>();
  m.validation_wells = j.at("validation_wells").get<std::vector<std::string>>();
  m.test_wells = j.value("test_wells", std::vector<std::string>());  // older files have none
  if (const auto p = j.find("postprocess"); p != j.end())            // older files have none
    m.postprocess = {.monotone = p->at("in_order").get<bool>(), .remove_short = p->at("remove_short").get<int64_t>()};
  m.provenance = j.at("provenance").get<std::string>();
  return m;
}
}  // namespace

void WellsModel::build() { module = models::make_signal1d_model(architecture, network); }

void save_wells_model(const std::filesystem::path& path, const WellsModel& model) {
  std::vector<FileTensor> more;
  if (const auto& r = model.logistic) {
    more.push_back({kLogisticWeight, Tensor::from({r->classes, r->features}, r->weight)});
    more.push_back({kLogisticBias, Tensor::from({r->classes}, r->bias)});
  }
  if (model.boosting)
    for (FileTensor& t : model.boosting->state(kBoosting)) more.push_back(std::move(t));
  training::save_task_model(path, "wells", to_json(model), model.module, std::move(more));
}

WellsModel load_wells_model(const std::filesystem::path& path) {
  WellsModel model;
  TensorFile file = training::load_task_model(path, "wells", [&](const json& description) {
    model = from_json(description);
    check(model.network.out == model.class_count() && model.network.in == model.own_channels(),
          "it contradicts itself");
    training::check_classes(model.classes);
    model.build();
  });
  model.logistic = take_logistic(file, model);
  model.boosting = take_boosting(file, model);
  check(!model.network.on_base || (model.on_boosting ? model.boosting.has_value() : model.logistic.has_value()),
        file.shown_name, ": the ", model.on_boosting ? "boosted trees" : "logistic regression",
        " that this network stands on ", model.on_boosting ? "are" : "is", " not in the file; train again");
  load_into(training::file_tensors(model.module), file);
  model.module = prepare(model.module);
  return model;
}

Tensor network_input(const WellsModel& model, const std::vector<float>& windows, int64_t n, int64_t length,
                     const TreesOfWindow& trees) {
  const int64_t c = model.normalisation.channels(), own = model.own_channels(), all = model.input_channels(),
                curves = int64_t(model.normalisation.curves.size());
  if (all == c) return Tensor::from({n, length, c}, windows);
  const bool on_trees = model.network.on_base && model.on_boosting, on_logistic = model.network.on_base && !on_trees;
  internal_check((!on_logistic || model.logistic) && (!on_trees || model.boosting), "a network on a baseline needs it");
  std::vector<float> out(size_t(n * length * all));
  kernels::parallel_for(n * length, 256, [&](int64_t begin, int64_t end) {
    std::vector<float> features(size_t(c * data::kWindowFeatures)), gaps(size_t(curves * data::kWindowFeatures));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t window = i / length;
      const auto values = std::span(windows).subspan(size_t(window * length * c), size_t(length * c));
      if (model.reads_windows || on_logistic) data::window_features(values, c, i - window * length, features);
      const auto row = out.begin() + i * all;
      if (model.reads_windows) std::copy(features.begin(), features.end(), row);
      else std::copy_n(windows.begin() + i * c, c, row);
      if (on_logistic) model.logistic->scores(features, {row + own, row + all});
      if (on_trees) {
        data::window_features_or_missing(values, curves, model.normalisation.mask, i - window * length, gaps);
        const auto& used = trees.empty() ? *model.boosting : *trees[size_t(window)];
        used.scores(gaps, {row + own, row + all});
      }
    }
  });
  return Tensor::from({n, length, all}, out);
}

training::Segmentation predict_well(const WellsModel& model, const data::Well& well) {
  training::Segmentation s = training::segment(
      model.module, network_input(model, data::network_inputs(well, model.normalisation), 1, well.length()));
  if (model.least_penalty) s.labels = training::least_penalty(*model.penalty, s.probabilities);
  return s;
}

}  // namespace kern::apps
