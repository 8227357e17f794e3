#include "apps/wells/config.h"

#include "models/discriminator.h"

namespace kern::apps {
namespace {
using training::above;
using training::at_least;
using training::between;
using training::Monitor;
using training::one_of;
using training::required;
using training::Schema;

void describe_class(Schema& keys, WellsClass& c) {
  keys.key("name", c.name, "what reports call it", required())
      .key("colour", c.colour, "#rrggbb; empty: from a palette that every eye can tell apart")
      .key("codes", c.codes, "the files' numbers or words for it; empty: its place in the list, from 0");
}

void describe_data(Schema& keys, WellsData& d) {
  keys.section("Data")
      .key("data", d.path, "folder of LAS and CSV files (searched recursively), or one file")
      .key("curves", d.curves,
           "input curves in channel order; a|b means a, or b where a file has no a; depth is the depth itself",
           required())
      .key("label", d.label, "label curve or column, aliases as above; empty: none")
      .list("classes", d.classes, "classes in index order; empty: as many as the labels need", describe_class)
      .key("ignore_unmapped", d.ignore_unmapped,
           "label codes outside the classes count as unlabelled instead of being an error")
      .key("null_values", d.null_values, "numbers that mean missing, besides each file's own NULL")
      .key("well_column", d.well_column, "CSV: rows of equal value are one well")
      .key("depth_column", d.depth_column, "CSV: depth; where there is none, row order with step 1")
      .key("step", d.step,
           "resample every well to this distance between samples, in the unit of depth (m or ft) that most of them "
           "have; 0: as the "
           "files are, which must then agree",
           at_least(0))
      .key("require_curves", d.require_curves, "leave out wells that lack a curve; otherwise it is missing there")
      .key("strict", d.strict, "a file that cannot be used ends the command instead of being named and skipped");
}

void describe_split(Schema& keys, WellsSplit& s) {
  keys.section("Split (by well, never by sample)")
      .key("validation", s.validation, "share of the labelled wells that validate",
           training::Allowed{.low = 0, .high = 1, .open_low = true, .open_high = true})
      .key("folds", s.folds, "k-fold cross-validation: this many folds; 0: by share", at_least(0))
      .key("fold", s.fold, "the fold that validates, from 0", at_least(0))
      .key("validation_wells", s.validation_wells, "exactly these wells validate")
      .key("test", s.test,
           "share of the labelled wells that no training looks at, for one last figure: kern wells evaluate wells=test",
           training::Allowed{.low = 0, .high = 1, .open_high = true})
      .key("split_seed", s.seed, "draws the wells of the share or the folds; another seed= leaves them as they are",
           at_least(0));
}

std::string model_words() {
  std::string words;
  for (const auto& m : models::signal1d_models())
    words += (words.empty() ? "" : "; ") + std::string(m.name) + ": " + m.help;
  return words;
}
std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& m : models::signal1d_models()) names.push_back(m.name);
  return names;
}
std::vector<std::string> discriminator_names() {
  std::vector<std::string> names;
  for (const auto& m : models::discriminator_models()) names.push_back(m.name);
  return names;
}

void describe_semi_supervision(Schema& keys, TrainConfig& c) {
  describe_method(keys, c.method, "windows", discriminator_names());
  const training::Allowed share{.low = 0, .high = 1, .open_low = true};
  keys.key("labelled_fraction", c.labelled_fraction,
           "share of the training wells whose labels are seen, the wells of 1/8 among those of 1/4; the others count "
           "as unlabelled",
           share)
      .key("labelled_wells", c.labelled_wells, "exactly these show their labels; empty: by labelled_fraction")
      .key("semi.monotone", c.method.monotone,
           "mean_teacher and fixmatch: what is taught of unlabelled windows never goes back in the list of classes "
           "either; with monotone")
      .formerly("semi.in_order")
      .key("semi.strong.gain", c.strong.gain,
           "strong view, for mean_teacher and fixmatch (augment is the weak one): every curve times 1 +- up to this",
           between(0, 1))
      .key("semi.strong.drift", c.strong.drift, "plus a slow wave of up to this height, in scaled units",
           between(0, 100))
      .key("semi.strong.noise", c.strong.noise, "plus noise of this deviation, in scaled units", between(0, 100))
      .key("semi.strong.stretch", c.strong.stretch, "depth stretched or squeezed by up to this share; labels move too",
           between(0, 4))
      .key("semi.strong.hide", c.strong.hide, "share of the samples that is hidden, in stretches of 4 to 32",
           between(0, 0.9))
      .key("semi.strong.reverse", c.strong.reverse,
           "half of the windows upside down: only where a facies read upwards is the same facies");
}

void describe_after(Schema& keys, AfterModel& a) {
  keys.choice("monotone", a.monotone, "labels that never go back in the list of classes; auto: as in training",
              {{"auto", AfterModel::Monotone::as_trained},
               {"on", AfterModel::Monotone::on},
               {"off", AfterModel::Monotone::off}})
      .formerly("in_order")
      .key("remove_short", a.remove_short,
           "runs shorter than this many samples take the label above; -1: as in training", at_least(-1));
}
}  // namespace

data::WellsOptions WellsData::options() const {
  check(!path.empty(), "data= names nothing: give a folder of LAS or CSV files, or one file");
  data::WellsOptions o{.path = path,
                       .curves = curves,
                       .label = label,
                       .ignore_unmapped = ignore_unmapped,
                       .null_values = null_values,
                       .well_column = well_column,
                       .depth_column = depth_column,
                       .step = step,
                       .require_curves = require_curves,
                       .strict = strict};
  o.classes = int(classes.size());
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].codes.empty()) o.codes.emplace_back(std::to_string(i), int(i));
    for (const std::string& code : classes[i].codes) o.codes.emplace_back(code, int(i));
  }
  return o;
}

data::Postprocess AfterModel::over(const data::Postprocess& trained) const {
  return {.monotone = monotone == Monotone::as_trained ? trained.monotone : monotone == Monotone::on,
          .remove_short = remove_short < 0 ? trained.remove_short : remove_short};
}

training::ClassList WellsData::class_list(int count) const {
  training::ClassList list;
  for (int i = 0; i < count; ++i) {
    const bool named = i < int(classes.size());
    list.push_back({named ? classes[size_t(i)].name : text("class ", i), named && !classes[size_t(i)].colour.empty()
                                                                             ? classes[size_t(i)].colour
                                                                             : training::default_colour(i)});
  }
  training::check_classes(list);
  return list;
}

void describe_init(Schema& keys, InitConfig& c) {
  keys.section("Data")
      .key("data", c.data, "folder of LAS and CSV files (searched recursively), or one file", required())
      .key("label", c.label, "label curve or column; empty: the one whose name and values look like it");
  keys.section("Output")
      .key("out", c.out, "configuration to write")
      .key("overwrite", c.overwrite, "replace it if it is there");
}

void describe_train(Schema& keys, TrainConfig& c) {
  describe_data(keys, c.data);
  describe_split(keys, c.split);
  keys.section("Inputs")
      .choice(
          "scaling", c.scaling, "of every curve, by statistics of the training wells",
          {{"standard", data::Scaling::standard}, {"minmax", data::Scaling::minmax}, {"robust", data::Scaling::robust}})
      .choice("mask", c.mask,
              "one more channel per curve that says where it was measured; auto: when training wells have gaps",
              {{"auto", data::Mask::automatic}, {"on", data::Mask::on}, {"off", data::Mask::off}})
      .key("per_well", c.per_well,
           "every curve of every well by its own median and quantiles instead: for wells whose tools read differently; "
           "where a curve lies is lost, how it moves is left")
      .key("log10", c.log10, "curves to take the logarithm of first, e.g. resistivities")
      .key("augment.gain", c.augmentation.gain, "in training, every curve of a window times 1 +- up to this",
           between(0, 1))
      .key("augment.shift", c.augmentation.shift, "plus or minus up to this, in scaled units", at_least(0))
      .key("augment.noise", c.augmentation.noise, "plus noise of this deviation, in scaled units", at_least(0))
      .key("augment.drift", c.augmentation.drift, "plus a slow wave of up to this height, in scaled units",
           between(0, 100))
      .key("augment.stretch", c.augmentation.stretch,
           "depth stretched or squeezed by up to this share, as thickness changes between wells; labels move too",
           between(0, 4))
      .key("augment.hide", c.augmentation.hide, "share of the samples that is hidden, in stretches of 4 to 32",
           between(0, 0.9))
      .key("augment.hide_curve", c.augmentation.hide_curve,
           "probability that a curve of a window (or of a sample, for the baselines) is missing throughout, so that a "
           "well that lacks it can be told; one always stays",
           between(0, 0.9));
  keys.section("Model")
      .key("model", c.model, model_words(), one_of(model_names()))
      .key("channels", c.channels,
           "channels of the levels, the last is the bottom; of an LSTM or mlp, of its layers; empty: the model's own",
           between(1, 4096))
      .key("strides", c.strides, "one per level but the bottom; empty: the model's own", between(1, 16))
      .key("kernel", c.kernel, "samples that a convolution looks at, odd", between(1, 101))
      .key("residual_units", c.residual_units, "convolutions in a block on the way down", between(1, 16))
      .key("radius", c.radius, "mlp: samples of its window to each side", between(0, 1 << 14))
      .choice("norm", c.norm, "of activations: over each window by itself, or over the batch",
              {{"instance", models::Norm::instance}, {"batch", models::Norm::batch}})
      .choice(
          "features", c.features,
          "what a network is given of every sample: its curves; or windows, what the logistic regression sees of it: "
          "neighbours near and far, means and spreads about it",
          {{"curves", Features::curves}, {"windows", Features::windows}})
      .formerly("reads")
      .choice(
          "residual_on", c.residual_on,
          "the network corrects a baseline on windows, which is fitted first, and begins as good as it, for few wells: "
          "logistic, the regression; boosting, the boosted trees",
          {{"none", ResidualOn::none}, {"logistic", ResidualOn::logistic}, {"boosting", ResidualOn::boosting}})
      .formerly("base");
  keys.key("baseline", c.baseline,
           "plain classifiers on windows that are fitted beside the network and stand in its figures and its file: "
           "logistic, boosting; empty: the commonest class alone",
           one_of({"logistic", "boosting"}))
      .key("boosting.rounds", c.boosting.rounds, "trees of each class", between(1, 1000))
      .key("boosting.leaves", c.boosting.leaves, "of a tree", between(2, 255))
      .key("boosting.features", c.boosting.features, "share of the features that a tree may look at, drawn for each",
           training::Allowed{.low = 0, .high = 1, .open_low = true})
      .key("boosting.rate", c.boosting.rate, "share of its correction that a tree makes", above(0));
  describe_semi_supervision(keys, c);
  describe_training(keys, c.recipe, "windows");
  keys.key("window", c.window, "samples of a training window; 0: whole wells", between(0, 1 << 24))
      .choice("class_weights", c.class_weights,
              "of the cross entropy: complement is 1 - share, inverse 1 / share, inverse_root the square root of that",
              {{"none", training::ClassWeights::none},
               {"complement", training::ClassWeights::complement},
               {"inverse", training::ClassWeights::inverse},
               {"inverse_root", training::ClassWeights::inverse_root}});
  describe_stopping(keys, c.recipe);
  keys.choice("monitor", c.monitor, "what makes an epoch the best",
              {{"mean_iou", Monitor::mean_iou},
               {"macro_f1", Monitor::macro_f1},
               {"accuracy", Monitor::accuracy},
               {"penalty", Monitor::penalty}});
  keys.section("Output")
      .key("run", c.run, "the run folder", required())
      .key("resume", c.resume, "go on with this run folder, by its own configuration")
      .key("monotone", c.postprocess.monotone,
           "classes follow each other downwards in the order of their list, as zones between picked horizons do: the "
           "final labels are those that never go back and are expected to be right at the most samples")
      .formerly("in_order")
      .key("remove_short", c.postprocess.remove_short, "then runs shorter than this many samples take the label above",
           at_least(0))
      .key("penalty", c.penalty,
           "what each mistake costs: force2020, the contest's matrix by the classes' codes; or a CSV file, truth by "
           "line, "
           "answer by column; a figure penalty_score (minus the mean) is given then")
      .choice(
          "decision", c.decision,
          "of a sample's class: the most probable one; or least_penalty, that of the least expected cost by penalty=",
          {{"most_probable", Decision::most_probable}, {"least_penalty", Decision::least_penalty}})
      .key("report_wells", c.report_wells, "wells drawn in the report", between(0, 200))
      .key("quiet", c.quiet, "no progress bar");
  describe_machine(keys, c.machine);
}

void describe_synthesize(Schema& keys, SynthesizeConfig& c) {
  keys.section("Synthetic wells")
      .key("out", c.out, "folder to write, one LAS file a well; with csv=true one table wells.csv", required())
      .key("wells", c.wells, "how many", between(1, 1000000))
      .key("samples", c.samples, "samples of a well", between(64, 1000000))
      .key("step", c.step, "metres between samples", above(0))
      .key("labelled_fraction", c.labelled_fraction, "share of wells with a label curve", between(0, 1))
      .key("csv", c.csv, "write the table well_id,row_id,GR,label instead of LAS files")
      .key("seed", c.seed, "equal seeds give equal wells", at_least(0));
}

void describe_evaluate(Schema& keys, EvaluateConfig& c) {
  keys.section("Evaluation")
      .key("model", c.model, "model file that 'kern wells train' made, or the run folder that holds it", required())
      .key("data", c.data, "labelled wells: folder or file", required())
      .key("label", c.label, "label curve or column; empty: the one the model was trained on");
  describe_part(keys, "wells", c.wells);
  keys.key("ignore_unmapped", c.ignore_unmapped, "label codes outside the model's classes count as unlabelled")
      .key("strict", c.strict, "a file that cannot be used ends the command");
  describe_after(keys, c.after);
  keys.key("report_wells", c.report_wells, "wells drawn in the report", between(0, 200))
      .key("run", c.run, "folder for report.html and result.json", required())
      .key("overwrite", c.overwrite, "write over an earlier evaluation that stands there");
  describe_machine(keys, c.machine);
}

void describe_predict(Schema& keys, PredictConfig& c) {
  keys.section("Prediction")
      .key("model", c.model, "model file that 'kern wells train' made, or the run folder that holds it", required())
      .key("data", c.data, "LAS or CSV files: folder or file", required())
      .key("out", c.out, "folder for the files with the predicted curves added", required())
      .key("mnemonic", c.mnemonic, "name of the predicted curve", required())
      .key("probabilities", c.probabilities, "add the probability of every class too")
      .key("min_curves", c.min_curves,
           "samples where fewer of the model's curves were measured get no class (NULL); more curves than the model "
           "reads: all",
           between(1, 1000))
      .key("null_values", c.null_values, "numbers that mean missing, besides each file's own NULL and the model's");
  describe_after(keys, c.after);
  keys.key("overwrite", c.overwrite, "write over files that are there")
      .key("strict", c.strict, "a file that cannot be used ends the command instead of being named and skipped");
  describe_machine(keys, c.machine);
}

}  // namespace kern::apps
