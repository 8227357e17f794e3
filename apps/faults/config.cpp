#include "apps/faults/config.h"

#include "kernels/common/error.h"
#include "models/section_models.h"

namespace kern::apps {
namespace {
using training::above;
using training::at_least;
using training::between;
using training::one_of;
using training::required;
using training::Schema;

constexpr const char* kScalesHelp =
    "networks for sections: mean over the section magnified and reduced by these factors; a factor s takes s x s times "
    "as long as 1; 1,0.5,0.35 where faults are broad and layers smooth";

// Every range of the generator: its key, where it is kept here and there, what it means.
struct RangeKey {
  const char* name;
  SyntheticKeys::Numbers SyntheticKeys::*keys;
  data::Range data::SyntheticSeismic::*options;
  const char* help;
};
constexpr RangeKey kRanges[] = {
    {"bin", &SyntheticKeys::bin, &data::SyntheticSeismic::bin,
     "width of a trace over the height of a sample, both in metres; logarithmic: large ones make faults steep"},
    {"layer", &SyntheticKeys::layer, &data::SyntheticSeismic::layer, "thickness of a layer, in samples"},
    {"facies", &SyntheticKeys::facies, &data::SyntheticSeismic::facies,
     "how far the layers' strength changes sideways; 1: into that of other rock"},
    {"folds", &SyntheticKeys::folds, &data::SyntheticSeismic::folds, "how many folds"},
    {"fold_height", &SyntheticKeys::fold_height, &data::SyntheticSeismic::fold_height,
     "of a fold at the bottom, in samples; it grows with depth"},
    {"fold_width", &SyntheticKeys::fold_width, &data::SyntheticSeismic::fold_width,
     "of a fold: standard deviation of a Gaussian, in traces"},
    {"tilt", &SyntheticKeys::tilt, &data::SyntheticSeismic::tilt, "samples that the layers fall per trace"},
    {"faults", &SyntheticKeys::faults, &data::SyntheticSeismic::faults,
     "how many faults, most often about a third of the way up"},
    {"throw", &SyntheticKeys::throw_, &data::SyntheticSeismic::throw_,
     "vertical throw in samples where a fault throws most; logarithmic: small ones are more frequent"},
    {"dip", &SyntheticKeys::dip, &data::SyntheticSeismic::dip,
     "of a fault in the rock, degrees from the horizontal; bin says how steep that is drawn"},
    {"strike", &SyntheticKeys::strike, &data::SyntheticSeismic::strike,
     "of a fault, degrees; 0 is square to the inlines; in sections what of this lies within -50 to 50"},
    {"length", &SyntheticKeys::length, &data::SyntheticSeismic::length,
     "half-axis of a fault down its dip, as a share of the samples"},
    {"aspect", &SyntheticKeys::aspect, &data::SyntheticSeismic::aspect, "half-axis along the strike over that"},
    {"drag", &SyntheticKeys::drag, &data::SyntheticSeismic::drag,
     "share of a fault's slip that bends the layers beside it instead of cutting them"},
    {"damage", &SyntheticKeys::damage, &data::SyntheticSeismic::damage,
     "share by which reflections are weaker on a fault"},
    {"damage_width", &SyntheticKeys::damage_width, &data::SyntheticSeismic::damage_width,
     "and less so up to so many voxels across from it"},
    {"period", &SyntheticKeys::period, &data::SyntheticSeismic::period,
     "dominant period of the wavelet, in samples; logarithmic"},
    {"frequency", &SyntheticKeys::frequency, &data::SyntheticSeismic::frequency,
     "peak frequency of the wavelet in Hz, drawn instead of the period; 0: the period is drawn"},
    {"phase", &SyntheticKeys::phase, &data::SyntheticSeismic::phase, "degrees by which the wavelet is rotated"},
    {"absorption", &SyntheticKeys::absorption, &data::SyntheticSeismic::absorption,
     "share by which the period grows from top to bottom"},
    {"smear", &SyntheticKeys::smear, &data::SyntheticSeismic::smear,
     "traces over which migration blurs the image sideways, a standard deviation"},
    {"noise", &SyntheticKeys::noise, &data::SyntheticSeismic::noise,
     "deviation of the noise over that of the signal, more often little"},
    {"noise_frequency", &SyntheticKeys::noise_frequency, &data::SyntheticSeismic::noise_frequency,
     "peak frequency of the noise, Hz; 0: within the signal's band"},
    {"noise_width", &SyntheticKeys::noise_width, &data::SyntheticSeismic::noise_width,
     "traces over which the noise is alike"},
    {"label", &SyntheticKeys::label, &data::SyntheticSeismic::label, "thickness of a fault's label, in samples"},
};
// Every share or chance.
struct ChanceKey {
  const char* name;
  double SyntheticKeys::*keys;
  double data::SyntheticSeismic::*options;
  const char* help;
};
constexpr ChanceKey kChances[] = {
    {"reverse", &SyntheticKeys::reverse, &data::SyntheticSeismic::reverse, "share of reverse faults"},
    {"parallel", &SyntheticKeys::parallel, &data::SyntheticSeismic::parallel,
     "chance that a fault takes the direction of the one before,"},
    {"conjugate", &SyntheticKeys::conjugate, &data::SyntheticSeismic::conjugate,
     "that it crosses that one, falling the other way,"},
    {"en_echelon", &SyntheticKeys::en_echelon, &data::SyntheticSeismic::en_echelon,
     "that it takes over from that one, side by side"},
    {"linear", &SyntheticKeys::linear, &data::SyntheticSeismic::linear,
     "chance that a fault's slip grows down or up its dip, instead of dying out all round"},
    {"listric", &SyntheticKeys::listric, &data::SyntheticSeismic::listric, "chance that a fault flattens with depth"},
    {"curved", &SyntheticKeys::curved, &data::SyntheticSeismic::curved, "chance that a fault bends along its strike"},
    {"unconformity", &SyntheticKeys::unconformity, &data::SyntheticSeismic::unconformity,
     "chance of an erosion at which older faults end and which younger layers cover"},
    {"onlap", &SyntheticKeys::onlap, &data::SyntheticSeismic::onlap,
     "chance that these layers are level and end against it, instead of lying parallel to it"},
    {"channels", &SyntheticKeys::channels, &data::SyntheticSeismic::channels, "chance of meandering channels"},
    {"chaos", &SyntheticKeys::chaos, &data::SyntheticSeismic::chaos, "chance of slumps without layers"},
    {"bright", &SyntheticKeys::bright, &data::SyntheticSeismic::bright,
     "chance of strong amplitudes that end abruptly"},
    {"salt", &SyntheticKeys::salt, &data::SyntheticSeismic::salt, "chance of a salt dome; faults end at it"},
    {"chimney", &SyntheticKeys::chimney, &data::SyntheticSeismic::chimney, "chance of gas chimneys"},
    {"ormsby", &SyntheticKeys::ormsby, &data::SyntheticSeismic::ormsby, "chance of an Ormsby wavelet; else Ricker"},
    {"noise_dip", &SyntheticKeys::noise_dip, &data::SyntheticSeismic::noise_dip,
     "chance that the noise dips as the layers do"},
    {"footprint", &SyntheticKeys::footprint, &data::SyntheticSeismic::footprint, "chance of acquisition stripes"},
    {"smiles", &SyntheticKeys::smiles, &data::SyntheticSeismic::smiles, "chance of arcs of migration"},
    {"ground_roll", &SyntheticKeys::ground_roll, &data::SyntheticSeismic::ground_roll,
     "chance of steep events of low frequency"},
    {"decay", &SyntheticKeys::decay, &data::SyntheticSeismic::decay, "chance that amplitudes fall with depth"},
    {"seam", &SyntheticKeys::seam, &data::SyntheticSeismic::seam,
     "chance of a line on the map beyond which amplitudes are larger"},
    {"agc", &SyntheticKeys::agc, &data::SyntheticSeismic::agc, "chance of automatic gain control"},
    {"stripes", &SyntheticKeys::stripes, &data::SyntheticSeismic::stripes, "chance of time slices of unlike gain"},
    {"mute", &SyntheticKeys::mute, &data::SyntheticSeismic::mute, "chance of a corner without data"},
    {"dead", &SyntheticKeys::dead, &data::SyntheticSeismic::dead, "chance of traces without data"},
    {"holes", &SyntheticKeys::holes, &data::SyntheticSeismic::holes, "chance of gaps of many traces"},
};

std::string model_words() {
  std::string words;
  for (const auto& m : models::section_models())
    words += (words.empty() ? "" : "; ") + std::string(m.name) + ": " + m.help;
  return words;
}
std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& m : models::section_models()) names.push_back(m.name);
  return names;
}
}  // namespace

SyntheticKeys::SyntheticKeys() {
  const data::SyntheticSeismic o;
  inlines = o.inlines, crosslines = o.crosslines, samples = o.samples, interval = o.interval;
  least_throw = o.least_throw, least_period = o.least_period;
  for (const ChanceKey& k : kChances) this->*k.keys = o.*k.options;
  for (const RangeKey& r : kRanges) this->*r.keys = {(o.*r.options).low, (o.*r.options).high};
}

data::SyntheticSeismic SyntheticKeys::options(uint64_t seed) const {
  data::SyntheticSeismic o;
  o.inlines = inlines, o.crosslines = crosslines, o.samples = samples, o.interval = interval;
  o.least_throw = least_throw, o.least_period = least_period, o.seed = seed;
  for (const ChanceKey& k : kChances) o.*k.options = this->*k.keys;
  for (const RangeKey& r : kRanges) {
    const Numbers& n = this->*r.keys;
    check(n.size() == 1 || n.size() == 2, r.name, " has ", n.size(),
          " numbers; expected two, the least and the most, or one that holds always");
    o.*r.options = {n.front(), n.back()};
  }
  data::check_options(o);
  return o;
}

std::string SyntheticKeys::to_yaml() const {
  Schema keys("sections");
  SyntheticKeys written = *this;
  describe_synthetic(keys, written);
  return keys.to_yaml();
}

void describe_synthetic(Schema& keys, SyntheticKeys& to, const std::string& prefix) {
  keys.key(prefix + "inlines", to.inlines, "1: a section; more: a cube", between(1, 4096))
      .key(prefix + "crosslines", to.crosslines, "traces of an inline", between(1, 65536))
      .key(prefix + "samples", to.samples, "of a trace", between(1, 65535))
      .key(prefix + "interval", to.interval, "between samples, microseconds", between(1, 32767));
  for (const RangeKey& r : kRanges) keys.key(prefix + r.name, to.*r.keys, r.help);
  for (const ChanceKey& k : kChances) keys.key(prefix + k.name, to.*k.keys, k.help, between(0, 1));
  keys.key(prefix + "least_throw", to.least_throw, "a fault is labelled where it throws at least so many samples",
           at_least(0))
      .key(prefix + "least_period", to.least_period, "and at least this share of the dominant period", at_least(0));
}

void describe_faults_init(Schema& keys, FaultsInitConfig& c) {
  keys.section("Data").key("data", c.data, "a SEG-Y file of the survey", required());
  describe_places(keys, c.places);
  keys.section("Output")
      .key("out", c.out, "configuration to write")
      .key("overwrite", c.overwrite, "replace it if it is there");
}

void describe_faults_train(Schema& keys, FaultsTrainConfig& c) {
  keys.section("Sections or pieces of cubes, made on the way")
      .key("sections", c.sections, "of an epoch", between(1, 100000000))
      .key("fresh", c.fresh, "every epoch has sections of its own; false: all have those of the first")
      .key("crop", c.crop,
           "side of what is cut from a made cube, where synthetic.inlines is above 1: lines, traces and samples for "
           "networks for cubes, traces and samples for those for sections; 0: 64 and 96",
           between(0, 4096))
      .key("uses", c.uses, "pieces cut from every made cube", between(1, 100000))
      .key("augment", c.augment,
           "pieces of cubes turned, stretched, bent, and of another loudness and spectrum; sections turned left to "
           "right "
           "and of reversed polarity; each by chance")
      .key("validation_sections", c.validation_sections, "always the same ones", between(1, 100000))
      .key("validation_seed", c.validation_seed, "of the sections that validate; must not be the training's seed",
           at_least(0))
      .key("from", c.from,
           "a SEG-Y file: faults are cut into windows of its own sections instead of made layers; a fifth of its lines "
           "validates")
      .section("What the sections are like: two numbers, or one that holds always");
  describe_synthetic(keys, c.synthetic, "synthetic.");
  describe_places(keys, c.places);
  keys.section("A survey of one's own")
      .key(
          "survey", c.survey,
          "a SEG-Y file that is learnt from: where labels= shows faults, and everywhere by the semi-supervised methods")
      .key("labels", c.labels,
           "what an interpreter drew: a SEG-Y file with the survey's line numbers, or a text of fault sticks (X Y Z "
           "stick, or Charisma's). Inlines or crosslines with a fault count as wholly interpreted, all others as not "
           "looked at; of five or more the last fifth validates")
      .key("fault_values", c.fault_values,
           "values of labels= that are faults; empty: all above 0. Below 0: nobody looked")
      .key("survey_share", c.survey_share, "of a batch that is cut from interpreted lines; the rest is made",
           between(0, 1))
      .key("start", c.start,
           "a model whose weights are the first ones: a file, a run folder, or the name of one that comes with Kern; "
           "model= and channels= are then its own");
  describe_method(
      keys, c.method, "pieces", {},
      {training::MethodKind::supervised, training::MethodKind::mean_teacher, training::MethodKind::fixmatch});
  keys.section("Model")
      .key("model", c.model, model_words(), one_of(model_names()))
      .key("channels", c.channels,
           "channels of the levels (dense_ae: widths of the layers), the last is the bottom; empty: the model's own",
           between(1, 4096))
      .key("dropout", c.dropout, "unet: share of channels dropped in training",
           training::Allowed{.low = 0, .high = 1, .open_high = true})
      .key("tile", c.tile, "sections larger than twice this are predicted in tiles of this side", between(16, 4096));
  describe_training(keys, c.recipe, "sections");
  describe_loss(keys, c.loss);
  keys.key("balance", c.balance,
           "in bce a fault's sample counts as much as all others are more frequent, at most so many times; 1: no "
           "balancing",
           at_least(1))
      .key("divergence", c.divergence, "vae: weight of the codes' divergence from N(0, 1), per sample", at_least(0));
  describe_stopping(keys, c.recipe);
  keys.section("Output")
      .key("run", c.run, "the run folder", required())
      .key("resume", c.resume, "go on with this run folder, by its own configuration")
      .key("report_sections", c.report_sections, "sections drawn in the report", between(0, 200))
      .key("quiet", c.quiet, "no progress bar");
  describe_machine(keys, c.machine);
}

// A few minutes of two cores: little is new to the network, and a low rate lets it keep what it knows.
FaultsFitConfig::FaultsFitConfig() {
  synthetic.inlines = synthetic.crosslines = synthetic.samples = 128;
  sections = 512, validation_sections = 32, uses = 4;
  recipe.epochs = 6, recipe.batch = 8, recipe.lr = 5e-4, recipe.ema = 0.99;
  recipe.schedule = training::ScheduleKind::one_cycle;
  balance = 2;
  run = "runs/faults_fit";
}

void describe_faults_fit(Schema& keys, FaultsFitConfig& c) { describe_faults_train(keys, c); }

void describe_places(Schema& keys, data::SegyOptions& places) {
  using data::SegyDomain;
  keys.section("Places in the trace headers")
      .key("il", places.il, "first byte of the inline number", between(1, 237))
      .key("xl", places.xl, "first byte of the crossline number", between(1, 237))
      .key("x", places.x, "first byte of the x coordinate", between(1, 237))
      .key("y", places.y, "first byte of the y coordinate", between(1, 237))
      .choice("domain", places.domain,
              "what samples of a trace are: times, or depths in metres or feet by the file's measurement system; "
              "automatic: "
              "by what the text header says",
              {{"automatic", SegyDomain::automatic}, {"time", SegyDomain::time}, {"depth", SegyDomain::depth}});
}

void describe_inspect(Schema& keys, SegyInspectConfig& c) {
  keys.section("Data")
      .key("data", c.data, "a SEG-Y file, or a folder of them (searched recursively)", required())
      .key("out", c.out, "folder for report.html, section.png and figures; empty: only print")
      .key("inline", c.inline_number, "the section drawn; none: the middle one")
      .key("crossline", c.crossline_number, "the section drawn, instead of an inline");
  describe_places(keys, c.places);
  describe_machine(keys, c.machine);
}

void describe_synthesize(Schema& keys, SynthesizeSeismicConfig& c) {
  keys.section("Synthetic seismic")
      .key("out", c.out, "folder to write: amplitude_*.sgy, faults_*.sgy and sheet.png", required())
      .key("volumes", c.volumes, "how many sections or cubes", between(1, 1000000))
      .key("seed", c.seed, "equal seeds give equal volumes", at_least(0))
      .choice("format", c.format, "of the samples in the files",
              {{"ieee", data::SegyFormat::float32}, {"ibm", data::SegyFormat::ibm_float32}})
      .key("sheet", c.sheet,
           "volumes drawn in sheet.png, bare and with their faults: of a cube an inline, a crossline and a time slice; "
           "0: no "
           "sheet",
           between(0, 1000))
      .key("from", c.from,
           "a SEG-Y file: faults are cut into windows of its own sections, or cubes, instead of made layers")
      .section("Ranges: two numbers, or one that holds always");
  describe_synthetic(keys, c.synthetic);
  describe_places(keys, c.places);
}

void describe_faults_predict(Schema& keys, FaultsPredictConfig& c) {
  keys.section("Prediction")
      .key("model", c.model,
           "model file, or the run folder that holds it, as 'kern faults train' makes them; empty: the one that comes "
           "with "
           "Kern")
      .key("data", c.data,
           "a SEG-Y file, a NumPy array (.npy: a cube [inlines, crosslines, samples] or a section [traces, samples]), "
           "an "
           "image of a section (PNG, JPEG, BMP), or a folder of SEG-Y files (searched recursively)",
           required())
      .key("out", c.out, "folder; what is found in NAME.sgy goes to NAME/ in it", required())
      .choice("passes", c.passes,
              "the lines of a cube that go through the network: both: the mean of the two; auto: both where either "
              "shows enough",
              {{"auto", Passes::automatic},
               {"inlines", Passes::inlines},
               {"crosslines", Passes::crosslines},
               {"both", Passes::both}})
      .key(
          "flips", c.looks.flips,
          "mean over sections turned left to right too, of cubes over inlines and crosslines turned: two or four times "
          "the time")
      .key("scales", c.looks.scales, kScalesHelp, between(0.1, 4))
      .key("two_scales", c.two_scales,
           "networks for cubes: mean with the cube twice as large in every direction too; nine times the time")
      .key("tile", c.tile, "networks for cubes: lines and samples of a tile at most; 0: as many as memory= allows",
           between(0, 65536))
      .key("margin", c.margin,
           "networks for cubes: lines and samples that a tile sees round the part it answers for; more hides seams "
           "better",
           between(0, 128))
      .key("agc", c.agc, "automatic gain control over so many ms (of depth: m or ft) before the network; 0: none",
           at_least(0))
      .key("threshold", c.threshold, "of thinned faults; none: the model's own, of the best F1 it was validated with",
           between(0, 1))
      .key("memory", c.memory, "MiB that a section, tile or block may take, roughly", between(64, 1 << 20));
  describe_places(keys, c.places);
  keys.section("What is written")
      .key("thin", c.thin, "thin.sgy: the probability on surfaces one sample thin, else 0")
      .key("dip", c.dip, "dip.sgy: degrees from the horizontal, where the probability reaches the threshold")
      .key("azimuth", c.azimuth, "azimuth.sgy: degrees from growing inlines towards growing crosslines")
      .key("velocity", c.velocity, "m/s, to turn time into depth for dips; not used where samples are depths", above(0))
      .key("sticks", c.sticks, "sticks.txt: fault sticks on every so many sections; 0: none", at_least(0))
      .key("least_piece", c.least_piece, "a thinned fault of fewer samples gets no stick", at_least(1))
      .key("images", c.images, "report.html and PNG images of an inline, a crossline and a time slice")
      .formerly("pictures")
      .key("page", c.page,
           "of cubes cube.html, a page that slices through the cube with a slider for each direction: every line and "
           "sample "
           "up to 256 of each, every second and so on beyond")
      .key("inline", c.inline_number, "the inline drawn; none: the middle one")
      .key("crossline", c.crossline_number, "the crossline drawn; none: the middle one")
      .key("slice", c.slice, "ms of the time slice drawn; none: the middle")
      .key("overwrite", c.overwrite, "write over results that are there")
      .key("strict", c.strict, "a file that cannot be used ends the command instead of being named and skipped")
      .key("quiet", c.quiet, "no progress bar");
  describe_machine(keys, c.machine);
}

void describe_faults_evaluate(Schema& keys, FaultsEvaluateConfig& c) {
  keys.section("Evaluation")
      .key("model", c.model,
           "model file, or the run folder that holds it, as 'kern faults train' makes them; empty: the one that comes "
           "with "
           "Kern for what is to be evaluated")
      .key("data", c.data,
           "a SEG-Y file with labels= beside it, or a folder of images with masks; empty: synthetic sections")
      .key("labels", c.labels,
           "SEG-Y file with the same traces as data= (or found=): above 0 where a fault is, 0 where none is, below 0 "
           "where nobody looked")
      .key("found", c.found,
           "instead of model= and data=: a SEG-Y file of fault probability, by 'kern faults predict' or any other "
           "program; it is compared with labels= in three dimensions")
      .key("tolerance", c.tolerance, "cubes: lines and samples that a fault may be off by", between(0, 32))
      .key("thin", c.thin, "cubes: what is found is thinned at the threshold before it is compared")
      .key("mask_dir", c.mask_dir, "folder of the masks inside data=; empty: masks/ or labels/")
      .key("mask_suffix", c.mask_suffix, "what a mask's name has more than its image's")
      .key("fault_values", c.fault_values, "values in masks or labels= that mean a fault; empty: all above 0",
           between(0, 65535))
      .key(
          "thin_labels", c.thin_labels,
          "labels of files are thinned too before they are compared within two samples: those drawn with a broad brush "
          "cannot be met otherwise")
      .key("sections", c.sections, "at most so many, spread over the data", between(1, 1000000))
      .key("crop", c.crop, "lines, traces and samples of a piece of a made cube, where synthetic.inlines is above 1",
           between(8, 4096))
      .key("seed", c.seed, "of synthetic sections", at_least(0))
      .key("flips", c.looks.flips, "mean over sections turned left to right too")
      .key("scales", c.looks.scales, kScalesHelp, between(0.1, 4))
      .key("two_scales", c.two_scales, "networks for cubes: mean with the cube twice as large too")
      .key("memory", c.memory, "MiB that a tile or block of a cube may take, roughly", between(64, 1 << 20))
      .key("agc", c.agc, "SEG-Y: automatic gain control over so many ms (of depth: m or ft); 0: none", at_least(0))
      .key("threshold", c.threshold, "from which probability on a sample counts as a fault; none: the model's own",
           between(0, 1))
      .key("strict", c.strict, "an image that cannot be used ends the command")
      .key("report_sections", c.report_sections, "sections drawn in the report", between(0, 200))
      .key("run", c.run, "folder for report.html and result.json", required())
      .key("overwrite", c.overwrite, "write over an earlier evaluation that stands there");
  describe_places(keys, c.places);
  keys.section(
      "What synthetic sections are like: two numbers, or one that holds always; as in the model's training where not "
      "given");
  describe_synthetic(keys, c.synthetic, "synthetic.");
  describe_machine(keys, c.machine);
}

void describe_faults_compare(Schema& keys, FaultsCompareConfig& c) {
  keys.section("Comparison")
      .key("runs", c.runs,
           "folders of finished trainings; those that differ in seed alone are one method. All are evaluated on the "
           "sections that validated the first",
           required())
      .key("out", c.out, "folder for report.html and comparison.csv", required())
      .key("report_sections", c.report_sections, "sections drawn in the report", between(0, 200));
  describe_machine(keys, c.machine);
}

}  // namespace kern::apps
