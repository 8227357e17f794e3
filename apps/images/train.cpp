#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "apps/build_info.h"
#include "apps/images/report.h"
#include "apps/images/source.h"
#include "apps/images/verbs.h"
#include "apps/training_run.h"
#include "data/feed.h"
#include "engine/model_file.h"
#include "kernels/common/log.h"
#include "training/learner.h"
#include "training/supervised.h"

namespace kern::apps {
namespace {
using namespace training;

using Feed = data::Feed<data::ImageBatches>;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The time that steps wait for their data, and the time of all steps.
struct Waiting {
  double data = 0, steps = 0;
  double share() const { return steps > 0 ? data / steps : 0; }
};

LabelledBatch next_of(Feed& feed, Waiting& waiting) {
  const double before = seconds_now();
  const auto b = feed.next();
  waiting.data += seconds_now() - before;
  if (!b) return {};
  return {Tensor::from({b->N, b->H, b->W, b->C}, b->inputs), Tensor::from({b->N, b->H, b->W}, b->labels)};
}

// As many batches of n pictures as an epoch may have in a row, without values: for a rehearsal.
auto hollow(const Feed& feed, int64_t n) {
  return [&batches = feed.batches(), n, left = feed.size()]() mutable -> LabelledBatch {
    if (left-- <= 0) return {};
    const int64_t N = std::min(n, batches.pictures());
    return {Tensor::empty({N, batches.H(), batches.W(), batches.channels()}),
            Tensor::empty({N, batches.H(), batches.W()}, {.dtype = DType::i32})};
  };
}

double score_of(ImagesMonitor monitor, const ConfusionMatrix& m) {
  switch (monitor) {
    case ImagesMonitor::mean_iou:
      return m.mean_iou();
    case ImagesMonitor::binary_iou:
      return m.iou(1);
    case ImagesMonitor::macro_f1:
      return m.macro_f1();
    case ImagesMonitor::accuracy:
      return m.accuracy();
  }
  throw InternalError("no such monitor");
}

// Every so many of the pictures, so that they come from all over the set.
std::vector<int64_t> spread(const std::vector<int64_t>& which, int count) {
  std::vector<int64_t> chosen;
  const size_t n = std::min(which.size(), size_t(std::max(0, count)));
  for (size_t i = 0; i < n; ++i) chosen.push_back(which[i * which.size() / n]);
  return chosen;
}

// The network, its encoder as the configuration wants it.
void make_network(const ImagesTrainConfig& c, ImagesModel& model) {
  const bool encoded = models::image2d_model(c.model).encoder != nullptr;
  check(encoded || (c.encoder_weights.empty() && c.encoder_frozen == 0 && c.encoder_lr == 1), "model=", c.model,
        " has no encoder: encoder.weights=, encoder.frozen= and encoder.lr= are for models that have one");
  if (c.encoder_weights.empty()) {
    model.build();
  } else {
    const TensorFile file = load_tensors(c.encoder_weights);
    const models::WeightsOrigin origin = models::origin_of(file);
    model.network.padding = origin.padding;
    model.network.scaling = model.network.in == 3 ? origin.scaling : std::nullopt;
    model.network.norm_eps = origin.norm_eps;
    model.build();
    inform(models::load_encoder(c.model, model.network, model.module, file).note);
  }
  if (c.encoder_frozen > 0)
    models::freeze_levels(*models::image2d_model(c.model).encoder, model.module, "encoder", c.encoder_frozen);
}

void train(const ImagesTrainConfig& c, const RunFolder& run, Call& call) {
  const std::string config = begin_run(run, c, describe_images_train, call);
  const data::ImageBatchOptions batching = batch_options(c);
  const ImagesSource source = read_source(c.data, c.split);
  check(
      !source.classes.empty(),
      "no classes are given: list them in classes= or classes_file=, or set masks=nonzero where a mask tells an object "
      "from its background");
  warn_and_check(source, c.data);
  const data::ImageStore& store = *source.store;
  const uint64_t seed = uint64_t(c.recipe.seed);
  const data::ImageSplit split = split_source(source, c.split, seed);
  const int classes = store.classes();
  const std::vector<int64_t> counts = class_counts(store, split.training);
  check(
      std::count_if(counts.begin(), counts.end(), [](int64_t n) { return n > 0; }) >= 2,
      "the masks of the training pictures hold only one class: there is nothing to learn. Look at masks= and classes=");
  check(c.monitor != ImagesMonitor::binary_iou || classes == 2, "monitor=binary_iou is for two classes, there are ",
        classes, ": use mean_iou");
  const Device device = c.machine.where();
  const SegmentationLoss loss(
      c.loss, classes,
      c.class_weights == ClassWeights::none ? std::vector<float>{} : class_weights(c.class_weights, counts), device);

  Feed feed(data::ImageBatches(source.store, split.training, batching));
  set_seed(seed);
  ImagesModel model;
  model.architecture = c.model;
  model.network.in = store.channels();
  model.network.out = loss.outputs();
  model.network.channels = c.channels;
  model.network.dropout = c.dropout;
  model.H = int(feed.batches().H()), model.W = int(feed.batches().W());
  model.own_size = c.size.empty();
  model.fit = c.fit;
  model.classes = source.classes;
  model.masks = c.data.masks;
  model.ignore = c.data.ignore;
  model.training_pictures = ids_of(store, split.training);
  model.validation_pictures = ids_of(store, split.validation);
  model.provenance =
      fmt::format("kern {} seed {} data {}", build_info::kVersion, c.recipe.seed, hash_text(store.hash()));
  make_network(c, model);
  model.module.move_to(device);

  const int64_t steps = (feed.size() + c.recipe.accumulate - 1) / c.recipe.accumulate;
  std::vector<PathRate> rates;
  if (c.encoder_lr != 1) rates.push_back({"encoder", c.encoder_lr});
  Learner learner(model.module, c.recipe, parameter_groups(model.module, rates), steps);
  Supervised method(model.module, learner.optimiser,
                    {.clip = c.recipe.clip, .accumulate = c.recipe.accumulate, .loss = loss});
  fmt::print("{}: {} pictures train, {} validate; {} x {} pixels, {} classes, {} parameters, {} updates an epoch\n",
             c.model, split.training.size(), split.validation.size(), model.W, model.H, classes,
             model.module.parameter_count(), steps);
  const StepMemory foreseen = announce_memory(
      c.recipe.batch,
      [&](int batch) {
        return memory_of_step(
            [&] {
              method.step(hollow(feed, batch));
              if (learner.ema) learner.ema->update();
            },
            device);
      },
      device, "a smaller size");

  const std::vector<int64_t> shown = spread(split.validation, c.panels);
  Waiting waiting;
  Training t = learner.training();
  t.samples_in_epoch = [&](int) { return feed.batches().pictures(); };
  t.begin_epoch = [&](int epoch, int64_t index) { feed.begin(epoch, index * c.recipe.accumulate); };
  t.step = [&](int, int64_t) {
    const double before = seconds_now();
    const StepResult r = method.step([&] { return next_of(feed, waiting); });
    waiting.steps += seconds_now() - before;
    return r;
  };
  t.validate = [&](int epoch) {
    const ImagesJudgement j = judge(model, store, split.validation);
    if (!shown.empty()) run.write(panel_name(epoch + 1), panel_png(model, store, shown));
    Validation v{.score = score_of(c.monitor, j.matrix),
                 .loss = j.loss,
                 .figures = {{"val_loss", j.loss},
                             {"accuracy", j.matrix.accuracy()},
                             {"macro_f1", j.matrix.macro_f1()},
                             {"mean_iou", j.matrix.mean_iou()}}};
    if (classes == 2) v.figures.emplace_back("binary_iou", j.matrix.iou(1));
    return v;
  };
  t.save_model = [&](const std::filesystem::path& path) { save_images_model(path, model); };
  t.identity.insert({{"model", model.architecture},
                     {"data", hash_text(store.hash())},
                     {"batches", fmt::format("batch={} accumulate={} size={}x{}", c.recipe.batch, c.recipe.accumulate,
                                             model.H, model.W)}});
  const std::optional<LoopState> end =
      carry_out(run, c.recipe, t, {.task = "images", .unit = "pictures", .config = config, .quiet = c.quiet}, call);
  if (!end) return;
  const ImagesModel best = load_images_model(run.file(kBestModelFile));
  best.module.move_to(device);
  const ImagesJudgement j = judge(best, store, split.validation);
  call.figures.add("best_epoch", int64_t(end->best_epoch));
  add_figures(call.figures, j);
  call.figures.add("seconds", end->seconds);
  call.figures.add("data_wait_share", waiting.share());
  call.figures.add("foreseen_peak_bytes", int64_t(foreseen.peak));
  call.figures.add("peak_tensor_bytes", int64_t(memory_counters().peak));
  write_report(run, ImagesReport{.title = fmt::format("Images: {}", run.path().filename().string()),
                                 .config = config,
                                 .model = &best,
                                 .store = &store,
                                 .training = split.training,
                                 .validation = split.validation,
                                 .judgement = &j,
                                 .history = end->history,
                                 .best_epoch = end->best_epoch,
                                 .skipped = source.skipped,
                                 .seconds = end->seconds,
                                 .foreseen = foreseen,
                                 .passing = {},
                                 .pictures = c.report_pictures});
  finish_run(run, call);
  fmt::print("best epoch {}: mean IoU {:.4f}, accuracy {:.4f}, macro-F1 {:.4f} on {} validation pictures\nreport: {}\n",
             end->best_epoch, j.matrix.mean_iou(), j.matrix.accuracy(), j.matrix.macro_f1(), split.validation.size(),
             run.file("report.html").string());
}

}  // namespace

void run_images_train(const ImagesTrainConfig& c, Call& call) { train(c, open_run(c.run, c.resume), call); }

}  // namespace kern::apps
