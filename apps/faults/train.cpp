#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "apps/build_info.h"
#include "apps/faults/report.h"
#include "apps/faults/verbs.h"
#include "apps/faults/volume.h"
#include "apps/training_run.h"
#include "engine/ops/add.h"
#include "engine/ops/unary.h"
#include "kernels/common/log.h"
#include "training/batch_tensors.h"
#include "training/network_training.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
using namespace training;

// All that the parts of a training share.
struct Work {
  const FaultsTrainConfig& c;
  const RunFolder& run;
  std::string config;
  std::shared_ptr<const data::SectionWindows> windows;  // of sections of the user's own; none: layers are made
  std::shared_ptr<const data::SurveyPieces> survey;     // that is learnt from; may be none
  std::vector<LabelledSection> validation;              // made
  std::vector<LabelledSection> of_survey;               // interpreted lines that validate; then they decide
  Device device;
  const models::SectionModel& network;
};

// Weights by which both classes count alike in the sum, by the labels of a batch.
std::vector<float> balance(const std::vector<int32_t>& labels, double most) {
  const auto faults = double(std::count(labels.begin(), labels.end(), 1)),
             others = double(std::count(labels.begin(), labels.end(), 0));
  return {1.0f, float(faults > 0 ? std::clamp(others / faults, 1.0, most) : most)};
}

FaultsModel new_model(const FaultsTrainConfig& c) {
  FaultsModel m;
  m.architecture = c.model;
  m.network.channels = c.channels;
  m.network.dropout = c.dropout;
  m.tile = c.tile;
  const auto name = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
  m.provenance = fmt::format("kern {} seed {}", build_info::kVersion, c.recipe.seed);
  if (!c.start.empty()) m.provenance += " from " + name(c.start);
  if (!c.survey.empty()) m.provenance += " fitted to " + name(c.survey);
  if (!c.labels.empty()) m.provenance += " with " + name(c.labels);
  m.synthetic = c.synthetic.to_yaml();
  return m;
}

std::shared_ptr<const data::SurveyPieces> open_survey(const FaultsTrainConfig& c) {
  using Part = data::SurveyPieces::Part;
  c.method.check_with(c.recipe);
  check(!c.survey.empty() || c.labels.empty(), "labels=", c.labels,
        " need survey=, the SEG-Y file that they belong to");
  check(!c.survey.empty() || !c.method.semi_supervised(), "method=", to_string(c.method.kind),
        " learns from a survey of your own: give survey=FILE.sgy, or leave method=supervised");
  if (c.survey.empty()) return nullptr;
  check(!c.labels.empty() || c.method.semi_supervised(), "nothing can be learnt from ", c.survey,
        " alone: give labels= of some of its lines, or method=mean_teacher, which needs none");
  check(c.synthetic.inlines > 1,
        "with survey= made pieces are cut from cubes too: set synthetic.inlines=128 (kern faults fit does)");
  auto survey = std::make_shared<const data::SurveyPieces>(
      data::SurveyFiles{.survey = c.survey, .labels = c.labels, .fault_values = c.fault_values, .places = c.places});
  if (survey->interpreted())
    inform(c.labels, ": ", survey->lines(Part::training), " interpreted lines train, ", survey->lines(Part::validation),
           " validate",
           survey->lines(Part::validation) > 0
               ? ""
               : ", for there are fewer than five: the last epoch will count as the best");
  else inform("the last epoch will count as the best: nothing says how good the model is on ", c.survey);
  return survey;
}

Work begin_work(const FaultsTrainConfig& c, const RunFolder& run, std::string config) {
  const models::SectionModel& network = models::section_model(c.model);
  check(network.takes_single_sections() || c.synthetic.inlines > 1, "model=", c.model, " takes ",
        network.dimensions == 3 ? "cubes" : "neighbouring lines",
        ", and one inline is none: give their size, e.g. synthetic.inlines=128 (lines, of which pieces of "
        "crop= are cut)");
  check(c.validation_seed != c.recipe.seed, "validation_seed=", c.validation_seed,
        " is seed= too: the sections that validate would be those that train; choose another");
  return {c,
          run,
          std::move(config),
          c.from.empty() ? nullptr : std::make_shared<data::SectionWindows>(c.from, c.places),
          open_survey(c),
          {},
          {},
          c.machine.where(),
          network};
}

// What trains: sections as they are made, or pieces of cubes.
struct Batches {
  std::unique_ptr<StepSource> steps;
  std::vector<float> class_weights;
};
template <class Source>
Batches batches_of(Source source, std::optional<Source> unlabelled, BatchTensors<Source> tensors,
                   const FaultsTrainConfig& c) {
  std::vector<float> weights;
  if (c.balance != 1) weights = balance(source.batch(source.epoch(0), 0).labels, c.balance);
  return {std::make_unique<StepLoaders<Source>>(std::move(source), std::move(unlabelled), std::move(tensors), c.recipe,
                                                c.method),
          std::move(weights)};
}

// Pieces of the survey without labels: a view that only lies otherwise, and a strong one that sounds otherwise too.
std::optional<data::FaultCubes> unlabelled_pieces(const Work& w) {
  const FaultsTrainConfig& c = w.c;
  if (!c.method.semi_supervised()) return {};
  data::CubeOptions o = cube_options(c, w.network, ~uint64_t(c.recipe.seed), nullptr, {});
  o.batch = c.method.unlabelled_or(c.recipe.batch);
  const data::SeismicAugmentation all = o.augmentation;
  o.augmentation = {.loudness = 0, .spectrum = 0, .gamma = 0, .clip = 0, .coarse = 0, .cutout = 0, .blur = 0};
  o.own = {.survey = w.survey, .share = 1, .labelled = false};
  // Nothing is cut out: what stands there is still asked for.
  if (c.method.strong_views() > 0)
    o.own.strong = data::SeismicAugmentation{
        .loudness = all.loudness, .spectrum = 0.8, .gamma = 0.5, .clip = 0.3, .coarse = 0.3, .cutout = 0, .blur = 0.3};
  return data::FaultCubes(o);
}
Batches make_batches(const Work& w) {
  const FaultsTrainConfig& c = w.c;
  constexpr auto kPart = data::SectionWindows::Part::training;
  if (c.synthetic.inlines > 1) {
    data::CubeOptions o = cube_options(c, w.network, uint64_t(c.recipe.seed), w.windows, kPart);
    if (w.survey && w.survey->interpreted()) o.own = {.survey = w.survey, .share = c.survey_share};
    return batches_of(data::FaultCubes(o), unlabelled_pieces(w), cube_tensors(), c);
  }
  return batches_of(data::FaultSections({.synthetic = c.synthetic.options(uint64_t(c.recipe.seed)),
                                         .windows = w.windows,
                                         .part = kPart,
                                         .sections = c.sections,
                                         .batch = c.recipe.batch,
                                         .fresh = c.fresh,
                                         .augment = c.augment}),
                    {}, section_tensors(), c);
}

std::vector<LabelledSection> checked_validation(const Work& w) {
  std::vector<LabelledSection> validation = validation_sections(w.c, w.network, w.windows);
  check(std::any_of(validation.begin(), validation.end(),
                    [](const LabelledSection& s) { return std::count(s.labels.begin(), s.labels.end(), 1) > 0; }),
        "none of the ", validation.size(),
        " sections that validate has a fault, so no epoch could be called better than another: raise synthetic.faults= "
        "or "
        "validation_sections=");
  return validation;
}

Metadata identity_of(const FaultsTrainConfig& c, const FaultsModel& model) {
  Metadata m{{"model", model.architecture},
             {"sections", model.synthetic},
             {"batches", fmt::format("batch={} accumulate={} sections={} fresh={} augment={}{}", c.recipe.batch,
                                     c.recipe.accumulate, c.sections, c.fresh, c.augment,
                                     c.synthetic.inlines > 1 ? fmt::format(" crop={} uses={}", c.crop, c.uses) : "")}};
  if (!c.from.empty()) m.emplace("from", c.from);
  if (c.method.semi_supervised() || c.method.epoch_updates > 0) m.merge(c.method.identity());
  if (!c.survey.empty())
    m.emplace("survey", fmt::format("{} labels={} survey_share={}", c.survey, c.labels, c.survey_share));
  return m;
}

struct Trained {
  LoopState state;
  StepMemory foreseen;
};

// Nothing: stopped before the end.
std::optional<Trained> train(Work& w, Call& call) {
  const FaultsTrainConfig& c = w.c;
  Batches batches = make_batches(w);
  const SegmentationLoss segmentation(c.loss, 2, batches.class_weights, w.device);
  check(segmentation.outputs() == 1,
        "loss= must have bce or balanced_bce, for networks of one output, e.g. loss={bce: 1, dice: 1}");
  w.validation = checked_validation(w);
  w.of_survey = survey_sections(c, w.network, w.survey);
  set_seed(uint64_t(c.recipe.seed));
  FaultsModel model = new_model(c);
  const models::SectionNetwork network = model.build();
  if (!c.start.empty() && !w.run.resumed()) take_weights(model, find_model_file(c.start));
  model.module.move_to(w.device);
  const auto loss = [&](const AnyModule& module, const Tensor& x, const Tensor& labels) {
    Tensor sum = segmentation(module, x, labels);
    if (!network.divergence || c.divergence == 0) return sum;
    const int64_t samples = x.rows() / x.dim(0);
    return add(sum, affine(network.divergence(), float(c.divergence / double(samples))));
  };
  NetworkTraining training({.network = model.module, .recipe = c.recipe, .method = c.method, .loss = loss},
                           std::move(batches.steps));
  const std::string each =
      c.synthetic.inlines == 1    ? fmt::format("sections of {} x {}", c.synthetic.crosslines, c.synthetic.samples)
      : w.network.dimensions == 2 ? fmt::format("sections of {0} x {0}, cut from cubes", crop_of(c, w.network))
                                  : fmt::format("cubes of {0} x {0} x {0}", crop_of(c, w.network));
  fmt::print("{}: {} {} an epoch, {} validate; {} parameters, {} updates an epoch\n", c.model, c.sections, each,
             c.validation_sections, model.module.parameter_count(), training.steps());
  const StepMemory foreseen = training.announce("smaller sections");
  Training t = training.for_loop();
  t.validate = [&](int epoch) {
    const FaultsEvaluation made = evaluate(model, w.validation);
    const FaultsEvaluation j = w.of_survey.empty() ? made : evaluate(model, w.of_survey);
    model.threshold = j.point.threshold;
    model.average_precision = j.curve.average_precision();
    Validation v{.score = model.average_precision,
                 .loss = j.loss,
                 .figures = {{"val_loss", j.loss},
                             {"average_precision", model.average_precision},
                             {"f1", j.point.f1()},
                             {"tol_iou", j.tolerant.iou()}}};
    // What a survey taught would be undone by choosing the epoch on made sections.
    if (!w.of_survey.empty()) v.figures.emplace_back("made_average_precision", made.curve.average_precision());
    else if (w.survey) v.score = epoch;
    return v;
  };
  t.save_model = [&](const std::filesystem::path& path) { save_faults_model(path, model); };
  t.identity.merge(identity_of(c, model));
  std::optional<LoopState> end =
      carry_out(w.run, c.recipe, t, {.task = "faults", .unit = "sections", .config = w.config, .quiet = c.quiet}, call);
  if (!end) return {};
  return Trained{std::move(*end), foreseen};
}

void evaluate_and_report(const Work& w, const Trained& trained, Call& call) {
  const WorkAlone alone;  // the other ranks are done
  const LoopState& end = trained.state;
  const FaultsModel best = load_faults_model(w.run.file(kBestModelFile));
  best.module.move_to(w.device);
  const std::vector<LabelledSection>& sections = w.of_survey.empty() ? w.validation : w.of_survey;
  const FaultsEvaluation j = evaluate(best, sections);
  call.figures.add("best_epoch", int64_t(end.best_epoch));
  add_figures(call.figures, j);
  if (!w.of_survey.empty())
    call.figures.add("made_average_precision", evaluate(best, w.validation).curve.average_precision());
  call.figures.add("parameters", best.module.parameter_count());
  call.figures.add("seconds", end.seconds);
  call.figures.add("foreseen_peak_bytes", int64_t(trained.foreseen.peak));
  call.figures.add("peak_tensor_bytes", int64_t(memory_counters().peak));
  write_report(w.run, FaultsReport{.title = fmt::format("Faults: {}", w.run.path().filename().string()),
                                   .config = w.config,
                                   .model = &best,
                                   .sections = &sections,
                                   .evaluation = &j,
                                   .history = end.history,
                                   .best_epoch = end.best_epoch,
                                   .skipped = {},
                                   .seconds = end.seconds,
                                   .foreseen = trained.foreseen,
                                   .drawn = w.c.report_sections});
  finish_run(w.run, call);
  fmt::print("best epoch {}: {} on {} sections {}\nreport: {}\n", end.best_epoch, summary_of(j), sections.size(),
             !w.of_survey.empty() ? "of interpreted lines that did not train"
             : w.windows          ? "cut from the fifth that validates"
                                  : "of another seed",
             w.run.file("report.html").string());
}

// `c` with the network of the model that it starts from.
FaultsTrainConfig from_start(FaultsTrainConfig c) {
  if (c.start.empty()) return c;
  const FaultsModel start = load_faults_model(find_model_file(c.start));
  c.model = start.architecture, c.channels = start.network.channels, c.dropout = start.network.dropout;
  return c;
}

void carry_on(const FaultsTrainConfig& c, const RunFolder& run, std::string config, Call& call) {
  Work w = begin_work(c, run, std::move(config));
  if (const std::optional<Trained> trained = train(w, call)) evaluate_and_report(w, *trained, call);
}

}  // namespace

void run_faults_train(const FaultsTrainConfig& given, Call& call) {
  const RunFolder run = open_run(given.run, given.resume, call);
  const FaultsTrainConfig c = run.resumed() ? given : from_start(given);
  carry_on(c, run, begin_run(run, c, describe_faults_train, call), call);
}

void run_faults_fit(const FaultsFitConfig& given, Call& call) {
  const RunFolder run = open_run(given.run, given.resume, call);
  FaultsFitConfig c = given;
  check(!c.survey.empty(), "kern faults fit needs a survey to fit to: kern faults fit SURVEY.sgy labels=STICKS.txt");
  if (c.start.empty()) {
    const data::SegyFile file(c.survey, c.places);
    c.start = FaultsModels("", Device::cpu).name(takes_cubes(data::SegyGeometry(file)));
  }
  if (!run.resumed()) static_cast<FaultsTrainConfig&>(c) = from_start(c);
  // The average that a fit keeps unless told otherwise is what this method's teacher is already.
  if (c.method.kind == MethodKind::mean_teacher && c.recipe.ema == FaultsFitConfig().recipe.ema) c.recipe.ema = 0;
  carry_on(c, run, begin_run(run, c, describe_faults_fit, call), call);
}

}  // namespace kern::apps
