#include "apps/faults/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/section_gaps.h"
#include "training/shared_scores.h"
#include "training/volume_inference.h"

namespace kern::apps {

std::vector<float> section_faults(const FaultsModel& model, std::vector<float> section, int64_t traces, int64_t samples,
                                  const FaultPasses& passes) {
  check(model.takes_single_sections(), "model ", model.architecture, " takes ",
        model.dimensions == 2 ? "neighbouring lines" : "cubes",
        ", not single sections: use one that takes sections (the one that comes with Kern for them, or of 'kern faults "
        "train model=unet')");
  return section_faults(model, std::span(&section, 1), traces, samples, passes);
}

std::vector<float> section_faults(const FaultsModel& model, std::span<std::vector<float>> lines, int64_t traces,
                                  int64_t samples, const FaultPasses& passes) {
  std::vector<bool> live;  // of the middle line
  for (size_t k = 0; k < lines.size(); ++k) {
    std::vector<bool> of_line = data::mirror_gaps(lines[k], samples);
    if (k == lines.size() / 2) live = std::move(of_line);
  }
  std::vector<float> p(size_t(traces * samples), 0.0f);
  if (std::find(live.begin(), live.end(), true) == live.end()) return p;
  const std::vector<float>& middle = lines[lines.size() / 2];
  std::vector<float> channels;
  if (lines.size() > 1) {
    channels.resize(lines.size() * middle.size());
    for (size_t i = 0; i < middle.size(); ++i)
      for (size_t k = 0; k < lines.size(); ++k) channels[i * lines.size() + k] = lines[k][i];
  }
  p = training::section_probability(model.module, lines.size() > 1 ? channels : middle, traces, samples,
                                    {.tile = model.tile, .flips = passes.flips, .scales = passes.scales});
  data::clear_mutes(middle, samples, p);
  for (int64_t t = 0; t < traces; ++t)
    if (!live[size_t(t)]) std::fill_n(p.begin() + t * samples, samples, 0.0f);
  return p;
}

std::vector<int64_t> lines_beside(const FaultsModel& model, int64_t line, int64_t count) {
  std::vector<int64_t> lines;
  for (int64_t k = line - model.lines / 2; k <= line + model.lines / 2; ++k)
    lines.push_back(std::clamp<int64_t>(k, 0, count - 1));
  return lines;
}

std::vector<float> cube_faults(const FaultsModel& model, std::vector<float> cube, const data::Block& block,
                               const FaultPasses& passes) {
  const int64_t line = block.crosslines * block.samples;
  std::vector<float> p;
  if (model.dimensions == 2) {
    for (int64_t i = 0; i < block.inlines; ++i) {
      std::vector<std::vector<float>> lines;
      for (const int64_t k : lines_beside(model, i, block.inlines))
        lines.emplace_back(cube.begin() + k * line, cube.begin() + (k + 1) * line);
      const std::vector<float> of_line = section_faults(model, lines, block.crosslines, block.samples, passes);
      p.insert(p.end(), of_line.begin(), of_line.end());
    }
    return p;
  }
  std::vector<bool> live;
  for (int64_t i = 0; i < block.inlines; ++i) {
    const std::vector<bool> of_line =
        data::mirror_gaps(std::span(cube).subspan(size_t(i * line), size_t(line)), block.samples);
    live.insert(live.end(), of_line.begin(), of_line.end());
  }
  p = training::cube_probability(model.module, cube, block, {.flips = passes.flips});
  for (int64_t i = 0; i < block.inlines; ++i)
    data::clear_mutes(std::span(cube).subspan(size_t(i * line), size_t(line)), block.samples,
                      std::span(p).subspan(size_t(i * line), size_t(line)));
  for (size_t t = 0; t < live.size(); ++t)
    if (!live[t]) std::fill_n(p.begin() + int64_t(t) * block.samples, block.samples, 0.0f);
  return p;
}

namespace {
std::vector<float> thinned(std::span<const float> p, const data::Block& block, double threshold) {
  return data::thin_faults(p, block, data::fault_normals(p, block), float(threshold));
}

// What a found fault is compared with.
std::vector<int32_t> lines_of(const LabelledSection& s) {
  if (!s.broad) return s.labels;
  std::vector<float> faults(s.labels.size());
  for (size_t i = 0; i < faults.size(); ++i) faults[i] = s.labels[i] > 0 ? 1.0f : 0.0f;
  faults = thinned(faults, s.size, 0.5);
  std::vector<int32_t> lines = s.labels;
  for (size_t i = 0; i < lines.size(); ++i)
    if (lines[i] > 0) lines[i] = faults[i] > 0;
  return lines;
}
}  // namespace

std::vector<LabelledSection> synthetic_sections(data::SectionOptions options, int64_t count) {
  options.sections = count, options.batch = 1, options.fresh = false, options.augment = false;
  const data::FaultSections source(options);
  std::vector<LabelledSection> sections;
  for (int64_t i = 0; i < count; ++i) {
    data::SectionBatch b = source.batch(source.epoch(0), i);
    sections.push_back({fmt::format("synthetic {}", i), {1, b.H, b.W}, std::move(b.inputs), std::move(b.labels)});
  }
  return sections;
}

constexpr int64_t kLeastCrop = 8;

int64_t crop_of(const FaultsTrainConfig& c, const models::SectionModel& network) {
  check(c.crop == 0 || c.crop >= kLeastCrop, "crop=", c.crop, " is too small to see a fault in: give at least ",
        kLeastCrop, ", or 0 for the network's own");
  return c.crop > 0 ? c.crop : network.dimensions == 3 ? 64 : 96;
}

data::CubeOptions cube_options(const FaultsTrainConfig& c, const models::SectionModel& network, uint64_t seed,
                               std::shared_ptr<const data::SectionWindows> windows, data::SectionWindows::Part part) {
  const bool cubes = network.dimensions == 3;
  const int64_t crop = crop_of(c, network);
  return {.synthetic = c.synthetic.options(seed),
          .windows = std::move(windows),
          .part = part,
          .crop = {crop, crop, crop},
          .lines = cubes ? 0 : network.lines,
          .uses = c.uses,
          .cubes = c.sections,
          .batch = c.recipe.batch,
          .fresh = c.fresh,
          .augment = c.augment};
}

namespace {
// Of neighbouring lines only the middle one has labels.
LabelledSection labelled_piece(data::CubeBatch b, std::string name) {
  const int64_t lines = int64_t(b.inputs.size() / b.labels.size());
  LabelledSection s{std::move(name), {b.D * lines, b.H, b.W}, {}, {}};
  if (lines == 1) {
    s.inputs = std::move(b.inputs), s.labels = std::move(b.labels);
    return s;
  }
  s.labels.assign(b.inputs.size(), -1);
  std::copy(b.labels.begin(), b.labels.end(), s.labels.begin() + s.size.index(lines / 2, 0, 0));
  for (int64_t k = 0; k < lines; ++k)
    for (int64_t i = 0; i < b.H * b.W; ++i) s.inputs.push_back(b.inputs[size_t(i * lines + k)]);
  return s;
}
}  // namespace

std::vector<LabelledSection> first_pieces(data::CubeOptions options, int64_t count) {
  constexpr int64_t kUses = 4;  // more variety than in training
  options.uses = std::min(options.uses, kUses), options.cubes = count, options.batch = 1;
  options.fresh = options.augment = false;
  const data::FaultCubes source(options);
  std::vector<LabelledSection> pieces;
  const char* whence = options.own.survey ? "survey" : "synthetic";
  for (int64_t i = 0; i < count; ++i)
    pieces.push_back(labelled_piece(source.batch(source.epoch(0), i), fmt::format("{} {}", whence, i)));
  return pieces;
}

std::vector<LabelledSection> survey_sections(const FaultsTrainConfig& c, const models::SectionModel& network,
                                             std::shared_ptr<const data::SurveyPieces> survey) {
  constexpr auto kPart = data::SurveyPieces::Part::validation;
  if (!survey || survey->lines(kPart) == 0) return {};
  data::CubeOptions options = cube_options(c, network, uint64_t(c.validation_seed), nullptr, {});
  options.own = {.survey = std::move(survey), .part = kPart, .share = 1};
  std::vector<LabelledSection> pieces = first_pieces(options, c.validation_sections);
  for (LabelledSection& s : pieces) s.broad = true;  // an interpreter's lines are as thick as he draws them
  return pieces;
}

std::vector<LabelledSection> validation_sections(const FaultsTrainConfig& c, const models::SectionModel& network,
                                                 std::shared_ptr<const data::SectionWindows> windows) {
  constexpr auto kPart = data::SectionWindows::Part::validation;
  const auto seed = uint64_t(c.validation_seed);
  if (c.synthetic.inlines == 1)
    return synthetic_sections({.synthetic = c.synthetic.options(seed), .windows = std::move(windows), .part = kPart},
                              c.validation_sections);
  return first_pieces(cube_options(c, network, seed, std::move(windows), kPart), c.validation_sections);
}

namespace {
double cross_entropy_sum(std::span<const float> p, const std::vector<int32_t>& labels) {
  double loss = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (labels[i] < 0) continue;
    const double right = labels[i] > 0 ? double(p[i]) : 1 - double(p[i]);
    loss -= std::log(std::max(right, 1e-7));
  }
  return loss;
}

// Of one section, thinned at the threshold.
training::TolerantAgreement agreement_of(const LabelledSection& s, std::span<const float> p, double threshold) {
  std::vector<float> thin = thinned(p, s.size, threshold);
  const std::vector<int32_t> lines = lines_of(s);
  for (size_t k = 0; k < thin.size(); ++k)
    if (lines[k] < 0) thin[k] = 0;
  training::TolerantAgreement own(2);
  own.add(thin, lines, s.size);
  return own;
}
}  // namespace

FaultsEvaluation evaluate(const FaultsModel& model, const std::vector<LabelledSection>& sections, double threshold,
                          const FaultPasses& passes) {
  FaultsEvaluation j;
  double loss = 0;
  const auto n = int64_t(sections.size());
  training::score_together(
      n,
      [&](int64_t i) {
        const LabelledSection& s = sections[size_t(i)];
        const std::vector<float> p = cube_faults(model, s.inputs, s.size, passes);
        return training::Parcel::of(cross_entropy_sum(p, s.labels), p);
      },
      [&](int64_t i, training::Parcel found) {
        loss += found.one<double>();
        std::vector<float> p = found.many<float>();
        j.curve.add(p, sections[size_t(i)].labels);
        j.probabilities.push_back(std::move(p));
      });
  j.loss = j.curve.count() > 0 ? loss / double(j.curve.count()) : std::nan("");
  j.point = threshold < 0 ? j.curve.best_f1() : j.curve.at(threshold);
  training::score_together(
      n,
      [&](int64_t i) {
        return training::Parcel::of(
            agreement_of(sections[size_t(i)], j.probabilities[size_t(i)], j.point.threshold).counts());
      },
      [&](int64_t, training::Parcel found) {
        training::TolerantAgreement own(2);
        own.add_counts(found.many<int64_t>());
        j.tolerant.merge(own);
        j.agreement.push_back(own.iou());
        j.sections.push_back(std::move(own));
      });
  return j;
}

}  // namespace kern::apps
