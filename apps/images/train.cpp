#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "apps/build_info.h"
#include "apps/images/report.h"
#include "apps/images/source.h"
#include "apps/images/verbs.h"
#include "apps/parts.h"
#include "apps/training_run.h"
#include "data/labelled_share.h"
#include "engine/model_file.h"
#include "engine/onnx_weights.h"
#include "kernels/common/log.h"
#include "models/discriminator.h"
#include "models/unfold_norms.h"
#include "training/batch_tensors.h"
#include "training/network_training.h"

namespace kern::apps {
namespace {
using namespace training;

using Loaders = StepLoaders<data::ImageBatches>;

// All that the parts of a training share.
struct Work {
  const ImagesTrainConfig& c;
  const RunFolder& run;
  std::string config;
  ImagesSource source;
  data::ImageSplit split;
  data::ShownLabels shown;          // of the training images
  std::vector<int64_t> unlabelled;  // images that a method may learn from without masks
  std::vector<float> class_weights;
  Device device;

  const data::ImageStore& store() const { return *source.store; }
};

std::unique_ptr<Loaders> make_loaders(const Work& w) {
  const ImagesTrainConfig& c = w.c;
  data::ImageBatchOptions o = batch_options(c);
  data::ImageBatches labelled(w.source.store, w.shown.labelled, o);
  std::optional<data::ImageBatches> unlabelled;
  if (c.method.semi_supervised()) {
    o.H = labelled.H(), o.W = labelled.W();
    o.present = true;
    o.seed = ~o.seed;  // not the labelled loader's order and changes
    o.batch = c.method.unlabelled_or(c.recipe.batch);
    if (c.method.strong_views() > 0) o.strong = c.strong, o.strong_views = c.method.strong_views();
    unlabelled.emplace(w.source.store, w.unlabelled, o);
  }
  return std::make_unique<Loaders>(std::move(labelled), std::move(unlabelled), image_tensors(), c.recipe, c.method);
}

// The smallest batch of a pass, what remains after the whole ones: as many of its images as make statistics together, all or
// a rank's part.
int64_t smallest_batch(const data::ImageBatches& b, int64_t batch, bool together) {
  const int64_t rest = b.images() % batch, smallest = rest > 0 ? rest : std::min(batch, b.images());
  return together ? smallest : std::max<int64_t>(1, smallest / communicator().size());
}

// A batch of one image, so small that a deep level of the network has one pixel, gives batch norm nothing to make
// statistics of. The error of the step would come at the end of the first epoch: it is said before the first step.
void check_small_batches(const ImagesTrainConfig& c, const Loaders& loaders, NetworkTraining& training) {
  const int ranks = communicator().size();
  const bool on_cpu = c.machine.where() == Device::cpu;  // where statistics may be of all ranks' samples
  const bool together = ranks == 1 || (on_cpu && c.method.syncs_batch_norm(c.recipe, ranks));
  const int64_t second = c.method.unlabelled_or(c.recipe.batch);
  const int64_t labelled = smallest_batch(loaders.labelled(), c.recipe.batch, together),
                unlabelled = loaders.unlabelled() ? smallest_batch(*loaders.unlabelled(), second, together) : 2;
  if (labelled > 1 && unlabelled > 1) return;
  try {
    const WorkAlone alone;  // statistics of these images
    training.foresee(labelled, unlabelled);
  } catch (const InternalError&) {
    throw;
  } catch (const Error& e) {
    const bool first = labelled == 1;
    const data::ImageBatches& b = first ? loaders.labelled() : *loaders.unlabelled();
    const int64_t batch = first ? c.recipe.batch : second;
    int64_t fits = 2;
    while (fits < b.images() && smallest_batch(b, fits, together) == 1) ++fits;
    throw Error(text("of ", b.images(), first ? "" : " unlabelled", " images in batches of ", batch,
                     together ? " a batch has a single one" : " a rank has a single one of a batch",
                     ", and a deep level of model=", c.model, " then has a single pixel at ", b.W(), " x ", b.H(),
                     ", of which batch norm cannot make statistics (", e.sentence(), "). ",
                     b.images() > 1 ? text("Set ", first ? "batch=" : "semi.unlabelled_batch=", fits,
                                           " or another that leaves no single one, or a larger size=",
                                           together || !on_cpu ? "" : ", or sync_batch_norm=on")
                                    : std::string("Add images, or set a larger size=")));
  }
}

// Norms for an encoder whose weights have them folded, by the first batches of the training.
void unfold_encoder(const ImagesModel& model, const AnyModule& network, const Loaders& loaders, bool quiet) {
  constexpr int64_t kImages = 64;  // enough for statistics of channels; a hundred updates of the averages forget them
  const data::ImageBatches& batches = loaders.labelled();
  const int64_t each = (batches.images() + batches.size() - 1) / batches.size();
  const int64_t count = std::clamp<int64_t>(kImages / each, 1, batches.size());
  const auto epoch = batches.epoch(0);
  const auto tensors = image_tensors();
  const models::UnfoldedNorms norms = models::unfold_norms(
      network, "encoder", int(count),
      [&](int i) { return tensors.labelled(batches.batch(epoch, i)).x.to(network.device()); },
      model.network.chosen_norm_eps());
  if (!quiet) inform(norms.norms, " batch norms are put back, by the statistics of ", norms.samples, " images");
}

// The encoder of a network as the configuration wants it.
void prepare_encoder(const ImagesTrainConfig& c, const ImagesModel& model, const AnyModule& network,
                     const Loaders& loaders, bool quiet) {
  if (!c.encoder_weights.empty()) {
    const auto norms = c.encoder_unfold ? models::FoldedNorms::put_back : models::FoldedNorms::held;
    const auto loaded = models::load_encoder(c.model, model.network, network, load_weights(c.encoder_weights), norms);
    if (!quiet) inform(loaded.note);
    if (c.encoder_unfold && !loaded.folded && !quiet)
      inform("encoder.unfold=true changes nothing: ", c.encoder_weights, " has its norms");
    if (c.encoder_unfold && loaded.folded) unfold_encoder(model, network, loaders, quiet);
  }
  if (c.encoder_frozen > 0)
    models::freeze_levels(*models::image2d_model(c.model).encoder, network, "encoder", c.encoder_frozen);
}

void make_network(const ImagesTrainConfig& c, const Loaders& loaders, ImagesModel& model) {
  const bool encoded = models::image2d_model(c.model).encoder != nullptr;
  check(encoded || (c.encoder_weights.empty() && c.encoder_frozen == 0 && c.encoder_lr == 1), "model=", c.model,
        " has no encoder: encoder.weights=, encoder.frozen= and encoder.lr= are for models that have one");
  check(!c.encoder_unfold || !c.encoder_weights.empty(),
        "encoder.unfold=true puts back norms that are folded into pretrained weights: name them with encoder.weights=");
  if (!c.encoder_weights.empty()) {
    const models::WeightsOrigin origin = models::origin_of(load_weights(c.encoder_weights));
    model.network.padding = origin.padding;
    model.network.scaling = model.network.in == 3 ? origin.scaling : std::nullopt;
    model.network.norm_eps = origin.norm_eps;
  }
  model.build();
  prepare_encoder(c, model, model.module, loaders, false);
}

// Two of the methods with unlabelled images know no loss of labelled ones but the cross entropy.
void check_loss(const ImagesTrainConfig& c) {
  if (c.method.kind != MethodKind::cps && c.method.kind != MethodKind::adversarial) return;
  const bool plain =
      c.loss.terms.size() == 1 && c.loss.terms[0].first == "ce" && c.loss.terms[0].second == 1 && c.loss.smoothing == 0;
  check(plain, "method=", to_string(c.method.kind),
        " has a loss of its own beside the cross entropy: set loss={ce: 1} and leave label_smoothing at 0");
}

// The images of a training, which of them show their masks, and what there is to learn.
Work read_images(const ImagesTrainConfig& c, const RunFolder& run, Call& call) {
  c.method.check_with(c.recipe);
  check_loss(c);
  std::string config = begin_run(run, c, describe_images_train, call);
  inform("reading the images of ", c.data.path);
  Work w{c, run, std::move(config), read_source(c.data, c.split), {}, {}, {}, {}, {}};
  check(
      !w.source.classes.empty(),
      "no classes are given: list them in classes= or classes_file=, or set masks=nonzero where a mask tells an object "
      "from its background");
  warn_and_check(w.source, c.data);
  w.split = split_source(w.source, c.split);
  announce_test(int64_t(w.split.test.size()), "images");
  w.shown = data::choose_share(w.split.training, data::group_equal(w.store().facts()), c.labelled_fraction,
                               uint64_t(c.recipe.seed));
  w.unlabelled = data::without_labels(w.shown, w.split.unlabelled);
  c.method.announce({.things = "images",
                     .unlabelled = int64_t(w.unlabelled.size()),
                     .hidden = int64_t(w.shown.hidden.size()),
                     .remedy = "name a folder of them with unlabelled=, or hide masks with labelled_fraction="});
  const std::vector<int64_t> counts = data::class_counts(w.store(), w.shown.labelled);
  check(std::count_if(counts.begin(), counts.end(), [](int64_t n) { return n > 0; }) >= 2,
        "the masks of the training images hold only one class: there is nothing to learn. Look at masks= and "
        "classes=, and that labelled_fraction= leaves enough images");
  if (c.class_weights != ClassWeights::none) w.class_weights = c.method.class_weights(c.class_weights, counts);
  const int classes = w.store().classes();
  check(c.monitor != Monitor::binary_iou || classes == 2, "monitor=binary_iou is for two classes, there are ", classes,
        ": use mean_iou");
  std::vector<std::string> measured{"val_loss", "accuracy", "macro_f1", "mean_iou"};
  if (classes == 2) measured.push_back("binary_iou");
  check_aims(c.reach, measured);
  w.device = c.machine.where();
  return w;
}

ImagesModel new_model(const Work& w, const Loaders& loaders, int outputs) {
  const ImagesTrainConfig& c = w.c;
  ImagesModel m;
  m.architecture = c.model;
  m.network.in = w.store().channels();
  m.network.out = outputs;
  m.network.channels = c.channels;
  m.network.dropout = c.dropout;
  m.H = int(loaders.labelled().H()), m.W = int(loaders.labelled().W());
  m.own_size = c.size.empty();
  const data::ImageSize seen = data::median_size(w.store(), w.split.training);
  m.seen_H = int(seen.H), m.seen_W = int(seen.W);
  m.fit = c.fit;
  m.classes = w.source.classes;
  m.masks = c.data.masks;
  m.ignore = c.data.ignore;
  m.training_images = ids_of(w.store(), w.split.training);
  m.validation_images = ids_of(w.store(), w.split.validation);
  m.test_images = ids_of(w.store(), w.split.test);
  m.provenance =
      fmt::format("kern {} seed {} data {}", build_info::kVersion, c.recipe.seed, hash_text(w.store().hash()));
  make_network(c, loaders, m);
  m.module.move_to(w.device);
  return m;
}

Metadata identity_of(const Work& w, const ImagesModel& model) {
  const ImagesTrainConfig& c = w.c;
  Metadata m = c.method.identity();
  m.insert({{"model", model.architecture},
            {"data", hash_text(w.store().hash())},
            {"batches",
             fmt::format("batch={} accumulate={} size={}x{}", c.recipe.batch, c.recipe.accumulate, model.H, model.W)},
            {"labelled images", fmt::format("{} of {}", w.shown.labelled.size(), w.split.training.size())}});
  if (c.encoder_unfold) m["norms of the encoder"] = "put back";
  return m;
}

struct Trained {
  LoopState state;
  StepMemory foreseen;
  double data_wait_share = 0;
};

// With as many epochs as make the updates that are asked for at least.
Recipe long_enough(const ImagesTrainConfig& c, int64_t updates_in_epoch) {
  Recipe recipe = c.recipe;
  const int64_t wanted = (c.min_updates + updates_in_epoch - 1) / updates_in_epoch;
  if (wanted <= recipe.epochs) return recipe;
  recipe.epochs = int(wanted);
  inform(updates_in_epoch, updates_in_epoch == 1 ? " update" : " updates", " an epoch: ", wanted, " epochs instead of ",
         c.recipe.epochs, ", so that there are at least min_updates=", c.min_updates);
  return recipe;
}

// Nothing: stopped before the end.
std::optional<Trained> train(const Work& w, Call& call) {
  const ImagesTrainConfig& c = w.c;
  const SegmentationLoss loss(c.loss, w.store().classes(), w.class_weights, w.device);
  auto made = make_loaders(w);
  const Loaders& loaders = *made;
  set_seed(uint64_t(c.recipe.seed));
  const ImagesModel model = new_model(w, loaders, loss.outputs());
  const Recipe recipe = long_enough(c, loaders.steps());
  NetworkTraining training(
      {.network = model.module,
       .recipe = recipe,
       .method = c.method,
       .class_weights = w.class_weights,
       .loss = loss,
       .rates = c.encoder_lr != 1 ? std::vector<PathRate>{{"encoder", c.encoder_lr}} : std::vector<PathRate>(),
       .another =
           [&] {
             AnyModule second = models::make_image2d_model(c.model, model.network);
             prepare_encoder(c, model, second, loaders, true);
             return second;
           },
       .discriminator =
           [&](const std::string& name) { return models::make_discriminator2d(name, w.store().classes()); }},
      std::move(made));
  fmt::print("{}, {}: {} images train, {} validate; {} x {} pixels, {} classes, {} parameters, {} updates an epoch\n",
             c.model, to_string(c.method.kind), w.shown.labelled.size(), w.split.validation.size(), model.W, model.H,
             w.store().classes(), model.module.parameter_count(), training.steps());
  check_small_batches(c, loaders, training);
  const StepMemory foreseen = training.announce("a smaller size", w.store().bytes());

  const std::vector<int64_t> shown = data::spread(w.split.validation, c.panels);
  Training t = training.for_loop();
  t.validate = [&](int epoch) {
    const ImagesEvaluation j = evaluate(model, w.store(), w.split.validation);
    if (!shown.empty() && communicator().root()) w.run.write(panel_name(epoch + 1), panel_png(model, w.store(), shown));
    Validation v = validation_of(j.matrix, j.loss, c.monitor);
    if (model.class_count() == 2) v.figures.emplace_back(to_string(Monitor::binary_iou), j.matrix.iou(1));
    return v;
  };
  t.save_model = [&](const std::filesystem::path& path) { save_images_model(path, model); };
  t.identity.merge(identity_of(w, model));
  std::optional<LoopState> end =
      carry_out(w.run, recipe, t, {.task = "images", .unit = "images", .config = w.config, .quiet = c.quiet}, call);
  call.figures.add("method", std::string(to_string(c.method.kind)));
  call.figures.add("labelled_images", int64_t(w.shown.labelled.size()));
  call.figures.add("unlabelled_images", int64_t(c.method.semi_supervised() ? w.unlabelled.size() : 0));
  if (!end) return {};
  return Trained{std::move(*end), foreseen, training.data_wait_share()};
}

void evaluate_and_report(const Work& w, const Trained& trained, Call& call) {
  const WorkAlone alone;  // the other ranks are done
  const ImagesTrainConfig& c = w.c;
  const LoopState& end = trained.state;
  const ImagesModel best = load_images_model(w.run.file(kBestModelFile));
  best.module.move_to(w.device);
  const ImagesEvaluation j = evaluate(best, w.store(), w.split.validation);
  call.figures.add("best_epoch", int64_t(end.best_epoch));
  add_figures(call.figures, j);
  if (!c.reach.empty()) call.figures.add("epochs_until", epochs_until(end.history, c.reach));
  call.figures.add("seconds", end.seconds);
  call.figures.add("data_wait_share", trained.data_wait_share);
  call.figures.add("foreseen_peak_bytes", int64_t(trained.foreseen.peak));
  call.figures.add("peak_tensor_bytes", int64_t(memory_counters().peak));
  write_report(w.run,
               ImagesReport{.title = fmt::format("Images: {}", w.run.path().filename().string()),
                            .config = w.config,
                            .method = to_string(c.method.kind),
                            .model = &best,
                            .store = &w.store(),
                            .training = w.shown.labelled,
                            .unlabelled = c.method.semi_supervised() ? w.unlabelled : std::vector<int64_t>(),
                            .validation = w.split.validation,
                            .evaluation = &j,
                            .history = end.history,
                            .loss = in_words(c.loss, c.class_weights != ClassWeights::none, to_string(c.method.kind)),
                            .best_epoch = end.best_epoch,
                            .reach = c.reach,
                            .skipped = w.source.skipped,
                            .seconds = end.seconds,
                            .foreseen = trained.foreseen,
                            .inference = {},
                            .images = c.report_images});
  finish_run(w.run, call);
  fmt::print("best epoch {} (by {}): {} on {} validation images\nreport: {}\n", end.best_epoch, to_string(c.monitor),
             terminal_text(figures_in_words(j)), w.split.validation.size(), w.run.file("report.html").string());
}

}  // namespace

void run_images_train(const ImagesTrainConfig& c, Call& call) {
  const RunFolder run = open_run(c.run, c.resume, call);
  const Work w = read_images(c, run, call);
  if (const std::optional<Trained> trained = train(w, call)) evaluate_and_report(w, *trained, call);
}

}  // namespace kern::apps
