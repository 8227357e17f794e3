#include "apps/anomalies/anomalies_model.h"

#include <algorithm>
#include <cmath>

#include "apps/model_words.h"
#include "data/anomaly_batches.h"
#include "data/image_draw.h"
#include "engine/autograd.h"
#include "engine/json.h"
#include "engine/random.h"
#include "kernels/common/parallel.h"
#include "training/anomaly_map.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
using nlohmann::json;

constexpr const char *kPadimTensors = "padim", *kWholeTensors = "padim.whole";
constexpr std::pair<models::Measure, const char*> kMeasureWords[] = {{models::Measure::sse, "sse"},
                                                                     {models::Measure::mse, "mse"},
                                                                     {models::Measure::l1, "l1"},
                                                                     {models::Measure::ssim, "ssim"}};
constexpr std::pair<Spread, const char*> kSpreadWords[] = {{Spread::log_variance, "log_variance"},
                                                           {Spread::log_sigma, "log_sigma"}};
template <class T>
json optional(const std::optional<T>& v) {
  return v ? json(*v) : json();
}

json alarms_json(const std::optional<training::FalseAlarms>& f) {
  if (!f) return {};
  return {{"normal", f->normal},
          {"independent", f->independent},
          {"expected", f->expected},
          {"range", {f->range.low, f->range.high}}};
}

json rules_json(const AnomaliesModel& m) {
  json rules = json::array();
  for (const training::RuleResult& r : m.rules)
    rules.push_back({{"rule", r.rule},
                     {"threshold", r.threshold},
                     {"rates", {r.rates.true_positive, r.rates.true_negative}},
                     {"true_positive", {r.true_positive.low, r.true_positive.high}},
                     {"true_negative", {r.true_negative.low, r.true_negative.high}},
                     {"thresholds", {r.thresholds.low, r.thresholds.high}},
                     {"false_alarms", alarms_json(r.false_alarms)}});
  return rules;
}
// JSON knows no NaN: a rate that nothing was known of is null.
double number_of(const json& j) { return j.is_null() ? std::nan("") : j.get<double>(); }
training::Interval interval_of(const json& j) { return {number_of(j.at(0)), number_of(j.at(1))}; }
// Files of earlier versions say nothing of it.
std::optional<training::FalseAlarms> alarms_of(const json& rule) {
  const auto it = rule.find("false_alarms");
  if (it == rule.end() || it->is_null()) return {};
  const training::FalseAlarms f{it->at("normal").get<int64_t>(), it->at("independent").get<double>(),
                                it->at("expected").get<double>(), interval_of(it->at("range"))};
  check(f.normal >= 1 && f.independent > 0 && f.expected > 0 && f.expected < 1,
        "its false alarms contradict themselves");
  return f;
}
std::vector<training::RuleResult> rules_of(const json& rules) {
  std::vector<training::RuleResult> out;
  for (const json& j : rules)
    out.push_back({.rule = j.at("rule").get<std::string>(),
                   .threshold = j.at("threshold").get<double>(),
                   .rates = {number_of(j.at("rates").at(0)), number_of(j.at("rates").at(1))},
                   .true_positive = interval_of(j.at("true_positive")),
                   .true_negative = interval_of(j.at("true_negative")),
                   .thresholds = interval_of(j.at("thresholds")),
                   .false_alarms = alarms_of(j)});
  return out;
}

json network_json(const AnomaliesModel& m) {
  if (m.is_padim()) {
    const models::MobileNetV2Config& e = m.features.encoder;
    return {{"width", e.width},
            {"padding", word_of(kPaddingWords, e.padding)},
            {"scaling", e.scaling ? json(word_of(kScalingWords, *e.scaling)) : json()},
            {"norm_eps", optional(e.norm_eps)},
            {"levels", m.features.levels},
            {"average", m.features.average},
            {"shape", {m.shape.height, m.shape.width, m.shape.channels}},
            {"whole_weight", m.whole ? json(m.whole_weight) : json()}};
  }
  return {{"channels", m.network.channels},
          {"code", m.network.code},
          {"spread", m.network.spread ? json(word_of(kSpreadWords, *m.network.spread)) : json()},
          {"divergence", optional(m.network.divergence)},
          {"loss", word_of(kMeasureWords, m.measure)},
          {"compat", m.seed_compatible ? "seed" : "none"},
          {"passes", m.passes},
          {"seed", m.seed}};
}
void read_network(const json& j, AnomaliesModel& m) {
  if (m.is_padim()) {
    models::MobileNetV2Config& e = m.features.encoder;
    e.width = j.at("width").get<double>();
    e.padding = value_of(kPaddingWords, j.at("padding").get<std::string>());
    if (!j.at("scaling").is_null()) e.scaling = value_of(kScalingWords, j.at("scaling").get<std::string>());
    if (!j.at("norm_eps").is_null()) e.norm_eps = j.at("norm_eps").get<double>();
    m.features.levels = j.at("levels").get<std::vector<int>>();
    m.features.average = j.value("average", 0);  // files of earlier versions know nothing of it
    const json& s = j.at("shape");
    m.shape = {s.at(0).get<int64_t>(), s.at(1).get<int64_t>(), s.at(2).get<int64_t>()};
    return;
  }
  m.network.channels = j.at("channels").get<std::vector<int>>();
  m.network.code = j.at("code").get<int>();
  if (!j.at("spread").is_null()) m.network.spread = value_of(kSpreadWords, j.at("spread").get<std::string>());
  if (!j.at("divergence").is_null()) m.network.divergence = j.at("divergence").get<bool>();
  m.measure = value_of(kMeasureWords, j.at("loss").get<std::string>());
  m.seed_compatible = j.at("compat").get<std::string>() == "seed";
  m.passes = j.at("passes").get<int>();
  m.seed = j.at("seed").get<int64_t>();
}

json to_json(const AnomaliesModel& m) {
  const data::Preprocess& p = m.chain;
  return {{"architecture", m.architecture},
          {"network", network_json(m)},
          {"size", {m.network.size.height, m.network.size.width}},
          {"chain",
           {{"channels", p.channels},
            {"sharpen", p.sharpen},
            {"size", {p.height, p.width}},
            {"crop", {p.crop_height, p.crop_width}},
            {"blur", p.blur}}},
          {"smoothing", m.smoothing},
          {"hot", m.hot},
          {"rule", m.rule},
          {"threshold", optional(m.threshold)},
          {"rules", rules_json(m)},
          {"calibration", m.left_out ? "left_out" : "held_out"},
          {"training_scores", m.training_scores},
          {"training_pictures", m.training_images},
          {"validation_pictures", m.validation_images},
          {"test_pictures", m.test_images},
          {"provenance", m.provenance}};
}

AnomaliesModel from_json(const json& j) {
  AnomaliesModel m;
  m.architecture = j.at("architecture").get<std::string>();
  const json& p = j.at("chain");
  m.chain = {.channels = p.at("channels").get<int>(),
             .sharpen = p.at("sharpen").get<double>(),
             .height = p.at("size").at(0).get<int>(),
             .width = p.at("size").at(1).get<int>(),
             .crop_height = p.at("crop").at(0).get<int>(),
             .crop_width = p.at("crop").at(1).get<int>(),
             .blur = p.at("blur").get<double>()};
  m.network.size = {m.chain.channels, j.at("size").at(0).get<int>(), j.at("size").at(1).get<int>()};
  read_network(j.at("network"), m);
  m.smoothing = j.at("smoothing").get<double>();
  m.hot = j.at("hot").get<double>();
  m.rule = j.at("rule").get<std::string>();
  if (!j.at("threshold").is_null()) m.threshold = j.at("threshold").get<double>();
  m.rules = rules_of(j.at("rules"));
  m.left_out = j.value("calibration", "held_out") == "left_out";
  m.training_scores = j.at("training_scores").get<std::vector<double>>();
  m.training_images = j.at("training_pictures").get<std::vector<std::string>>();
  m.validation_images = j.at("validation_pictures").get<std::vector<std::string>>();
  m.test_images = j.at("test_pictures").get<std::vector<std::string>>();
  m.provenance = j.at("provenance").get<std::string>();
  check((m.chain.channels == 1 || m.chain.channels == 3) && m.passes >= 1 && m.smoothing >= 0 && m.smoothing <= 100 &&
            m.network.size.height >= 1 && m.network.size.width >= 1 && m.network.size.values() <= 1 << 26,
        "it contradicts itself");
  return m;
}

// What a pass shows the network: prepared images, side by side.
Tensor prepare_pass(const AnomaliesModel& m, int64_t images, const PreparedBy& prepare, bool drawn, int pass,
                    int64_t first, std::vector<data::Raster<float>>& prepared) {
  prepared.resize(size_t(images));
  kernels::parallel_for(images, 1, [&](int64_t i, int64_t) {
    const double blur =
        drawn ? data::random_blur(uint64_t(m.seed), (1u << 31) + uint32_t(pass), uint32_t(first + i)) : -1;
    prepared[size_t(i)] = prepare(i, blur);
  });
  std::vector<float> values;
  for (const auto& p : prepared) values.insert(values.end(), p.pixels.begin(), p.pixels.end());
  return Tensor::from({images, m.network.size.height, m.network.size.width, m.chain.channels}, values);
}

}  // namespace

void AnomaliesModel::build() {
  if (is_padim()) {
    const models::EncoderFeatures local(features);
    module = AnyModule(local);
    pooled = AnyModule(models::PooledFeatures(local.encoder()));
    pooled_channels = local.encoder().end_channels();
  } else {
    autoencoder = models::make_autoencoder(architecture, network);
    module = autoencoder.module();
  }
}

std::optional<training::FalseAlarms> AnomaliesModel::false_alarms() const {
  for (const training::RuleResult& r : rules)
    if (r.rule == rule) return r.false_alarms;
  return {};
}

double AnomaliesModel::threshold_of(const std::string& wanted) const {
  if (wanted.empty()) {
    check(threshold.has_value(),
          "this model has no threshold yet: its training did not come to an end. Go on with it (kern anomalies train "
          "resume=RUN), or give threshold=");
    return *threshold;
  }
  std::string known;
  for (const training::RuleResult& r : rules) {
    if (r.rule == wanted) return r.threshold;
    known += (known.empty() ? "" : ", ") + r.rule;
  }
  throw Error(text("the training of this model found no threshold by the rule '", wanted, "'; it has ",
                   known.empty() ? "none" : known));
}

void save_anomalies_model(const std::filesystem::path& path, const AnomaliesModel& m) {
  std::vector<FileTensor> more;
  if (m.padim) more = m.padim->state(kPadimTensors);
  if (m.whole)
    for (FileTensor& t : m.whole->state(kWholeTensors)) more.push_back(std::move(t));
  training::save_task_model(path, "anomalies", to_json(m), m.module, std::move(more));
}

AnomaliesModel load_anomalies_model(const std::filesystem::path& path) {
  AnomaliesModel model;
  bool whole = false;
  TensorFile file = training::load_task_model(path, "anomalies", [&](const json& description) {
    model = from_json(description);
    // Files of earlier versions know nothing of it.
    if (const json weight = description.at("network").value("whole_weight", json()); !weight.is_null())
      whole = true, model.whole_weight = weight.get<double>();
    model.build();
  });
  if (model.is_padim()) {
    model.padim = training::Padim::from(file, kPadimTensors, model.shape);
    if (whole) model.whole = training::WholeImage::from(file, kWholeTensors);
    std::erase_if(file.tensors,
                  [](const FileTensor& t) { return t.name.starts_with(std::string(kPadimTensors) + "."); });
  }
  load_into(training::file_tensors(model.module), file);
  const Preparation preparation;
  model.module = prepare(model.module, preparation);
  model.autoencoder = models::prepare(model.autoencoder, preparation);
  model.module.set_training(false);
  if (model.is_padim()) {
    model.pooled = prepare(model.pooled, Preparation(false));
    model.pooled.set_training(false);
  }
  return model;
}

Tensor features_of(const AnomaliesModel& m, const Tensor& images) {
  const NoGrad off;
  return m.module(images.to(m.module.device())).to(Device::cpu);
}

Tensor pooled_features_of(const AnomaliesModel& m, std::span<const data::Image> images) {
  const NoGrad off;
  constexpr int64_t kMultiple = 32;  // of the encoder's last size
  std::vector<float> values;
  for (const data::Image& image : images) {
    const data::Raster<float> seen = data::prepare_undistorted(image, m.chain, kMultiple);
    const Tensor x = Tensor::from({1, seen.H, seen.W, seen.C}, seen.pixels);
    const std::vector<float> one = m.pooled(x.to(m.module.device())).to(Device::cpu).values();
    values.insert(values.end(), one.begin(), one.end());
  }
  const auto n = int64_t(images.size());
  return Tensor::from({n, n > 0 ? int64_t(values.size()) / n : 0}, values);
}

std::vector<ScoredImage> score_images(const AnomaliesModel& m, std::span<const data::Image> images, bool drawn,
                                      int64_t first) {
  for (const data::Image& p : images)
    check(data::prepared_size({p.H, p.W}, m.chain) == m.size(), "an image of ", p.W, " x ", p.H,
          " pixels does not fit this model, which was trained on images of one size and sees ", m.network.size.width,
          " x ", m.network.size.height, ": train with size=HEIGHT,WIDTH to take any");
  const PreparedBy prepare = [&](int64_t i, double blur) { return data::prepare(images[size_t(i)], m.chain, blur); };
  std::vector<ScoredImage> out = score_prepared(m, int64_t(images.size()), prepare, drawn, first);
  if (!m.whole || images.empty()) return out;
  const std::vector<double> whole = m.whole->distances(pooled_features_of(m, images));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].whole = whole[i];
    out[i].score = out[i].passes[0] += m.whole_weight * whole[i];
  }
  return out;
}

std::vector<ScoredImage> score_prepared(const AnomaliesModel& m, int64_t images, const PreparedBy& prepare, bool drawn,
                                        int64_t first) {
  const NoGrad off;
  std::vector<ScoredImage> out(static_cast<size_t>(images));
  if (images == 0) return out;
  drawn = drawn && m.seed_compatible && !m.is_padim();
  const int64_t H = m.size().H, W = m.size().W;
  for (int pass = 0; pass < (drawn ? m.passes : 1); ++pass) {
    std::vector<data::Raster<float>> prepared;
    const Tensor x = prepare_pass(m, images, prepare, drawn, pass, first, prepared);
    std::vector<double> scores;
    Tensor maps;  // [N,h,w] or [N,H,W,1]
    std::vector<float> reconstruction;
    if (m.is_padim()) {
      internal_check(m.padim.has_value(), "a PaDiM model that was not fitted is asked for scores");
      const Tensor seen = features_of(m, x);  // before the fit: of images that trained, which are left out
      maps = m.padim->fitted() ? m.padim->distances(seen) : m.padim->distances_without(seen);
    } else {
      // Past the steps of any training, so that no training's numbers are drawn again.
      if (drawn) default_generator().set(uint64_t(m.seed), (uint64_t(pass + 1) << 40) + uint64_t(first));
      models::Reconstruction r = m.autoencoder(x.to(m.module.device()), drawn);
      r.image = r.image.to(Device::cpu);
      if (r.divergence) r.mean = r.mean.to(Device::cpu), r.spread = r.spread.to(Device::cpu);
      scores = models::reconstruction_scores(r, x, m.measure);
      maps = models::error_map(r.image, x, m.measure);
      reconstruction = r.image.values();
    }
    const std::vector<float> values = maps.values();
    const size_t size = values.size() / out.size(), pixels = reconstruction.size() / out.size();
    kernels::parallel_for(images, 1, [&](int64_t at, int64_t) {
      const auto i = size_t(at);
      ScoredImage& p = out[i];
      if (pass == 0) {
        p.map = training::anomaly_map(std::span(values).subspan(i * size, size), maps.dim(1), maps.dim(2), H, W,
                                      m.smoothing);
        p.prepared = std::move(prepared[i]);
        if (pixels > 0) {
          const auto begin = reconstruction.begin() + ptrdiff_t(i * pixels);
          p.reconstruction = {H, W, m.chain.channels, std::vector<float>(begin, begin + ptrdiff_t(pixels))};
        }
      }
      p.passes.push_back(scores.empty() ? double(*std::max_element(p.map.begin(), p.map.end())) : scores[i]);
    });
  }
  for (ScoredImage& p : out)
    for (const double s : p.passes) p.score += s / double(p.passes.size());
  return out;
}

data::Image heat_map(const AnomaliesModel& m, const data::Image& image, std::span<const float> map, double hot) {
  data::Image out = data::in_colours(image);
  const data::ImageRegion r = data::prepared_region({image.H, image.W}, m.chain);
  const data::ImageSize from = m.size();
  internal_check(int64_t(map.size()) == from.H * from.W, "a map of another size is laid over an image");
  for (int64_t y = 0; y < r.H; ++y)
    for (int64_t x = 0; x < r.W; ++x) {
      const float v = map[size_t((2 * y + 1) * from.H / (2 * r.H) * from.W + (2 * x + 1) * from.W / (2 * r.W))];
      const double heat = hot > 0 ? std::clamp(2 * double(v) / hot - 1, 0.0, 1.0) : 0.0, opacity = 0.75 * heat;
      const double colour[3] = {255, 220 * (1 - heat), 0};
      uint8_t* p = out.at(r.y + y, r.x + x);
      for (int c = 0; c < 3; ++c) p[c] = uint8_t(std::lround((1 - opacity) * p[c] + opacity * colour[c]));
    }
  return out;
}

}  // namespace kern::apps
