#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>

#include "apps/build_info.h"
#include "apps/training_run.h"
#include "apps/wells/evaluation.h"
#include "apps/wells/report.h"
#include "apps/wells/source.h"
#include "apps/wells/verbs.h"
#include "data/wells_batches.h"
#include "data/wells_labelled.h"
#include "engine/atomic_file.h"
#include "kernels/common/log.h"
#include "models/discriminator.h"
#include "training/optimiser_state.h"
#include "training/step_loaders.h"
#include "training/step_memory.h"

namespace kern::apps {
namespace {
using namespace training;

std::vector<std::string> ids_of(const std::vector<data::Well>& wells, const std::vector<int64_t>& which) {
  std::vector<std::string> ids;
  for (int64_t i : which) ids.push_back(wells[size_t(i)].id);
  return ids;
}

std::vector<int64_t> class_counts(const std::vector<data::Well>& wells, const std::vector<int64_t>& which,
                                  int classes) {
  std::vector<int64_t> counts(size_t(classes), 0);
  for (int64_t i : which)
    for (int label : wells[size_t(i)].labels)
      if (label != data::kUnlabelled) ++counts[size_t(label)];
  return counts;
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
  m.provenance = fmt::format("kern {} seed {} data {}", build_info::kVersion, c.recipe.seed, hash_of(set.wells));
  m.build();
  return m;
}

using Loaders = StepFeeds<data::WellBatches>;

// folds: where the network corrects trees, those that a well is unknown to.
LabelledBatch labelled_of(const WellsModel& model, const FoldTrees& folds, const data::WellBatch& b) {
  TreesOfWindow trees;
  if (!folds.folds.empty())
    for (const int64_t w : b.wells) trees.push_back(folds.of_well[size_t(w)]);
  return {network_input(model, b.inputs, b.N, b.L, trees), Tensor::from({b.N, b.L}, b.labels)};
}

UnlabelledBatch unlabelled_of(const WellsModel& model, const data::WellBatch& b) {
  std::vector<int32_t> present(b.labels.size(), -1);
  for (int64_t n = 0; n < b.N; ++n) std::fill_n(present.begin() + n * b.L, b.lengths[size_t(n)], 0);
  UnlabelledBatch u{.x = network_input(model, b.inputs, b.N, b.L),
                    .present = Tensor::from({b.N, b.L}, std::span<const int32_t>(present)),
                    .truth = Tensor::from({b.N, b.L}, b.labels)};
  if (!b.strong.empty()) {
    u.strong = network_input(model, b.strong, b.N, b.L);
    u.origin = Tensor::from({b.N, b.L}, b.origin);
  }
  return u;
}

// The labelled wells of a training, those whose labels nobody sees, and those that have none.
struct Roles {
  data::LabelledWells training;
  std::vector<int64_t> unlabelled;  // both of the latter, ascending
};

Roles roles_of(const TrainConfig& c, const data::WellSet& set, const data::Split& split) {
  Roles r{data::choose_labelled(
              set.wells, split,
              {.fraction = c.labelled_fraction, .wells = c.labelled_wells, .seed = uint64_t(c.recipe.seed)}),
          {}};
  std::merge(r.training.hidden.begin(), r.training.hidden.end(), split.unlabelled.begin(), split.unlabelled.end(),
             std::back_inserter(r.unlabelled));
  c.method.announce({.things = "wells",
                     .unlabelled = int64_t(r.unlabelled.size()),
                     .hidden = int64_t(r.training.hidden.size()),
                     .remedy = "add wells without a label curve, hide labels with labelled_fraction= or "
                               "labelled_wells="});
  return r;
}

// The model and the folds must stay where they are.
Loaders make_loaders(const TrainConfig& c, const data::WellSet& set, const Roles& roles, const WellsModel& model,
                     const FoldTrees& folds) {
  const data::Normalisation& scales = model.normalisation;
  data::BatchOptions o{.batch = c.recipe.batch,
                       .window = c.window,
                       .shuffle = true,
                       .seed = uint64_t(c.recipe.seed),
                       .augmentation = c.augmentation};
  data::WellBatches labelled(set.wells, roles.training.labelled, scales, o);
  std::optional<data::WellBatches> unlabelled;
  if (c.method.semi_supervised()) {
    o.anywhere = true;
    o.seed = ~o.seed;  // not the labelled loader's order and noise
    if (c.method.unlabelled_batch > 0) o.batch = c.method.unlabelled_batch;
    if (c.method.strong_views()) o.strong = c.strong;
    unlabelled.emplace(set.wells, roles.unlabelled, scales, o);
  }
  return Loaders(
      std::move(labelled), std::move(unlabelled),
      [&model, &folds](const data::WellBatch& b) { return labelled_of(model, folds, b); },
      [&model](const data::WellBatch& b) { return unlabelled_of(model, b); },
      {.accumulate = c.recipe.accumulate,
       .epoch_updates = c.method.epoch_updates,
       .coin_flips = c.method.coin_flips(),
       .seed = uint64_t(c.recipe.seed)});
}

// A step's data without values, of batches of n windows: for a dry run in which every term of the loss has begun.
StepData empty_step(const TrainConfig& c, const Loaders& loaders, int64_t channels, int64_t n) {
  const auto shape = [&](const data::WellBatches& b, int64_t windows) {
    return Shape{std::min(windows, b.windows()), b.longest(), channels};
  };
  StepShapes h{.labelled = shape(loaders.labelled(), n),
               .batches = loaders.labelled().size(),
               .unlabelled = {},
               .strong = c.method.strong_views(),
               .epochs = double(c.recipe.epochs)};
  if (loaders.unlabelled())
    h.unlabelled = shape(*loaders.unlabelled(), c.method.unlabelled_batch > 0 ? c.method.unlabelled_batch : n);
  return empty_step_data(h);
}

// In the original program the weights stood in the order of the counts, the largest class first, and not of the
// classes.
std::vector<float> weights_of(const TrainConfig& c, std::vector<int64_t> counts) {
  if (c.method.seed_compatible) std::sort(counts.rbegin(), counts.rend());
  return class_weights(c.class_weights, counts);
}

double score_of(Monitor monitor, const WellsModel& model, const ConfusionMatrix& m) {
  switch (monitor) {
    case Monitor::penalty:
      return penalty_score(*model.penalty, m);
    case Monitor::mean_iou:
      return m.mean_iou();
    case Monitor::macro_f1:
      return m.macro_f1();
    case Monitor::accuracy:
      return m.accuracy();
  }
  throw InternalError("no such monitor");
}

// Those that were asked for, and the one that the network corrects.
FoldTrees fit_baselines(const TrainConfig& c, const data::WellSet& set, const std::vector<int64_t>& labelled,
                        WellsModel& model) {
  const BaselineFit how{.hide = c.augmentation.hide_curve, .seed = uint64_t(c.recipe.seed)};
  BoostingOptions options = c.boosting;
  options.seed = how.seed;
  const auto wanted = [&](const char* name, ResidualOn corrected) {
    return c.residual_on == corrected || std::ranges::find(c.baseline, name) != c.baseline.end();
  };
  if (wanted("logistic", ResidualOn::logistic)) {
    if (c.residual_on == ResidualOn::logistic) inform("fitting the logistic regression that the network corrects");
    model.logistic = fit_logistic(model, set.wells, labelled, how);
  }
  if (wanted("boosting", ResidualOn::boosting)) {
    inform("fitting boosted trees", c.residual_on == ResidualOn::boosting
                                        ? ", which the network corrects, and those of up to five parts of the wells"
                                        : "");
    model.boosting = fit_boosting(model, set.wells, labelled, how, options);
  }
  return c.residual_on == ResidualOn::boosting ? fit_folds(model, set.wells, labelled, how, options) : FoldTrees{};
}

void train(const TrainConfig& c, const RunFolder& run, Call& call) {
  c.method.check_with(c.recipe);
  check(!c.method.monotone || c.postprocess.monotone,
        "semi.monotone says that classes never go back in their list, and monotone=false that they may: set both");
  const std::string config = begin_run(run, c, describe_train, call);
  const data::WellsOptions options = c.data.options();
  check(!options.label.empty(), "label= names no label curve: a training needs one, e.g. label=FACIES");
  inform("reading the wells of ", c.data.path);
  const data::WellSet set = data::load_wells(options);
  for (const data::Problem& p : set.skipped) warn(to_string(p));
  const data::Split split = data::split_wells(set.wells, c.split.options());
  for (const std::string& note : split.notes) inform(note);
  set_seed(uint64_t(c.recipe.seed));
  WellsModel model = new_model(c, set, split);
  const Roles roles = roles_of(c, set, split);
  const std::vector<int64_t>& labelled = roles.training.labelled;
  const std::vector<int64_t> counts = class_counts(set.wells, labelled, set.classes);
  check(std::count_if(counts.begin(), counts.end(), [](int64_t n) { return n > 0; }) >= 2,
        "the training wells hold only one class: there is nothing to learn. Check label= and classes=, and that "
        "labelled_fraction= leaves enough wells");
  const FoldTrees folds = fit_baselines(c, set, labelled, model);
  Loaders loaders = make_loaders(c, set, roles, model, folds);
  const int64_t steps = loaders.steps();
  const Device device = c.machine.where();
  model.module.move_to(device);
  OptimiserState optimiser_state(model.module, c.recipe, {{.parameters = model.module.parameters()}}, steps);
  const auto there = [&](AnyModule module) {
    module.move_to(device);
    return module;
  };
  const Method method = make_method(
      c.method, c.recipe, model.module, optimiser_state.optimiser, weights_of(c, counts),
      {.another = [&] { return there(models::make_signal1d_model(model.architecture, model.network)); },
       .discriminator =
           [&](const std::string& name) { return there(models::make_discriminator1d(name, set.classes)); }});
  fmt::print("{}, {}: {} wells train, {} validate; {} channels in, {} classes, {} parameters, {} updates an epoch\n",
             c.model, to_string(c.method.kind), labelled.size(), split.validation.size(), model.network.in, set.classes,
             model.module.parameter_count(), steps);
  warn_of_few_updates(c.recipe, steps);
  const StepMemory foreseen = announce_memory(
      c.recipe,
      [&](int batch) {
        return memory_of_step(
            [&] {
              method.step(empty_step(c, loaders, model.input_channels(), batch));
              if (optimiser_state.ema) optimiser_state.ema->update();
              for (const auto& [name, average] : method.parts.averages) average->update();
            },
            device);
      },
      device, "a smaller window");

  Training t = optimiser_state.training(method.parts);
  t.samples_in_epoch = [&](int) {
    return loaders.one_pass() ? loaders.labelled().windows() : steps * c.recipe.batch * c.recipe.accumulate;
  };
  t.begin_epoch = [&](int epoch, int64_t index) { loaders.begin(epoch, index); };
  t.step = [&](int epoch, int64_t index) { return method.step(loaders.next(epoch, index)); };
  t.validate = [&](int) {
    const Evaluation j = evaluate(model, set.wells, split.validation);
    return Validation{.score = score_of(c.monitor, model, j.matrix),
                      .loss = j.loss,
                      .figures = {{"val_loss", j.loss},
                                  {"accuracy", j.matrix.accuracy()},
                                  {"macro_f1", j.matrix.macro_f1()},
                                  {"mean_iou", j.matrix.mean_iou()}}};
  };
  t.save_model = [&](const std::filesystem::path& path) { save_wells_model(path, model); };
  t.identity.insert(
      {{"model", model.architecture + (model.reads_windows ? " with features=windows" : "") +
                     (!model.network.on_base ? ""
                      : model.on_boosting    ? " with residual_on=boosting"
                                             : " with residual_on=logistic")},
       {"data", hash_of(set.wells)},
       {"split", hash_of(model.training_wells) + hash_of(model.validation_wells)},
       {"batches", fmt::format("batch={} accumulate={} window={}", c.recipe.batch, c.recipe.accumulate, c.window)},
       {"method", to_string(c.method.kind)},
       {"labelled wells", fmt::format("{} of {}", labelled.size(), split.training.size())}});
  if (c.method.epoch_updates > 0) t.identity["epoch"] = fmt::format("epoch_updates={}", c.method.epoch_updates);
  if (c.method.semi_supervised())
    t.identity["unlabelled batches"] = fmt::format("semi.unlabelled_batch={} compat={}", c.method.unlabelled_batch,
                                                   c.method.seed_compatible ? "seed" : "none");

  const std::optional<LoopState> end =
      carry_out(run, c.recipe, t, {.task = "wells", .unit = "windows", .config = config, .quiet = c.quiet}, call);
  call.figures.add("method", std::string(to_string(c.method.kind)));
  call.figures.add("labelled_wells", int64_t(labelled.size()));
  call.figures.add("unlabelled_wells", int64_t(c.method.semi_supervised() ? roles.unlabelled.size() : 0));
  if (!end) return;
  const WellsModel best = load_wells_model(run.file(kBestModelFile));
  const Evaluation j =
      evaluate(best, set.wells, split.validation, {.postprocess = c.postprocess, .keep_predictions = true});
  const int commonest = int(std::max_element(counts.begin(), counts.end()) - counts.begin());
  const std::vector<Baseline> baselines = evaluate_baselines(best, set.wells, j, commonest);
  call.figures.add("best_epoch", int64_t(end->best_epoch));
  add_figures(call.figures, best, j, baselines);
  const std::vector<std::string> doubts = doubts_about(j, baselines, c.class_weights != ClassWeights::none);
  for (const std::string& sentence : doubts) warn(sentence);
  call.figures.add("warnings", doubts);
  call.figures.add("seconds", end->seconds);
  call.figures.add("foreseen_peak_bytes", int64_t(foreseen.peak));
  call.figures.add("foreseen_reserved_bytes", int64_t(foreseen.reserved));
  call.figures.add("peak_tensor_bytes", int64_t(memory_counters().peak));
  write_report(
      run, ReportInput{.title = fmt::format("Wells: {}", run.path().filename().string()),
                       .config = config,
                       .model = &best,
                       .wells = &set.wells,
                       .method = to_string(c.method.kind),
                       .training = labelled,
                       .unlabelled = c.method.semi_supervised() ? roles.unlabelled : std::vector<int64_t>(),
                       .validation = split.validation,
                       .evaluation = &j,
                       .baselines = baselines,
                       .warnings = doubts,
                       .history = end->history,
                       .loss = in_words(LossOptions{}, c.class_weights != ClassWeights::none, to_string(c.method.kind)),
                       .best_epoch = end->best_epoch,
                       .skipped = set.skipped,
                       .seconds = end->seconds,
                       .foreseen = foreseen,
                       .tracks = c.report_wells});
  finish_run(run, call);
  fmt::print(
      "best epoch {}: accuracy {:.4f}, macro-F1 {:.4f}, mean IoU {:.4f}{} on {} validation wells ({})\nreport: {}\n",
      end->best_epoch, j.matrix.accuracy(), j.matrix.macro_f1(), j.matrix.mean_iou(), penalty_in_words(best, j.matrix),
      split.validation.size(), in_words(baselines), run.file("report.html").string());
}

}  // namespace

void run_wells_train(const TrainConfig& c, Call& call) { train(c, open_run(c.run, c.resume, call), call); }

}  // namespace kern::apps
