#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>

#include "apps/anomalies/report.h"
#include "apps/anomalies/verbs.h"
#include "apps/build_info.h"
#include "apps/ranks.h"
#include "apps/training_run.h"
#include "data/anomaly_batches.h"
#include "data/anomaly_inspect.h"
#include "data/image_split.h"
#include "engine/onnx_weights.h"
#include "engine/random.h"
#include "engine/statistics.h"
#include "kernels/common/log.h"
#include "layers/prepare.h"
#include "models/pretrained.h"
#include "training/anomaly_map.h"
#include "training/batch_tensors.h"
#include "training/comparison.h"
#include "training/network_training.h"
#include "training/rank_share.h"
#include "training/shared_scores.h"
#include "training/stop.h"

namespace kern::apps {
namespace {
using namespace training;

// All that the parts of a training share.
struct Work {
  const AnomaliesTrainConfig& c;
  const RunFolder& run;
  std::string config;
  AnomaliesSource source;
  data::AnomalySplit split;
  Device device;
  bool left_out;  // every good image that trains finds the threshold too, scored by the model without it
};

bool has(const Work& t, const std::vector<int64_t>& which, data::Truth truth) {
  return std::any_of(which.begin(), which.end(),
                     [&](int64_t i) { return t.source.set.images[size_t(i)].truth == truth; });
}

const ThresholdRule& rule_named(const std::string& name) {
  for (const ThresholdRule& r : threshold_rules())
    if (r.name == name) return r;
  throw InternalError("no such rule");  // the configuration has checked it
}

void check_data(const Work& t) {
  const std::string why = data::untrainable(*t.source.store, t.split.training);
  check(why.empty(), why);
  check(!rule_named(t.c.rule).needs_anomalies || has(t, t.split.validation, data::Truth::anomalous), "rule=", t.c.rule,
        " needs anomalies to find a threshold, and the validation has none: choose rule=quantile or rule=deviation, or "
        "give defective images");
  check(t.c.monitor == AnomaliesMonitor::loss || t.c.model == kPadim ||
            (has(t, t.split.validation, data::Truth::anomalous) && has(t, t.split.validation, data::Truth::normal)),
        "monitor=auroc needs good images and anomalies in the validation: choose monitor=loss");
}

AnomaliesModel describe_model(const Work& t) {
  const AnomaliesTrainConfig& c = t.c;
  AnomaliesModel m;
  m.architecture = c.model;
  m.chain = c.input.chain(c.model, c.data.grey);
  // Says where sizes differ.
  const data::AnomalyBatches sizes(std::make_shared<data::PreparedImages>(t.source.store, m.chain), t.split.training,
                                   {});
  m.network = c.network;
  m.network.size = {m.chain.channels, int(sizes.image_size().H), int(sizes.image_size().W)};
  m.measure = c.measure;
  m.smoothing = c.smoothing.value_or(m.is_padim() ? 4 : 1);
  m.seed_compatible = c.seed_compatible;
  m.passes = c.passes;
  m.seed = c.recipe.seed;
  m.rule = c.rule;
  m.left_out = t.left_out;
  m.training_images = ids_of(t.source, t.split.training);
  m.validation_images = ids_of(t.source, t.split.validation);
  m.test_images = ids_of(t.source, t.split.test);
  m.provenance =
      fmt::format("kern {} seed {} data {:016x}", build_info::kVersion, c.recipe.seed, t.source.store->hash());
  return m;
}

double mean_of(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return v.empty() ? std::nan("") : sum / double(v.size());
}

struct Trained {
  LoopState state;
  AnomaliesModel model;
  AnomaliesEvaluation left_out;  // of images that trained
};

// By the loop; the best epoch's model. Nothing: stopped before the end.
std::optional<Trained> train_autoencoder(const Work& t, AnomaliesModel& model, Call& call) {
  const AnomaliesTrainConfig& c = t.c;
  set_seed(uint64_t(c.recipe.seed));
  model.build();
  model.module.move_to(t.device);
  const auto prepared = std::make_shared<const data::PreparedImages>(t.source.store, model.chain);
  data::AnomalyBatches batches(
      prepared, t.split.training,
      {.batch = c.recipe.batch, .seed = uint64_t(c.recipe.seed), .random_blur = c.seed_compatible});
  NetworkTraining network_training(
      {.network = model.module,
       .recipe = c.recipe,
       .loss = [network = model.autoencoder, measure = c.measure](
                   const AnyModule&, const Tensor& x,
                   const Tensor&) { return models::reconstruction_loss(network(x), x, measure); }},
      std::make_unique<StepLoaders<data::AnomalyBatches>>(std::move(batches), std::nullopt, unlabelled_image_tensors(),
                                                          c.recipe));
  fmt::print("{}: {} images train, {} validate, {} test; {} x {} pixels, {} parameters, {} updates an epoch\n", c.model,
             t.split.training.size(), t.split.validation.size(), t.split.test.size(), model.size().W, model.size().H,
             model.module.parameter_count(), network_training.steps());
  const StepMemory foreseen = network_training.announce("a smaller size", t.source.store->bytes());
  const std::vector<int64_t> shown =
      data::spread(t.split.validation.empty() ? t.split.training : t.split.validation, c.panels);
  Training training = network_training.for_loop();
  training.validate = [&](int epoch) {
    // Without drawn numbers: a resumed training would draw others.
    const Scores s =
        evaluate(model, t.source, t.split.validation, {.maps = false, .drawn = false, .prepared = prepared.get()})
            .scores();
    const double loss = mean_of(s.normal), auroc = area_under_roc(s);
    if (!shown.empty() && communicator().root())
      t.run.write(anomalies_panel_name(epoch + 1), panel_png(model, t.source, shown, 0));
    Validation v{.score = c.monitor == AnomaliesMonitor::auroc ? auroc : -loss, .loss = loss, .figures = {}};
    if (s.normal.empty()) v.score = v.loss = double(epoch);  // nothing to choose by: the last one is taken
    v.figures = {{"val_loss", loss}, {"auroc", auroc}};
    return v;
  };
  training.save_model = [&](const std::filesystem::path& path) { save_anomalies_model(path, model); };
  training.identity.insert(
      {{"model", model.architecture},
       {"data", fmt::format("{:016x}", t.source.store->hash())},
       {"batches", fmt::format("batch={} accumulate={} size={}x{} compat={}", c.recipe.batch, c.recipe.accumulate,
                               model.size().H, model.size().W, c.seed_compatible ? "seed" : "none")}});
  std::optional<LoopState> end = carry_out(
      t.run, c.recipe, training, {.task = "anomalies", .unit = "images", .config = t.config, .quiet = c.quiet}, call);
  if (!end) return {};
  Trained done{std::move(*end), load_anomalies_model(t.run.file(kBestModelFile)), {}};
  call.figures.add("best_epoch", int64_t(done.state.best_epoch));
  call.figures.add("foreseen_peak_bytes", int64_t(foreseen.peak));
  done.model.module.move_to(t.device);
  return done;
}

void load_encoder(const AnomaliesTrainConfig& c, AnomaliesModel& model) {
  models::MobileNetV2Config& encoder = model.features.encoder;
  encoder.width = c.padim.width;
  model.features.levels = c.padim.levels;
  model.features.average = c.padim.average;
  set_seed(uint64_t(c.recipe.seed));
  if (c.padim.weights.empty()) {
    warn("encoder.weights= is not given: features of random weights tell much less than those of a pretrained encoder");
    model.build();
    return;
  }
  const TensorFile file = load_weights(c.padim.weights);
  const models::WeightsOrigin origin = models::origin_of(file);
  encoder.padding = origin.padding;
  encoder.scaling = origin.scaling;
  encoder.norm_eps = origin.norm_eps;
  model.build();
  const double eps = origin.norm_eps.value_or(models::norm_eps_of(origin.padding));
  inform(models::load_pretrained(models::kMobileNetV2, model.module, "encoder", file, eps).note);
}

bool wants_end(const Work& t) { return SignalWatch::asked() || t.run.stop_requested(); }

void say_stopped(const Work& t, Call& call) {
  fmt::print("stopped; a fit has no half: begin it again with kern anomalies train resume={}\n", t.run.path().string());
  call.figures.add("ended", "interrupted");
  call.exit_code = exit_code_of_signal();
}

// Every image that trained, scored by the model of all images but its group's, or but itself where they are not grouped.
// Nothing: stopped before the end.
std::optional<AnomaliesEvaluation> score_left_out(const Work& t, AnomaliesModel& model, bool grouped) {
  constexpr size_t kMax = 64;
  std::map<int64_t, std::vector<int64_t>> groups;
  for (const int64_t i : t.split.training) groups[grouped ? t.split.group[size_t(i)] : i].push_back(i);
  std::map<size_t, std::vector<int64_t>> by_size;  // the images of groups of a size, group after group
  for (const auto& [number, images] : groups) {
    check(images.size() <= kMax && images.size() + 2 <= t.split.training.size(), images.size(), " of ",
          t.split.training.size(), " images are of one thing (", t.source.set.images[size_t(images[0])].id,
          " and others): they cannot be left out together. Choose another group=, or calibration=held_out");
    std::vector<int64_t>& same = by_size[images.size()];
    same.insert(same.end(), images.begin(), images.end());
  }
  AnomaliesEvaluation out;
  for (const auto& [size, images] : by_size) {
    model.padim->prepare_without(int64_t(size));
    if (model.whole) model.whole->prepare_without(int64_t(size));
    AnomaliesEvaluation e =
        evaluate(model, t.source, images,
                 {.maps = false, .together = int64_t(size), .quiet = t.c.quiet, .title = "leave out", .leave = [&] {
                    return wants_end(t);
                  }});
    if (!e.whole) return {};
    std::move(e.images.begin(), e.images.end(), std::back_inserter(out.images));
    out.seconds += e.seconds;
  }
  std::sort(out.images.begin(), out.images.end(), [](const auto& a, const auto& b) { return a.image < b.image; });
  return out;
}

// Makes the map's largest value and the whole's distance vary alike over good images that the model does not know.
void weigh_whole(AnomaliesModel& model, AnomaliesEvaluation& left_out) {
  const auto deviation = [&](double EvaluatedAnomaly::*part) {
    std::vector<double> values;
    for (const EvaluatedAnomaly& p : left_out.images) values.push_back(p.*part);
    return spread_of(values).deviation;
  };
  const double whole = deviation(&EvaluatedAnomaly::whole);
  model.whole_weight = whole > 0 ? deviation(&EvaluatedAnomaly::peak) / whole : 0;
  for (EvaluatedAnomaly& p : left_out.images) p.score = p.passes[0] = p.peak + model.whole_weight * p.whole;
}

// One pass over the training images, a second one to find the threshold by them. Ranks share the images: each computes the
// features of its part, and all of them the model. Nothing: stopped before the end.
std::optional<Trained> fit_padim(const Work& t, AnomaliesModel& model, Call& call) {
  const AnomaliesTrainConfig& c = t.c;
  load_encoder(c, model);
  model.module.move_to(t.device);
  model.module.set_training(false);
  model.module = prepare(model.module);  // its features are then those of the model that is read again
  model.pooled = prepare(model.pooled, Preparation(false));
  model.pooled.set_training(false);
  check(!c.padim.whole || t.split.training.size() >= 3,
        "images are weighed as wholes by leaving each out of the others, which takes 3 good images that train; there "
        "are ",
        t.split.training.size(), ": give more, or padim.whole=false");
  const Shape one{1, model.size().H, model.size().W, model.chain.channels};
  const Tensor seen = features_of(model, Tensor::zeros(one));
  model.shape = {seen.dim(1), seen.dim(2), seen.channels()};
  const int64_t d = std::min<int64_t>(c.padim.channels, model.shape.channels);
  const double bytes = 4.0 * double(model.shape.positions()) * double(d * d);
  fmt::print(
      "padim: {} images train, {} validate, {} test; {} x {} pixels, {} of {} channels at {} x {} positions: {} "
      "while "
      "it is fitted, half of that in the model file\n",
      t.split.training.size(), t.split.validation.size(), t.split.test.size(), model.size().W, model.size().H, d,
      model.shape.channels, model.shape.width, model.shape.height, format_bytes(bytes));
  if (const auto free = bytes_for_tensors())
    check(1.5 * bytes < double(*free), "PaDiM needs ", format_bytes(1.5 * bytes), " and ", format_bytes(double(*free)),
          " are free: give fewer padim.channels=, a smaller size=, or levels= that begin at a coarser one");
  model.padim.emplace(model.shape, PadimOptions{.channels = c.padim.channels,
                                                .regularisation = c.padim.regularisation,
                                                .seed = uint64_t(c.recipe.seed)});
  expect_alike("data", fmt::format("{:016x}", t.source.store->hash()));
  expect_equal_on_ranks(model.module.tensors());
  const SignalWatch signals;
  ProgressBar progress(
      {.title = "fit", .unit = "images", .mode = c.quiet ? ProgressMode::quiet : ProgressMode::automatic});
  progress.begin(int64_t(t.split.training.size()));
  const auto images = int64_t(t.split.training.size()), together = scored_together(model);
  const auto features = [&](int64_t batch) {
    const int64_t n = std::min(together, images - batch * together);
    std::vector<float> values;
    std::vector<data::Image> decoded;
    for (int64_t i = batch * together; i < batch * together + n; ++i) {
      decoded.push_back(t.source.store->get(t.split.training[size_t(i)])->image);
      const auto prepared = data::prepare(decoded.back(), model.chain);
      values.insert(values.end(), prepared.pixels.begin(), prepared.pixels.end());
    }
    Shape shape = one;
    shape[0] = n;
    Parcel found = Parcel::of(features_of(model, Tensor::from(shape, values)).values());
    if (c.padim.whole) found.put(pooled_features_of(model, decoded).values());
    return found;
  };
  std::vector<float> pooled;  // of all images
  const auto add = [&](int64_t batch, Parcel found) {
    const int64_t n = std::min(together, images - batch * together);
    Shape shape = seen.shape();
    shape[0] = n;
    model.padim->add(Tensor::from(shape, found.many<float>()));
    if (c.padim.whole) {
      const std::vector<float> own = found.many<float>();
      pooled.insert(pooled.end(), own.begin(), own.end());
    }
    progress.advance(n);
  };
  const auto leave = [&] { return wants_end(t); };
  if (!score_together((images + together - 1) / together, features, add, leave, true)) {
    say_stopped(t, call);
    return {};
  }
  progress.end();
  Trained done;
  if (c.padim.whole)
    model.whole.emplace(Tensor::from({images, int64_t(pooled.size()) / images}, pooled), model.pooled_channels);
  if (t.left_out || model.whole) {
    auto scored = score_left_out(t, model, t.left_out);
    if (!scored) {
      say_stopped(t, call);
      return {};
    }
    if (model.whole) weigh_whole(model, *scored);
    done.state.seconds += scored->seconds;
    if (t.left_out) done.left_out = std::move(*scored);
  }
  model.padim->fit();
  if (model.whole) model.whole->fit();
  t.run.write("config.yaml", t.config);
  done.model = model;
  done.state.seconds += progress.seconds_in_epoch();
  call.figures.add("ended", "fitted");
  call.figures.add("epochs", int64_t(0));
  call.figures.add("run", t.run.path().string());
  return done;
}

// Every rule's threshold by the validation's scores alone; what speaks against them, in sentences. training: scores of
// images that the model knows; empty where those are the validation's, left out.
std::vector<std::string> find_line(const Work& t, AnomaliesModel& model, const AnomaliesEvaluation& validation,
                                   const AnomaliesEvaluation& training) {
  ThresholdOptions o = t.c.thresholds;
  o.seed = uint64_t(t.c.recipe.seed);
  Scores scores = validation.scores();
  std::vector<int64_t> groups;
  for (const EvaluatedAnomaly& p : validation.images)
    if (p.truth == data::Truth::normal) groups.push_back(t.split.group[size_t(p.image)]);
  o.independent = independent_items(scores.normal, groups);
  std::vector<double> known = training.scores().normal;
  std::vector<std::string> warnings = threshold_warnings(scores, known, o);
  if (scores.normal.empty()) {
    scores.normal = known;
    o.independent = 0;
    warnings.push_back(
        "the threshold was found on the training images, which the model knows: it is too low. Leave good images "
        "to the validation (validation=0.15)");
  }
  model.rules = find_thresholds(scores, o);
  for (RuleResult& r : model.rules) {
    if (r.rule == t.c.rule) model.threshold = r.threshold;
    if (validation.scores().normal.empty()) r.false_alarms.reset();  // it promises nothing
  }
  std::vector<double> sorted = known.empty() ? scores.normal : known;
  std::sort(sorted.begin(), sorted.end());
  model.training_scores.clear();
  for (int i = 0; i <= 100; ++i) model.training_scores.push_back(quantile_of_sorted(sorted, i / 100.0));
  return warnings;
}

// Images of the good folder that score as anomalies do, the most suspicious first.
std::vector<std::string> suspects(const Work& t, const std::vector<const AnomaliesEvaluation*>& parts) {
  std::vector<std::string> out;
  for (const AnomaliesEvaluation* j : parts) {
    std::vector<const EvaluatedAnomaly*> normal;
    std::vector<double> scores;
    for (const EvaluatedAnomaly& p : j->images)
      if (p.truth == data::Truth::normal) normal.push_back(&p), scores.push_back(p.score);
    for (const size_t i : likely_anomalies(scores)) out.push_back(t.source.set.images[size_t(normal[i]->image)].id);
  }
  return out;
}

void say_line(const AnomaliesModel& m, const std::vector<std::string>& warnings,
              const std::vector<std::string>& suspicious) {
  constexpr size_t kNamed = 10;
  if (!suspicious.empty()) {
    std::string names;
    for (size_t i = 0; i < std::min(kNamed, suspicious.size()); ++i) names += (i ? ", " : "") + suspicious[i];
    if (suspicious.size() > kNamed) names += fmt::format(" and {} more", suspicious.size() - kNamed);
    warn(suspicious.size(), suspicious.size() == 1 ? " good image scores" : " good images score",
         " like anomalies, look at ", suspicious.size() == 1 ? "it" : "them", " and move what is defective: ", names);
  }
  for (const RuleResult& r : m.rules) {
    if (r.rule == m.rule)
      fmt::print(
          "threshold {:.6g} by rule {}: on the validation TPR {:.3f} [{:.3f}, {:.3f}], TNR {:.3f} [{:.3f}, "
          "{:.3f}]\n",
          r.threshold, r.rule, r.rates.true_positive, r.true_positive.low, r.true_positive.high, r.rates.true_negative,
          r.true_negative.low, r.true_negative.high);
    if (r.rule == m.rule && r.false_alarms)
      fmt::print("{}{}\n", in_words(*r.false_alarms),
                 m.left_out ? ", each scored by the model without it and its group" : "");
  }
  for (const std::string& warning : warnings) fmt::print("warning: {}\n", warning);
}

void evaluate_and_report(const Work& t, Trained& trained, Call& call) {
  AnomaliesModel& model = trained.model;
  std::optional<WorkAlone> alone;
  if (!model.is_padim()) alone.emplace();  // the other ranks are done
  const Evaluating fast{.maps = false, .quiet = t.c.quiet, .title = "score"};
  AnomaliesEvaluation training, validation = evaluate(model, t.source, t.split.validation, {.quiet = t.c.quiet});
  if (t.left_out)
    validation.images.insert(validation.images.begin(), trained.left_out.images.begin(), trained.left_out.images.end());
  else training = evaluate(model, t.source, t.split.training, fast);
  const AnomaliesEvaluation test = evaluate(model, t.source, t.split.test, {.quiet = t.c.quiet, .title = "test"});
  if (!communicator().root()) return;
  std::vector<std::string> warnings = find_line(t, model, validation, training);
  const std::vector<std::string> suspicious = suspects(t, {&training, &validation, &test});
  const AlarmsSeen seen = alarms_seen(model, test.scores());
  if (!seen.warning.empty()) warnings.push_back(seen.warning);
  std::vector<double> peaks;
  for (const EvaluatedAnomaly& p : validation.scores().normal.empty() ? training.images : validation.images)
    if (p.truth == data::Truth::normal) peaks.push_back(p.peak);
  model.hot = 2 * quantile(peaks, 0.95);
  save_anomalies_model(t.run.file(kBestModelFile), model);
  t.run.write("scores.csv", scores_csv(t.source, {{"training", training}, {"validation", validation}, {"test", test}}));
  say_line(model, warnings, suspicious);
  Figures& f = call.figures;
  f.add("model", model.architecture);
  f.add("parameters", model.module.parameter_count());
  f.add("rule", model.rule);
  f.add("calibration", model.left_out ? "left_out" : "held_out");
  f.add("threshold", *model.threshold);
  std::vector<std::string> rules;
  std::vector<double> thresholds;
  for (const RuleResult& r : model.rules) rules.push_back(r.rule), thresholds.push_back(r.threshold);
  f.add("rules", rules);
  f.add("rules_threshold", thresholds);
  add_figures(f, model, validation, "validation_");
  add_figures(f, model, test);
  f.add("warnings", warnings);
  f.add("suspects", suspicious);
  f.add("seconds", trained.state.seconds);
  const bool tested = !t.split.test.empty();
  write_report(t.run, AnomaliesReport{.title = fmt::format("Anomalies: {}", t.run.path().filename().string()),
                                      .config = t.config,
                                      .model = &model,
                                      .source = &t.source,
                                      .evaluation = tested ? &test : &validation,
                                      .validation = &validation,
                                      .evaluated = tested ? "test" : "validation",
                                      .training = int64_t(t.split.training.size()),
                                      .warnings = warnings,
                                      .suspects = suspicious,
                                      .level = t.c.thresholds.level,
                                      .history = trained.state.history,
                                      .best_epoch = trained.state.best_epoch,
                                      .seconds = trained.state.seconds,
                                      .images = t.c.report_images});
  finish_run(t.run, call);
  if (tested) {
    const Scores s = test.scores();
    const Rates r = rates_at(s, *model.threshold);
    fmt::print("test: {} good images, {} anomalies: AUROC {:.4f}, TPR {:.3f}, TNR {:.3f}", s.normal.size(),
               s.anomalous.size(), area_under_roc(s), r.true_positive, r.true_negative);
    if (test.regions > 0) fmt::print("; pixel AUROC {:.4f}, PRO {:.4f}", test.pixel_auroc, test.region_overlap);
    fmt::print("\n");
    if (!seen.sentence.empty()) fmt::print("{}\n", seen.sentence);
  }
  fmt::print("report: {}\n", t.run.file("report.html").string());
}

}  // namespace

void run_anomalies_train(const AnomaliesTrainConfig& c, Call& call) {
  const RunFolder run = open_run(c.run, c.resume, call);
  inform("reading the images of ", c.data.path);
  Work t{c, run, begin_run(run, c, describe_anomalies_train, call), read_source(c.data), {}, c.machine.where(), false};
  warn_of_skipped(t.source);
  t.split = data::split_anomalies(t.source.set, c.split_options());
  t.left_out = c.calibration == Calibration::left_out ||
               (c.split_options().validation_trains && !has(t, t.split.validation, data::Truth::normal));
  check_data(t);
  if (c.model != kPadim && models::autoencoder_model(c.model).draws && t.device != Device::cpu) {
    inform("model=", c.model, " draws its codes on the host: it is trained on the CPU");
    t.device = Device::cpu;
  }
  AnomaliesModel model = describe_model(t);
  std::optional<Trained> trained = model.is_padim() ? fit_padim(t, model, call) : train_autoencoder(t, model, call);
  if (trained) evaluate_and_report(t, *trained, call);
}

}  // namespace kern::apps
