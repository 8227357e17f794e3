#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include "apps/build_info.h"
#include "apps/parts.h"
#include "apps/training_run.h"
#include "apps/wells/evaluation.h"
#include "apps/wells/report.h"
#include "apps/wells/source.h"
#include "apps/wells/verbs.h"
#include "data/wells_batches.h"
#include "data/wells_labelled.h"
#include "kernels/common/log.h"
#include "models/discriminator.h"
#include "training/batch_tensors.h"
#include "training/network_training.h"

namespace kern::apps {
namespace {
using namespace training;

using Loaders = StepLoaders<data::WellBatches>;

// All that the parts of a training share.
struct Work {
  const TrainConfig& c;
  const RunFolder& run;
  std::string config;
  data::WellSet set;
  data::Split split;
  data::LabelledWells shown;        // of the training wells
  std::vector<int64_t> unlabelled;  // wells that a method may learn from without labels
  std::vector<int64_t> counts;      // labelled samples of each class that train
  FoldTrees folds;                  // where the network corrects trees: those that a well is unknown to
};

std::vector<std::string> ids_of(const std::vector<data::Well>& wells, const std::vector<int64_t>& which) {
  std::vector<std::string> ids;
  for (int64_t i : which) ids.push_back(wells[size_t(i)].id);
  return ids;
}

void set_penalty(const TrainConfig& c, WellsModel& m) {
  check(!c.penalty.empty() || (c.decision == Decision::most_probable && c.monitor != Monitor::penalty),
        c.monitor == Monitor::penalty ? "monitor=penalty" : "decision=least_penalty",
        " needs to know what mistakes cost: give penalty=force2020, or penalty=FILE.csv");
  check(c.decision == Decision::most_probable || !c.postprocess.monotone,
        "decision=least_penalty decides sample by sample, monotone=true by whole wells: keep one of them");
  m.least_penalty = c.decision == Decision::least_penalty;
  if (c.penalty.empty()) return;
  if (c.penalty == "force2020") {
    std::vector<std::string> codes;
    for (int k = 0; k < int(m.class_count()); ++k)
      codes.push_back(size_t(k) < m.codes.size() && !m.codes[size_t(k)].empty() ? m.codes[size_t(k)][0]
                                                                                : std::to_string(k));
    m.penalty = force2020_penalty(codes);
  } else {
    m.penalty = read_penalty(c.penalty, m.class_count());
  }
}

WellsModel new_model(const TrainConfig& c, const data::WellSet& set, const data::Split& split) {
  WellsModel m;
  m.architecture = c.model;
  m.curves = c.data.curves;
  // A network is told which curves were hidden from it, and a well that lacks one is told then.
  const bool hides = c.augmentation.hide_curve > 0 && c.data.curves.size() > 1;
  m.normalisation = data::fit_normalisation(set.wells, split.training,
                                            {.scaling = c.scaling,
                                             .mask = c.mask == data::Mask::automatic && hides ? data::Mask::on : c.mask,
                                             .log10 = c.log10,
                                             .per_well = c.per_well});
  m.reads_windows = c.features == Features::windows;
  m.network = {.in = int(m.own_channels()),
               .out = set.classes,
               .channels = c.channels,
               .strides = c.strides,
               .kernel = c.kernel,
               .residual_units = c.residual_units,
               .radius = c.radius,
               .norm = c.norm,
               .on_base = c.residual_on != ResidualOn::none};
  m.on_boosting = c.residual_on == ResidualOn::boosting;
  m.step = set.step;
  m.step_unit = set.step_unit;
  m.classes = c.data.class_list(set.classes);
  for (const WellsClass& k : c.data.classes) m.codes.push_back(k.codes);
  set_penalty(c, m);
  m.postprocess = c.postprocess;
  m.null_values = c.data.null_values;
  m.label = c.data.label;
  m.training_wells = ids_of(set.wells, split.training);
  m.validation_wells = ids_of(set.wells, split.validation);
  m.test_wells = ids_of(set.wells, split.test);
  m.provenance = fmt::format("kern {} seed {} data {}", build_info::kVersion, c.recipe.seed, hash_of(set.wells));
  m.build();
  return m;
}

Work read_wells(const TrainConfig& c, const RunFolder& run, Call& call) {
  c.method.check_with(c.recipe);
  check(!c.method.monotone || c.postprocess.monotone,
        "semi.monotone says that classes never go back in their list, and monotone=false that they may: set both");
  Work w{c, run, begin_run(run, c, describe_train, call), {}, {}, {}, {}, {}, {}};
  const data::WellsOptions options = c.data.options();
  check(!options.label.empty(), "label= names no label curve: a training needs one, e.g. label=FACIES");
  inform("reading the wells of ", c.data.path);
  w.set = data::load_wells(options);
  for (const data::Problem& p : w.set.skipped) warn(to_string(p));
  w.split = data::split_wells(w.set.wells, c.split.options());
  announce_test(int64_t(w.split.test.size()), "wells");
  for (const std::string& note : w.split.notes) inform(note);
  return w;
}

// Which wells show their labels, and which a method learns from without.
void choose_roles(Work& w) {
  const TrainConfig& c = w.c;
  w.shown = data::choose_labelled(
      w.set.wells, w.split,
      {.fraction = c.labelled_fraction, .wells = c.labelled_wells, .seed = uint64_t(c.recipe.seed)});
  w.unlabelled = data::without_labels(w.shown, w.split.unlabelled);
  c.method.announce({.things = "wells",
                     .unlabelled = int64_t(w.unlabelled.size()),
                     .hidden = int64_t(w.shown.hidden.size()),
                     .remedy = "add wells without a label curve, hide labels with labelled_fraction= or "
                               "labelled_wells="});
  w.counts = data::class_counts(w.set.wells, w.shown.labelled, w.set.classes);
  check(std::count_if(w.counts.begin(), w.counts.end(), [](int64_t n) { return n > 0; }) >= 2,
        "the training wells hold only one class: there is nothing to learn. Check label= and classes=, and that "
        "labelled_fraction= leaves enough wells");
}

// The model and the work must stay where they are.
std::unique_ptr<Loaders> make_loaders(const Work& w, const WellsModel& model) {
  const TrainConfig& c = w.c;
  data::BatchOptions o{.batch = c.recipe.batch,
                       .window = c.window,
                       .shuffle = true,
                       .seed = uint64_t(c.recipe.seed),
                       .augmentation = c.augmentation};
  data::WellBatches labelled(w.set.wells, w.shown.labelled, model.normalisation, o);
  std::optional<data::WellBatches> unlabelled;
  if (c.method.semi_supervised()) {
    o.anywhere = true;
    o.seed = ~o.seed;  // not the labelled loader's order and noise
    o.batch = c.method.unlabelled_or(c.recipe.batch);
    if (c.method.strong_views() > 0) o.strong = c.strong;
    unlabelled.emplace(w.set.wells, w.unlabelled, model.normalisation, o);
  }
  const auto input = [&model, &folds = w.folds](const std::vector<float>& windows, std::span<const int64_t> wells,
                                                int64_t n, int64_t length) {
    TreesOfWindow trees;
    if (!folds.folds.empty())
      for (const int64_t i : wells) trees.push_back(folds.of_well[size_t(i)]);
    return network_input(model, windows, n, length, trees);
  };
  return std::make_unique<Loaders>(std::move(labelled), std::move(unlabelled),
                                   well_tensors(input, model.input_channels()), c.recipe, c.method);
}

Metadata identity_of(const Work& w, const WellsModel& model) {
  const TrainConfig& c = w.c;
  Metadata m = c.method.identity();
  m.insert({{"model", model.architecture + (model.reads_windows ? " with features=windows" : "") +
                          (!model.network.on_base ? ""
                           : model.on_boosting    ? " with residual_on=boosting"
                                                  : " with residual_on=logistic")},
            {"data", hash_of(w.set.wells)},
            {"split", hash_of(model.training_wells) + hash_of(model.validation_wells)},
            {"batches", fmt::format("batch={} accumulate={} window={}", c.recipe.batch, c.recipe.accumulate, c.window)},
            {"labelled wells", fmt::format("{} of {}", w.shown.labelled.size(), w.split.training.size())}});
  return m;
}

// Those that were asked for, and the one that the network corrects.
void fit_baselines(Work& w, WellsModel& model) {
  const TrainConfig& c = w.c;
  const std::vector<int64_t>& labelled = w.shown.labelled;
  const BaselineFit how{.hide = c.augmentation.hide_curve, .seed = uint64_t(c.recipe.seed)};
  BoostingOptions options = c.boosting;
  options.seed = how.seed;
  const auto wanted = [&](const char* name, ResidualOn corrected) {
    return c.residual_on == corrected || std::ranges::find(c.baseline, name) != c.baseline.end();
  };
  if (wanted("logistic", ResidualOn::logistic)) {
    if (c.residual_on == ResidualOn::logistic) inform("fitting the logistic regression that the network corrects");
    model.logistic = fit_logistic(model, w.set.wells, labelled, how);
  }
  if (wanted("boosting", ResidualOn::boosting)) {
    inform("fitting boosted trees", c.residual_on == ResidualOn::boosting
                                        ? ", which the network corrects, and those of up to five parts of the wells"
                                        : "");
    model.boosting = fit_boosting(model, w.set.wells, labelled, how, options);
  }
  if (c.residual_on == ResidualOn::boosting) w.folds = fit_folds(model, w.set.wells, labelled, how, options);
}

struct Trained {
  LoopState state;
  StepMemory foreseen;
};

// Nothing: stopped before the end.
std::optional<Trained> train(const Work& w, WellsModel& model, Call& call) {
  const TrainConfig& c = w.c;
  std::unique_ptr<Loaders> loaders = make_loaders(w, model);
  model.module.move_to(c.machine.where());
  NetworkTraining training(
      {.network = model.module,
       .recipe = c.recipe,
       .method = c.method,
       .class_weights = c.method.class_weights(c.class_weights, w.counts),
       .another = [&] { return models::make_signal1d_model(model.architecture, model.network); },
       .discriminator = [&](const std::string& name) { return models::make_discriminator1d(name, w.set.classes); }},
      std::move(loaders));
  fmt::print("{}, {}: {} wells train, {} validate; {} channels in, {} classes, {} parameters, {} updates an epoch\n",
             c.model, to_string(c.method.kind), w.shown.labelled.size(), w.split.validation.size(), model.network.in,
             w.set.classes, model.module.parameter_count(), training.steps());
  const StepMemory foreseen = training.announce("a smaller window");
  Training t = training.for_loop();
  t.validate = [&](int) {
    const Evaluation j = evaluate(model, w.set.wells, w.split.validation);
    return validation_of(j.matrix, j.loss, c.monitor, model.penalty ? &*model.penalty : nullptr);
  };
  t.save_model = [&](const std::filesystem::path& path) { save_wells_model(path, model); };
  t.identity.merge(identity_of(w, model));
  std::optional<LoopState> end =
      carry_out(w.run, c.recipe, t, {.task = "wells", .unit = "windows", .config = w.config, .quiet = c.quiet}, call);
  call.figures.add("method", std::string(to_string(c.method.kind)));
  call.figures.add("labelled_wells", int64_t(w.shown.labelled.size()));
  call.figures.add("unlabelled_wells", int64_t(c.method.semi_supervised() ? w.unlabelled.size() : 0));
  if (!end) return {};
  return Trained{std::move(*end), foreseen};
}

void evaluate_and_report(const Work& w, const Trained& trained, Call& call) {
  const WorkAlone alone;  // the other ranks are done
  const TrainConfig& c = w.c;
  const LoopState& end = trained.state;
  const WellsModel best = load_wells_model(w.run.file(kBestModelFile));
  const Evaluation j =
      evaluate(best, w.set.wells, w.split.validation, {.postprocess = c.postprocess, .keep_predictions = true});
  const int commonest = int(std::max_element(w.counts.begin(), w.counts.end()) - w.counts.begin());
  const std::vector<Baseline> baselines = evaluate_baselines(best, w.set.wells, j, commonest);
  call.figures.add("best_epoch", int64_t(end.best_epoch));
  add_figures(call.figures, best, j, baselines);
  const std::vector<std::string> warnings = warnings_about(best, j, baselines, c.class_weights != ClassWeights::none);
  for (const std::string& sentence : warnings) warn(sentence);
  call.figures.add("warnings", warnings);
  call.figures.add("seconds", end.seconds);
  call.figures.add("foreseen_peak_bytes", int64_t(trained.foreseen.peak));
  call.figures.add("foreseen_reserved_bytes", int64_t(trained.foreseen.reserved));
  call.figures.add("peak_tensor_bytes", int64_t(memory_counters().peak));
  write_report(w.run, ReportInput{.title = fmt::format("Wells: {}", w.run.path().filename().string()),
                                  .config = w.config,
                                  .model = &best,
                                  .wells = &w.set.wells,
                                  .method = to_string(c.method.kind),
                                  .training = w.shown.labelled,
                                  .unlabelled = c.method.semi_supervised() ? w.unlabelled : std::vector<int64_t>(),
                                  .validation = w.split.validation,
                                  .evaluation = &j,
                                  .baselines = baselines,
                                  .warnings = warnings,
                                  .history = end.history,
                                  .loss = in_words(LossOptions{}, c.class_weights != ClassWeights::none,
                                                   to_string(c.method.kind)),
                                  .best_epoch = end.best_epoch,
                                  .skipped = w.set.skipped,
                                  .seconds = end.seconds,
                                  .foreseen = trained.foreseen,
                                  .tracks = c.report_wells});
  finish_run(w.run, call);
  fmt::print(
      "best epoch {}: accuracy {:.4f}, macro-F1 {:.4f}, mean IoU {:.4f}{} on {} validation wells ({})\nreport: {}\n",
      end.best_epoch, j.matrix.accuracy(), j.matrix.macro_f1(), j.matrix.mean_iou(), penalty_in_words(best, j.matrix),
      w.split.validation.size(), in_words(baselines), w.run.file("report.html").string());
}

}  // namespace

void run_wells_train(const TrainConfig& c, Call& call) {
  const RunFolder run = open_run(c.run, c.resume, call);
  Work w = read_wells(c, run, call);
  set_seed(uint64_t(c.recipe.seed));
  WellsModel model = new_model(c, w.set, w.split);
  choose_roles(w);
  fit_baselines(w, model);
  if (const std::optional<Trained> trained = train(w, model, call)) evaluate_and_report(w, *trained, call);
}

}  // namespace kern::apps
