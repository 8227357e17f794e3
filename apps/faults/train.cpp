#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "apps/build_info.h"
#include "apps/faults/report.h"
#include "apps/faults/verbs.h"
#include "apps/training_run.h"
#include "data/data_loader.h"
#include "engine/ops/add.h"
#include "engine/ops/unary.h"
#include "training/optimiser_state.h"
#include "training/supervised.h"

namespace kern::apps {
namespace {
using namespace training;
using DataLoader = data::DataLoader<data::FaultSections>;

LabelledBatch next_of(DataLoader& loader) {
  const auto b = loader.next();
  if (!b) return {};
  return {Tensor::from({b->N, b->H, b->W, 1}, b->inputs), Tensor::from({b->N, b->H, b->W}, b->labels)};
}

// As many batches of n sections as an epoch may have in a row, without values: for a dry run.
auto empty_step(const DataLoader& loader, int64_t n) {
  return [&batches = loader.batches(), n, left = loader.size()]() mutable -> LabelledBatch {
    if (left-- <= 0) return {};
    const int64_t N = std::min(n, batches.sections()), H = batches.options().synthetic.crosslines,
                  W = batches.options().synthetic.samples;
    return {Tensor::empty({N, H, W, 1}), Tensor::empty({N, H, W}, {.dtype = DType::i32})};
  };
}

// Weights by which both classes count alike in the sum, by the labels of the first batch.
std::vector<float> balance(const data::FaultSections& sections, double most) {
  if (most == 1) return {};
  const auto b = sections.batch(sections.epoch(0), 0);
  const auto faults = double(std::count(b.labels.begin(), b.labels.end(), 1)), all = double(b.labels.size());
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

void train(const FaultsTrainConfig& c, const RunFolder& run, Call& call) {
  const std::string config = begin_run(run, c, describe_faults_train, call);
  check(c.validation_seed != c.recipe.seed, "validation_seed=", c.validation_seed,
        " is seed= too: the sections that validate would be those that train; choose another");
  const auto windows = c.from.empty() ? nullptr : std::make_shared<data::SectionWindows>(c.from, c.places);
  DataLoader loader(data::FaultSections({.synthetic = c.synthetic.options(uint64_t(c.recipe.seed)),
                                         .windows = windows,
                                         .part = data::SectionWindows::Part::training,
                                         .sections = c.sections,
                                         .batch = c.recipe.batch,
                                         .fresh = c.fresh,
                                         .augment = c.augment}));
  const Device device = c.machine.where();
  const SegmentationLoss segmentation(c.loss, 2, balance(loader.batches(), c.balance), device);
  check(segmentation.outputs() == 1, "loss= must have bce, for networks of one output, e.g. loss={bce: 1, dice: 1}");
  const std::vector<LabelledSection> validation = validation_sections(c, windows);
  check(std::any_of(validation.begin(), validation.end(),
                    [](const LabelledSection& s) { return std::count(s.labels.begin(), s.labels.end(), 1) > 0; }),
        "none of the ", validation.size(),
        " sections that validate has a fault, so no epoch could be called better than another: raise synthetic.faults= "
        "or "
        "validation_sections=");

  set_seed(uint64_t(c.recipe.seed));
  FaultsModel model = new_model(c);
  const models::SectionNetwork network = model.build();
  model.module.move_to(device);
  const auto loss = [&](const AnyModule& module, const Tensor& x, const Tensor& labels) {
    const Tensor sum = segmentation(module, x, labels);
    if (!network.divergence || c.divergence == 0) return sum;
    return add(sum, affine(network.divergence(), float(c.divergence / double(x.dim(1) * x.dim(2)))));
  };
  const int64_t steps = (loader.size() + c.recipe.accumulate - 1) / c.recipe.accumulate;
  OptimiserState optimiser_state(model.module, c.recipe, {{.parameters = model.module.parameters()}}, steps);
  Supervised method(model.module, optimiser_state.optimiser,
                    {.clip = c.recipe.clip, .accumulate = c.recipe.accumulate, .loss = loss});
  fmt::print("{}: {} sections of {} traces x {} samples an epoch, {} validate; {} parameters, {} updates an epoch\n",
             c.model, c.sections, c.synthetic.crosslines, c.synthetic.samples, c.validation_sections,
             model.module.parameter_count(), steps);
  warn_of_few_updates(c.recipe, steps);
  const StepMemory foreseen = announce_memory(
      c.recipe,
      [&](int batch) {
        return memory_of_step(
            [&] {
              method.step(empty_step(loader, batch));
              if (optimiser_state.ema) optimiser_state.ema->update();
            },
            device);
      },
      device, "smaller sections");

  Training t = optimiser_state.training();
  t.samples_in_epoch = [&](int) { return c.sections; };
  t.begin_epoch = [&](int epoch, int64_t index) { loader.begin(epoch, index * c.recipe.accumulate); };
  t.step = [&](int, int64_t) { return method.step([&] { return next_of(loader); }); };
  t.validate = [&](int) {
    const FaultsEvaluation j = evaluate(model, validation);
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
  t.identity.insert({{"model", model.architecture},
                     {"sections", model.synthetic},
                     {"batches", fmt::format("batch={} accumulate={} sections={} fresh={} augment={}", c.recipe.batch,
                                             c.recipe.accumulate, c.sections, c.fresh, c.augment)}});
  if (!c.from.empty()) t.identity.emplace("from", c.from);
  const std::optional<LoopState> end =
      carry_out(run, c.recipe, t, {.task = "faults", .unit = "sections", .config = config, .quiet = c.quiet}, call);
  if (!end) return;
  const FaultsModel best = load_faults_model(run.file(kBestModelFile));
  best.module.move_to(device);
  const FaultsEvaluation j = evaluate(best, validation);
  call.figures.add("best_epoch", int64_t(end->best_epoch));
  add_figures(call.figures, j);
  call.figures.add("parameters", best.module.parameter_count());
  call.figures.add("seconds", end->seconds);
  call.figures.add("foreseen_peak_bytes", int64_t(foreseen.peak));
  call.figures.add("peak_tensor_bytes", int64_t(memory_counters().peak));
  write_report(run, FaultsReport{.title = fmt::format("Faults: {}", run.path().filename().string()),
                                 .config = config,
                                 .model = &best,
                                 .sections = &validation,
                                 .evaluation = &j,
                                 .history = end->history,
                                 .best_epoch = end->best_epoch,
                                 .skipped = {},
                                 .seconds = end->seconds,
                                 .foreseen = foreseen,
                                 .drawn = c.report_sections});
  finish_run(run, call);
  fmt::print("best epoch {}: {} on {} sections {}\nreport: {}\n", end->best_epoch, summary_of(j), validation.size(),
             windows ? "cut from the fifth that validates" : "of another seed", run.file("report.html").string());
}

}  // namespace

void run_faults_train(const FaultsTrainConfig& c, Call& call) { train(c, open_run(c.run, c.resume, call), call); }

}  // namespace kern::apps
