#include "apps/faults/config.h"

#include "kernels/common/error.h"

namespace kern::apps {
namespace {
using training::above;
using training::at_least;
using training::between;
using training::required;
using training::Schema;

// Every range of the generator: its key, where it is kept here and there, what it means.
struct RangeKey {
  const char* name;
  SyntheticKeys::Numbers SyntheticKeys::*keys;
  data::Range data::SyntheticSeismic::*options;
  const char* help;
};
constexpr RangeKey kRanges[] = {
    {"layer", &SyntheticKeys::layer, &data::SyntheticSeismic::layer, "thickness of a layer, in samples"},
    {"folds", &SyntheticKeys::folds, &data::SyntheticSeismic::folds, "how many folds"},
    {"fold_height", &SyntheticKeys::fold_height, &data::SyntheticSeismic::fold_height,
     "of a fold at the bottom, in samples; it grows with depth"},
    {"fold_width", &SyntheticKeys::fold_width, &data::SyntheticSeismic::fold_width,
     "of a fold: standard deviation of a Gaussian, in traces"},
    {"tilt", &SyntheticKeys::tilt, &data::SyntheticSeismic::tilt, "samples that the layers fall per trace"},
    {"faults", &SyntheticKeys::faults, &data::SyntheticSeismic::faults, "how many faults"},
    {"throw", &SyntheticKeys::throw_, &data::SyntheticSeismic::throw_,
     "vertical throw in the centre of a fault, in samples"},
    {"dip", &SyntheticKeys::dip, &data::SyntheticSeismic::dip,
     "of a fault, degrees from the horizontal as drawn, a trace as wide as a sample is high"},
    {"strike", &SyntheticKeys::strike, &data::SyntheticSeismic::strike,
     "of a fault, degrees; 0 is square to the inlines"},
    {"length", &SyntheticKeys::length, &data::SyntheticSeismic::length,
     "half-axis of a fault down its dip, as a share of the samples"},
    {"aspect", &SyntheticKeys::aspect, &data::SyntheticSeismic::aspect, "half-axis along the strike over that"},
    {"frequency", &SyntheticKeys::frequency, &data::SyntheticSeismic::frequency,
     "peak frequency of the Ricker wavelet, Hz"},
    {"noise", &SyntheticKeys::noise, &data::SyntheticSeismic::noise, "deviation of the noise over that of the signal"},
    {"noise_frequency", &SyntheticKeys::noise_frequency, &data::SyntheticSeismic::noise_frequency,
     "peak frequency of the noise, Hz"},
    {"noise_width", &SyntheticKeys::noise_width, &data::SyntheticSeismic::noise_width,
     "traces over which the noise is alike"},
    {"label", &SyntheticKeys::label, &data::SyntheticSeismic::label, "thickness of a fault's label, in samples"},
};
}  // namespace

SyntheticKeys::SyntheticKeys() {
  const data::SyntheticSeismic o;
  inlines = o.inlines, crosslines = o.crosslines, samples = o.samples, interval = o.interval;
  reverse = o.reverse, parallel = o.parallel, least_throw = o.least_throw;
  for (const RangeKey& r : kRanges) this->*r.keys = {(o.*r.options).low, (o.*r.options).high};
}

data::SyntheticSeismic SyntheticKeys::options(uint64_t seed) const {
  data::SyntheticSeismic o;
  o.inlines = inlines, o.crosslines = crosslines, o.samples = samples, o.interval = interval;
  o.reverse = reverse, o.parallel = parallel, o.least_throw = least_throw, o.seed = seed;
  for (const RangeKey& r : kRanges) {
    const Numbers& n = this->*r.keys;
    check(n.size() == 1 || n.size() == 2, r.name, " has ", n.size(),
          " numbers; expected two, the least and the most, or one that holds always");
    o.*r.options = {n.front(), n.back()};
  }
  data::check_options(o);
  return o;
}

void describe_synthetic(Schema& keys, SyntheticKeys& to, const std::string& prefix) {
  keys.key(prefix + "inlines", to.inlines, "1: a section; more: a cube", between(1, 4096))
      .key(prefix + "crosslines", to.crosslines, "traces of an inline", between(1, 65536))
      .key(prefix + "samples", to.samples, "of a trace", between(1, 65535))
      .key(prefix + "interval", to.interval, "between samples, microseconds", between(1, 32767));
  for (const RangeKey& r : kRanges) keys.key(prefix + r.name, to.*r.keys, r.help);
  keys.key(prefix + "reverse", to.reverse, "share of reverse faults", between(0, 1))
      .key(prefix + "parallel", to.parallel, "chance that a fault takes the direction of the one before", between(0, 1))
      .key(prefix + "least_throw", to.least_throw, "a fault is labelled where it throws at least so many samples",
           at_least(0));
}

void describe_places(Schema& keys, data::SegyOptions& places) {
  keys.section("Places in the trace headers")
      .key("il", places.il, "first byte of the inline number", between(1, 237))
      .key("xl", places.xl, "first byte of the crossline number", between(1, 237))
      .key("x", places.x, "first byte of the x coordinate", between(1, 237))
      .key("y", places.y, "first byte of the y coordinate", between(1, 237));
}

void describe_inspect(Schema& keys, SegyInspectConfig& c) {
  keys.section("Data")
      .key("data", c.data, "a SEG-Y file, or a folder of them (searched recursively)", required())
      .key("out", c.out, "folder for report.html, section.png and figures; empty: only print")
      .key("inline", c.inline_number, "the section drawn; none: the middle one")
      .key("crossline", c.crossline_number, "the section drawn, instead of an inline");
  describe_places(keys, c.places);
}

void describe_synthesize(Schema& keys, SynthesizeSeismicConfig& c) {
  keys.section("Synthetic seismic")
      .key("out", c.out, "folder to write: amplitude_*.sgy, faults_*.sgy and sheet.png", required())
      .key("volumes", c.volumes, "how many sections or cubes", between(1, 1000000))
      .key("seed", c.seed, "equal seeds give equal volumes", at_least(0))
      .choice("format", c.format, "of the samples in the files",
              {{"ieee", data::SegyFormat::float32}, {"ibm", data::SegyFormat::ibm_float32}})
      .key("sheet", c.sheet, "volumes drawn in sheet.png, bare and with their faults; 0: no sheet", between(0, 1000))
      .key("from", c.from, "a SEG-Y file: faults are cut into windows of its own sections instead of made layers")
      .section("Ranges: two numbers, or one that holds always");
  describe_synthetic(keys, c.synthetic);
  describe_places(keys, c.places);
}

}  // namespace kern::apps
