#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <tuple>

#include "apps/build_info.h"
#include "apps/images/report.h"
#include "apps/images/source.h"
#include "apps/images/verbs.h"
#include "apps/training_run.h"
#include "data/labelled_share.h"
#include "engine/model_file.h"
#include "engine/onnx_weights.h"
#include "engine/statistics.h"
#include "kernels/common/log.h"
#include "models/discriminator.h"
#include "training/optimiser_state.h"
#include "training/step_loaders.h"
#include "training/step_memory.h"

namespace kern::apps {
namespace {
using namespace training;

using Loaders = StepFeeds<data::ImageBatches>;

// The time that steps wait for their data, and the time of all steps.
struct Waiting {
  double data = 0, steps = 0;
  double share() const { return steps > 0 ? data / steps : 0; }
};

// The same data; the time that they take is added up.
template <class F>
F timed(F next, Waiting& waiting) {
  if (!next) return next;
  return [next = std::move(next), &waiting] {
    const double before = steady_seconds();
    auto batch = next();
    waiting.data += steady_seconds() - before;
    return batch;
  };
}

LabelledBatch labelled_of(const data::ImageBatch& b) {
  return {Tensor::from({b.N, b.H, b.W, b.C}, b.inputs), Tensor::from({b.N, b.H, b.W}, b.labels)};
}

UnlabelledBatch unlabelled_of(const data::ImageBatch& b) {
  const Shape positions{b.N, b.H, b.W};
  UnlabelledBatch u{.x = Tensor::from({b.N, b.H, b.W, b.C}, b.inputs),
                    .present = Tensor::from(positions, b.present),
                    .truth = Tensor::from(positions, b.labels)};
  if (!b.strong.empty()) {
    u.strong = Tensor::from({b.N, b.H, b.W, b.C}, b.strong);
    u.origin = Tensor::from(positions, b.origin);
  }
  return u;
}

// The labelled images of a training, those whose masks nobody sees, and those that have none.
struct Roles {
  data::ShownLabels training;
  std::vector<int64_t> unlabelled;  // both of the latter, ascending
};

Roles roles_of(const ImagesTrainConfig& c, const ImagesSource& source, const data::ImageSplit& split) {
  Roles r{data::choose_share(split.training, data::group_equal(source.store->facts()), c.labelled_fraction,
                             uint64_t(c.recipe.seed)),
          {}};
  std::merge(r.training.hidden.begin(), r.training.hidden.end(), split.unlabelled.begin(), split.unlabelled.end(),
             std::back_inserter(r.unlabelled));
  c.method.announce({.things = "images",
                     .unlabelled = int64_t(r.unlabelled.size()),
                     .hidden = int64_t(r.training.hidden.size()),
                     .remedy = "name a folder of them with unlabelled=, or hide masks with labelled_fraction="});
  return r;
}

Loaders make_loaders(const ImagesTrainConfig& c, const ImagesSource& source, const Roles& roles) {
  data::ImageBatchOptions o = batch_options(c);
  data::ImageBatches labelled(source.store, roles.training.labelled, o);
  std::optional<data::ImageBatches> unlabelled;
  if (c.method.semi_supervised()) {
    o.H = labelled.H(), o.W = labelled.W();
    o.present = true;
    o.seed = ~o.seed;  // not the labelled loader's order and changes
    if (c.method.unlabelled_batch > 0) o.batch = c.method.unlabelled_batch;
    if (c.method.strong_views()) o.strong = c.strong;
    unlabelled.emplace(source.store, roles.unlabelled, o);
  }
  return Loaders(std::move(labelled), std::move(unlabelled), labelled_of, unlabelled_of,
                 {.accumulate = c.recipe.accumulate,
                  .epoch_updates = c.method.epoch_updates,
                  .coin_flips = c.method.coin_flips(),
                  .seed = uint64_t(c.recipe.seed)});
}

// A step's data without values, of so many images, as many batches as an epoch may have in a row: for a dry run.
StepData empty_step(const ImagesTrainConfig& c, const Loaders& loaders, int64_t labelled, int64_t unlabelled) {
  const auto shape = [](const data::ImageBatches& b, int64_t images) {
    return Shape{std::min(images, b.images()), b.H(), b.W(), b.channels()};
  };
  StepShapes h{.labelled = shape(loaders.labelled(), labelled),
               .batches = loaders.labelled().size(),
               .unlabelled = {},
               .strong = c.method.strong_views(),
               .epochs = double(c.recipe.epochs)};
  if (loaders.unlabelled()) h.unlabelled = shape(*loaders.unlabelled(), unlabelled);
  return empty_step_data(h);
}

// The smallest batch of a pass: what remains after the whole ones.
int64_t smallest_batch(const data::ImageBatches& b, int64_t batch) {
  const int64_t rest = b.images() % batch;
  return rest > 0 ? rest : std::min(batch, b.images());
}

// A batch of one image, so small that a deep level of the network has one pixel, gives batch norm nothing to make
// statistics of. The error of the step would come at the end of the first epoch: it is said before the first step.
void check_small_batches(const ImagesTrainConfig& c, const Loaders& loaders, const Method& method, Device device) {
  const int64_t second = c.method.unlabelled_batch > 0 ? c.method.unlabelled_batch : c.recipe.batch;
  const int64_t labelled = smallest_batch(loaders.labelled(), c.recipe.batch),
                unlabelled = loaders.unlabelled() ? smallest_batch(*loaders.unlabelled(), second) : 2;
  if (labelled > 1 && unlabelled > 1) return;
  try {
    memory_of_step([&] { method.step(empty_step(c, loaders, labelled, unlabelled)); }, device);
  } catch (const InternalError&) {
    throw;
  } catch (const Error& e) {
    const bool first = labelled == 1;
    const data::ImageBatches& b = first ? loaders.labelled() : *loaders.unlabelled();
    const int64_t batch = first ? c.recipe.batch : second;
    int64_t fits = 2;
    while (fits < b.images() && b.images() % fits == 1) ++fits;
    throw Error(text("of ", b.images(), first ? "" : " unlabelled", " images in batches of ", batch,
                     " a batch has a single one, and a deep level of model=", c.model, " then has a single pixel at ",
                     b.W(), " x ", b.H(), ", of which batch norm cannot make statistics (", e.sentence(), "). ",
                     b.images() > 1 ? text("Set ", first ? "batch=" : "semi.unlabelled_batch=", fits,
                                           " or another that leaves no single one, or a larger size=")
                                    : std::string("Add images, or set a larger size=")));
  }
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

// The encoder of a network as the configuration wants it.
void prepare_encoder(const ImagesTrainConfig& c, const ImagesModel& model, const AnyModule& network, bool quiet) {
  if (!c.encoder_weights.empty()) {
    const auto loaded = models::load_encoder(c.model, model.network, network, load_weights(c.encoder_weights));
    if (!quiet) inform(loaded.note);
  }
  if (c.encoder_frozen > 0)
    models::freeze_levels(*models::image2d_model(c.model).encoder, network, "encoder", c.encoder_frozen);
}

void make_network(const ImagesTrainConfig& c, ImagesModel& model) {
  const bool encoded = models::image2d_model(c.model).encoder != nullptr;
  check(encoded || (c.encoder_weights.empty() && c.encoder_frozen == 0 && c.encoder_lr == 1), "model=", c.model,
        " has no encoder: encoder.weights=, encoder.frozen= and encoder.lr= are for models that have one");
  if (!c.encoder_weights.empty()) {
    const models::WeightsOrigin origin = models::origin_of(load_weights(c.encoder_weights));
    model.network.padding = origin.padding;
    model.network.scaling = model.network.in == 3 ? origin.scaling : std::nullopt;
    model.network.norm_eps = origin.norm_eps;
  }
  model.build();
  prepare_encoder(c, model, model.module, false);
}

// The methods with unlabelled images have a loss of their own.
void check_loss(const ImagesTrainConfig& c) {
  const bool plain =
      c.loss.terms.size() == 1 && c.loss.terms[0].first == "ce" && c.loss.terms[0].second == 1 && c.loss.smoothing == 0;
  check(!c.method.semi_supervised() || plain, "method=", to_string(c.method.kind),
        " has a loss of its own beside the cross entropy: set loss={ce: 1} and leave label_smoothing at 0");
}

// Height and width, each the median of these images'.
std::pair<int, int> median_size(const data::ImageStore& store, const std::vector<int64_t>& which) {
  std::vector<int> h, w;
  for (const int64_t i : which) {
    h.push_back(int(store.facts()[size_t(i)].H));
    w.push_back(int(store.facts()[size_t(i)].W));
  }
  const auto middle = [](std::vector<int>& v) { return v.empty() ? 0 : median_high(v); };
  return {middle(h), middle(w)};
}

void train(const ImagesTrainConfig& c, const RunFolder& run, Call& call) {
  c.method.check_with(c.recipe);
  check_loss(c);
  const std::string config = begin_run(run, c, describe_images_train, call);
  inform("reading the images of ", c.data.path);
  const ImagesSource source = read_source(c.data, c.split);
  check(
      !source.classes.empty(),
      "no classes are given: list them in classes= or classes_file=, or set masks=nonzero where a mask tells an object "
      "from its background");
  warn_and_check(source, c.data);
  const data::ImageStore& store = *source.store;
  const uint64_t seed = uint64_t(c.recipe.seed);
  const data::ImageSplit split = split_source(source, c.split);
  const int classes = store.classes();
  const Roles roles = roles_of(c, source, split);
  const std::vector<int64_t>& labelled = roles.training.labelled;
  std::vector<int64_t> counts = class_counts(store, labelled);
  check(std::count_if(counts.begin(), counts.end(), [](int64_t n) { return n > 0; }) >= 2,
        "the masks of the training images hold only one class: there is nothing to learn. Look at masks= and "
        "classes=, and that labelled_fraction= leaves enough images");
  // In the original program the weights stood in the order of the counts.
  if (c.method.seed_compatible) std::sort(counts.rbegin(), counts.rend());
  const std::vector<float> weights =
      c.class_weights == ClassWeights::none ? std::vector<float>{} : class_weights(c.class_weights, counts);
  check(c.monitor != ImagesMonitor::binary_iou || classes == 2, "monitor=binary_iou is for two classes, there are ",
        classes, ": use mean_iou");
  std::vector<std::string> measured{"val_loss", "accuracy", "macro_f1", "mean_iou"};
  if (classes == 2) measured.push_back("binary_iou");
  check_aims(c.reach, measured);
  const Device device = c.machine.where();
  const SegmentationLoss loss(c.loss, classes, weights, device);

  Loaders loaders = make_loaders(c, source, roles);
  set_seed(seed);
  ImagesModel model;
  model.architecture = c.model;
  model.network.in = store.channels();
  model.network.out = loss.outputs();
  model.network.channels = c.channels;
  model.network.dropout = c.dropout;
  model.H = int(loaders.labelled().H()), model.W = int(loaders.labelled().W());
  model.own_size = c.size.empty();
  std::tie(model.seen_H, model.seen_W) = median_size(store, split.training);
  model.fit = c.fit;
  model.classes = source.classes;
  model.masks = c.data.masks;
  model.ignore = c.data.ignore;
  model.training_images = ids_of(store, split.training);
  model.validation_images = ids_of(store, split.validation);
  model.provenance =
      fmt::format("kern {} seed {} data {}", build_info::kVersion, c.recipe.seed, hash_text(store.hash()));
  make_network(c, model);
  model.module.move_to(device);

  const int64_t steps = loaders.steps();
  std::vector<PathRate> rates;
  if (c.encoder_lr != 1) rates.push_back({"encoder", c.encoder_lr});
  const auto groups = [&](const AnyModule& network) { return parameter_groups(network, rates); };
  OptimiserState optimiser_state(model.module, c.recipe, groups(model.module), steps);
  const Method method = make_method(c.method, c.recipe, model.module, optimiser_state.optimiser, weights,
                                    {.another =
                                         [&] {
                                           AnyModule second = models::make_image2d_model(c.model, model.network);
                                           prepare_encoder(c, model, second, true);
                                           second.move_to(device);
                                           return second;
                                         },
                                     .discriminator =
                                         [&](const std::string& name) {
                                           AnyModule d = models::make_discriminator2d(name, classes);
                                           d.move_to(device);
                                           return d;
                                         },
                                     .groups = groups},
                                    loss);
  fmt::print("{}, {}: {} images train, {} validate; {} x {} pixels, {} classes, {} parameters, {} updates an epoch\n",
             c.model, to_string(c.method.kind), labelled.size(), split.validation.size(), model.W, model.H, classes,
             model.module.parameter_count(), steps);
  check_small_batches(c, loaders, method, device);
  warn_of_few_updates(c.recipe, steps);
  const StepMemory foreseen = announce_memory(
      c.recipe,
      [&](int batch) {
        return memory_of_step(
            [&] {
              method.step(
                  empty_step(c, loaders, batch, c.method.unlabelled_batch > 0 ? c.method.unlabelled_batch : batch));
              if (optimiser_state.ema) optimiser_state.ema->update();
              for (const auto& [name, average] : method.parts.averages) average->update();
            },
            device);
      },
      device, "a smaller size", store.bytes());

  const std::vector<int64_t> shown = data::spread(split.validation, c.panels);
  Waiting waiting;
  Training t = optimiser_state.training(method.parts);
  t.samples_in_epoch = [&](int) {
    return loaders.one_pass() ? loaders.labelled().images() : steps * c.recipe.batch * c.recipe.accumulate;
  };
  t.begin_epoch = [&](int epoch, int64_t index) { loaders.begin(epoch, index); };
  t.step = [&](int epoch, int64_t index) {
    const double before = steady_seconds();
    StepData d = loaders.next(epoch, index);
    d.labelled = timed(std::move(d.labelled), waiting);
    d.unlabelled = timed(std::move(d.unlabelled), waiting);
    const StepResult r = method.step(d);
    waiting.steps += steady_seconds() - before;
    return r;
  };
  t.validate = [&](int epoch) {
    const ImagesEvaluation j = evaluate(model, store, split.validation);
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
                                             model.H, model.W)},
                     {"method", to_string(c.method.kind)},
                     {"labelled images", fmt::format("{} of {}", labelled.size(), split.training.size())}});
  if (c.method.epoch_updates > 0) t.identity["epoch"] = fmt::format("epoch_updates={}", c.method.epoch_updates);
  if (c.method.semi_supervised())
    t.identity["unlabelled batches"] = fmt::format("semi.unlabelled_batch={} compat={}", c.method.unlabelled_batch,
                                                   c.method.seed_compatible ? "seed" : "none");
  const std::optional<LoopState> end =
      carry_out(run, c.recipe, t, {.task = "images", .unit = "images", .config = config, .quiet = c.quiet}, call);
  call.figures.add("method", std::string(to_string(c.method.kind)));
  call.figures.add("labelled_images", int64_t(labelled.size()));
  call.figures.add("unlabelled_images", int64_t(c.method.semi_supervised() ? roles.unlabelled.size() : 0));
  if (!end) return;
  const ImagesModel best = load_images_model(run.file(kBestModelFile));
  best.module.move_to(device);
  const ImagesEvaluation j = evaluate(best, store, split.validation);
  call.figures.add("best_epoch", int64_t(end->best_epoch));
  add_figures(call.figures, j);
  if (!c.reach.empty()) call.figures.add("epochs_until", epochs_until(end->history, c.reach));
  call.figures.add("seconds", end->seconds);
  call.figures.add("data_wait_share", waiting.share());
  call.figures.add("foreseen_peak_bytes", int64_t(foreseen.peak));
  call.figures.add("peak_tensor_bytes", int64_t(memory_counters().peak));
  write_report(run,
               ImagesReport{.title = fmt::format("Images: {}", run.path().filename().string()),
                            .config = config,
                            .method = to_string(c.method.kind),
                            .model = &best,
                            .store = &store,
                            .training = labelled,
                            .unlabelled = c.method.semi_supervised() ? roles.unlabelled : std::vector<int64_t>(),
                            .validation = split.validation,
                            .evaluation = &j,
                            .history = end->history,
                            .loss = in_words(c.loss, c.class_weights != ClassWeights::none, to_string(c.method.kind)),
                            .best_epoch = end->best_epoch,
                            .reach = c.reach,
                            .skipped = source.skipped,
                            .seconds = end->seconds,
                            .foreseen = foreseen,
                            .inference = {},
                            .images = c.report_images});
  finish_run(run, call);
  const char* const monitors[] = {"mean_iou", "binary_iou", "macro_f1", "accuracy"};
  fmt::print("best epoch {} (by {}): {} on {} validation images\nreport: {}\n", end->best_epoch,
             monitors[int(c.monitor)], terminal_text(figures_in_words(j)), split.validation.size(),
             run.file("report.html").string());
}

}  // namespace

void run_images_train(const ImagesTrainConfig& c, Call& call) { train(c, open_run(c.run, c.resume, call), call); }

}  // namespace kern::apps
