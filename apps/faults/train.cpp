#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "apps/build_info.h"
#include "apps/faults/report.h"
#include "apps/faults/verbs.h"
#include "apps/training_run.h"
#include "engine/ops/add.h"
#include "engine/ops/unary.h"
#include "training/batch_tensors.h"
#include "training/network_training.h"

namespace kern::apps {
namespace {
using namespace training;

// All that the parts of a training share.
struct Work {
  const FaultsTrainConfig& c;
  const RunFolder& run;
  std::string config;
  std::shared_ptr<const data::SectionWindows> windows;  // of sections of the user's own; none: layers are made
  std::vector<LabelledSection> validation;
  Device device;
  const models::SectionModel& network;
};

// Weights by which both classes count alike in the sum, by the labels of a batch.
std::vector<float> balance(const std::vector<int32_t>& labels, double most) {
  if (most == 1) return {};
  const auto faults = double(std::count(labels.begin(), labels.end(), 1)), all = double(labels.size());
  return {1.0f, float(faults > 0 ? std::clamp((all - faults) / faults, 1.0, most) : most)};
}

FaultsModel new_model(const FaultsTrainConfig& c) {
  FaultsModel m;
  m.architecture = c.model;
  m.network.channels = c.channels;
  m.network.dropout = c.dropout;
  m.tile = c.tile;
  m.provenance = fmt::format("kern {} seed {}", build_info::kVersion, c.recipe.seed);
  m.synthetic = c.synthetic.to_yaml();
  return m;
}

Work begin_work(const FaultsTrainConfig& c, const RunFolder& run, Call& call) {
  std::string config = begin_run(run, c, describe_faults_train, call);
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
          {},
          c.machine.where(),
          network};
}

// What trains: sections as they are made, or pieces of cubes.
struct Batches {
  std::unique_ptr<StepSource> steps;
  std::vector<int32_t> first_labels;
};
template <class Source>
Batches batches_of(Source source, BatchTensors<Source> tensors, const Recipe& recipe) {
  std::vector<int32_t> labels = source.batch(source.epoch(0), 0).labels;
  return {std::make_unique<StepLoaders<Source>>(std::move(source), std::nullopt, std::move(tensors), recipe),
          std::move(labels)};
}
Batches make_batches(const Work& w) {
  const FaultsTrainConfig& c = w.c;
  constexpr auto kPart = data::SectionWindows::Part::training;
  if (c.synthetic.inlines > 1)
    return batches_of(data::FaultCubes(cube_options(c, w.network, uint64_t(c.recipe.seed), w.windows, kPart)),
                      cube_tensors(), c.recipe);
  return batches_of(data::FaultSections({.synthetic = c.synthetic.options(uint64_t(c.recipe.seed)),
                                         .windows = w.windows,
                                         .part = kPart,
                                         .sections = c.sections,
                                         .batch = c.recipe.batch,
                                         .fresh = c.fresh,
                                         .augment = c.augment}),
                    section_tensors(), c.recipe);
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
  const SegmentationLoss segmentation(c.loss, 2, balance(batches.first_labels, c.balance), w.device);
  check(segmentation.outputs() == 1,
        "loss= must have bce or balanced_bce, for networks of one output, e.g. loss={bce: 1, dice: 1}");
  w.validation = checked_validation(w);
  set_seed(uint64_t(c.recipe.seed));
  FaultsModel model = new_model(c);
  const models::SectionNetwork network = model.build();
  model.module.move_to(w.device);
  const auto loss = [&](const AnyModule& module, const Tensor& x, const Tensor& labels) {
    Tensor sum = segmentation(module, x, labels);
    if (!network.divergence || c.divergence == 0) return sum;
    const int64_t samples = x.rows() / x.dim(0);
    return add(sum, affine(network.divergence(), float(c.divergence / double(samples))));
  };
  NetworkTraining training({.network = model.module, .recipe = c.recipe, .loss = loss}, std::move(batches.steps));
  const std::string each =
      c.synthetic.inlines == 1    ? fmt::format("sections of {} x {}", c.synthetic.crosslines, c.synthetic.samples)
      : w.network.dimensions == 2 ? fmt::format("sections of {} x {}, cut from cubes", c.crop, c.crop)
                                  : fmt::format("cubes of {} x {} x {}", c.crop, c.crop, c.crop);
  fmt::print("{}: {} {} an epoch, {} validate; {} parameters, {} updates an epoch\n", c.model, c.sections, each,
             c.validation_sections, model.module.parameter_count(), training.steps());
  const StepMemory foreseen = training.announce("smaller sections");
  Training t = training.for_loop();
  t.validate = [&](int) {
    const FaultsEvaluation j = evaluate(model, w.validation);
    model.threshold = j.point.threshold;
    model.average_precision = j.curve.average_precision();
    return Validation{.score = model.average_precision,
                      .loss = j.loss,
                      .figures = {{"val_loss", j.loss},
                                  {"average_precision", model.average_precision},
                                  {"f1", j.point.f1()},
                                  {"tol_iou", j.tolerant.iou()}}};
  };
  t.save_model = [&](const std::filesystem::path& path) { save_faults_model(path, model); };
  t.identity.merge(identity_of(c, model));
  std::optional<LoopState> end =
      carry_out(w.run, c.recipe, t, {.task = "faults", .unit = "sections", .config = w.config, .quiet = c.quiet}, call);
  if (!end) return {};
  return Trained{std::move(*end), foreseen};
}

void evaluate_and_report(const Work& w, const Trained& trained, Call& call) {
  const LoopState& end = trained.state;
  const FaultsModel best = load_faults_model(w.run.file(kBestModelFile));
  best.module.move_to(w.device);
  const FaultsEvaluation j = evaluate(best, w.validation);
  call.figures.add("best_epoch", int64_t(end.best_epoch));
  add_figures(call.figures, j);
  call.figures.add("parameters", best.module.parameter_count());
  call.figures.add("seconds", end.seconds);
  call.figures.add("foreseen_peak_bytes", int64_t(trained.foreseen.peak));
  call.figures.add("peak_tensor_bytes", int64_t(memory_counters().peak));
  write_report(w.run, FaultsReport{.title = fmt::format("Faults: {}", w.run.path().filename().string()),
                                   .config = w.config,
                                   .model = &best,
                                   .sections = &w.validation,
                                   .evaluation = &j,
                                   .history = end.history,
                                   .best_epoch = end.best_epoch,
                                   .skipped = {},
                                   .seconds = end.seconds,
                                   .foreseen = trained.foreseen,
                                   .drawn = w.c.report_sections});
  finish_run(w.run, call);
  fmt::print("best epoch {}: {} on {} sections {}\nreport: {}\n", end.best_epoch, summary_of(j), w.validation.size(),
             w.windows ? "cut from the fifth that validates" : "of another seed", w.run.file("report.html").string());
}

}  // namespace

void run_faults_train(const FaultsTrainConfig& c, Call& call) {
  const RunFolder run = open_run(c.run, c.resume, call);
  Work w = begin_work(c, run, call);
  if (const std::optional<Trained> trained = train(w, call)) evaluate_and_report(w, *trained, call);
}

}  // namespace kern::apps
