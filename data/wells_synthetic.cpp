#include "data/wells_synthetic.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/atomic_file.h"
#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr double kRange = 150;  // gAPI at 1.0
constexpr int kMinFacies = 6, kMaxFacies = 14, kMinLength = 8, kMaxLength = 110;
constexpr double kUsualSamples = 1100;

struct Facies {
  int shape;  // 1..4
  int64_t start, length;
  double low;    // of the range, at the deepest point
  double curve;  // exponent of a gradual side: 1 is straight
};

// How far towards its low point the gamma ray is at t in (0, 1) of a facies.
double depth_of(const Facies& f, double t) {
  switch (f.shape) {
    case 1:
      return std::pow(1 - std::abs(2 * t - 1), f.curve);
    case 2:
      return 1;
    case 3:
      return std::pow(1 - t, f.curve);
    default:
      return std::pow(t, f.curve);
  }
}

std::vector<Facies> place_facies(RandomSequence& random, int64_t samples) {
  const double scale = double(samples) / kUsualSamples;
  const auto count = std::max<int64_t>(1, int64_t(std::lround(random.between(kMinFacies, kMaxFacies) * scale)));
  const double longest = std::min<double>(kMaxLength, double(samples) / 2);
  std::vector<Facies> facies;
  int64_t covered = 0;
  for (int64_t k = 0; k < count; ++k) {
    Facies f;
    f.shape = random.between(1, 4);
    // The exponent makes short facies the more frequent ones and sets the share of class 0.
    f.length = kMinLength + int64_t((longest - kMinLength + 1) * std::pow(random.uniform(0, 1), 1.31));
    f.low = random.uniform(0.15, 0.4);
    f.curve = random.uniform(0.8, 1.2);
    f.start = 0;
    if (covered + f.length > samples * 85 / 100) break;
    covered += f.length;
    facies.push_back(f);
  }
  // What is left is shared out between the facies: one gap before each and one at the end. Some facies touch.
  std::vector<double> until;
  double total = 0;
  for (size_t k = 0; k <= facies.size(); ++k) {
    const bool touches = k > 0 && k < facies.size() && random.uniform() < 0.15f;
    if (!touches) total += 0.15 - std::log(1 - random.uniform(0, 1));  // 0.15: gaps of a sample or two are rare
    until.push_back(total);
  }
  int64_t before = 0;
  for (size_t k = 0; k < facies.size(); ++k) {
    facies[k].start = before + int64_t(double(samples - covered) * until[k] / total);
    before += facies[k].length;
  }
  return facies;
}

std::string padded(int64_t index) {
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, "%05lld", static_cast<long long>(index));
  return buffer;
}

template <class... Values>
void append(std::string& out, const char* format, Values... values) {
  char buffer[128];
  out.append(buffer, size_t(std::snprintf(buffer, sizeof buffer, format, values...)));
}

}  // namespace

void check_options(const SyntheticWells& o) {
  check(o.wells >= 1 && o.wells <= 1'000'000, "wells synthesize: wells=", o.wells, " is not in 1 .. 1000000");
  check(o.samples >= 64 && o.samples <= 1'000'000, "wells synthesize: samples=", o.samples, " is not in 64 .. 1000000");
  check(o.step > 0 && o.step <= 1000, "wells synthesize: step=", o.step,
        " is not a distance in metres above 0 and up to 1000");
  check(o.labelled_fraction >= 0 && o.labelled_fraction <= 1,
        "wells synthesize: labelled_fraction=", o.labelled_fraction, " is not in 0 .. 1");
}

Well synthetic_well(const SyntheticWells& o, int64_t index) {
  check_options(o);
  check(index >= 0 && index < o.wells, "wells synthesize: there is no well ", index, " among ", o.wells);
  RandomSequence random(o.seed, RandomStream::synthesize, uint32_t(index));
  const std::vector<Facies> facies = place_facies(random, o.samples);

  struct Wave {
    double height, length, phase;
  };
  Wave drift[3];
  for (Wave& w : drift) w = {random.uniform(0.01, 0.025), random.uniform(250, 1500), random.uniform(0, 2 * M_PI)};
  const double level = random.uniform(0.62, 0.68), noise = random.uniform(0.04, 0.05);
  std::vector<double> gamma(size_t(o.samples), level);
  for (int64_t i = 0; i < o.samples; ++i)
    for (const Wave& w : drift) gamma[size_t(i)] += w.height * std::sin(2 * M_PI * double(i) / w.length + w.phase);

  std::vector<int> labels(size_t(o.samples), 0);
  for (const Facies& f : facies)
    for (int64_t i = 0; i < f.length; ++i) {
      double& g = gamma[size_t(f.start + i)];
      g += (f.low - g) * depth_of(f, (double(i) + 0.5) / double(f.length));
      labels[size_t(f.start + i)] = f.shape;
    }

  const std::string id = text("synthetic ", padded(index));
  Well well{.id = id, .name = id, .source = "synthetic", .depth_unit = "m", .step = o.step};
  Curve gr{.name = "GR", .unit = "gAPI"};
  for (int64_t i = 0; i < o.samples; ++i) {
    well.depth.push_back(1000 + double(i) * o.step);
    const double value = kRange * std::max(0.0, random.normal(gamma[size_t(i)], noise));
    gr.values.push_back(float(std::round(value * 100) / 100));
  }
  well.curves.push_back(std::move(gr));
  // Every time index * fraction passes a whole number: exactly the fraction asked for, whatever the count.
  const double f = o.labelled_fraction;
  if (std::ceil(double(index + 1) * f - 1e-9) > std::ceil(double(index) * f - 1e-9)) well.labels = std::move(labels);
  return well;
}

std::vector<Well> synthetic_wells(const SyntheticWells& o) {
  check_options(o);
  std::vector<Well> wells;
  for (int64_t i = 0; i < o.wells; ++i) wells.push_back(synthetic_well(o, i));
  return wells;
}

void write_synthetic_las(const std::filesystem::path& folder, const SyntheticWells& o) {
  check_options(o);
  make_folder(folder);
  for (int64_t w = 0; w < o.wells; ++w) {
    const Well well = synthetic_well(o, w);
    const bool labelled = !well.labels.empty();
    std::string out =
        "~Version\nVERS. 2.0 : CWLS LOG ASCII STANDARD - VERSION 2.0\nWRAP. NO : ONE LINE PER DEPTH STEP\n~Well\n";
    append(out, "STRT.m %.4f : START DEPTH\n", well.depth.front());
    append(out, "STOP.m %.4f : STOP DEPTH\n", well.depth.back());
    append(out, "STEP.m %.4f : STEP\n", well.step);
    append(out, "NULL. -999.25 : NULL VALUE\nWELL. %s : WELL\n", well.name.c_str());
    out += "~Curve\nDEPT.m : DEPTH\nGR.gAPI : GAMMA RAY\n";
    if (labelled) out += "FACIES. : 0 background, 1 bell, 2 cylinder, 3 sharp fall, 4 sharp rise\n";
    out += "~ASCII\n";
    for (size_t i = 0; i < well.depth.size(); ++i) {
      append(out, "%.4f %.2f", well.depth[i], double(well.curves[0].values[i]));
      if (labelled) append(out, " %d", well.labels[i]);
      out += '\n';
    }
    write_file(folder / text("synthetic_", padded(w), ".las"), out);
  }
}

void write_synthetic_csv(const std::filesystem::path& path, const SyntheticWells& o) {
  check_options(o);
  AtomicFile file(path);
  file.write("well_id,row_id,GR,label\n");
  for (int64_t w = 0; w < o.wells; ++w) {
    const Well well = synthetic_well(o, w);
    std::string rows;
    for (size_t i = 0; i < well.depth.size(); ++i) {
      append(rows, "%lld,%zu,%.2f,", static_cast<long long>(w), i, double(well.curves[0].values[i]));
      if (!well.labels.empty()) append(rows, "%d", well.labels[i]);
      rows += '\n';
    }
    file.write(rows);
  }
  file.commit();
}

}  // namespace kern::data
