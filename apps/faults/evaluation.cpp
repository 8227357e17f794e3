#include "apps/faults/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/section_gaps.h"

namespace kern::apps {

std::vector<float> section_faults(const FaultsModel& model, std::vector<float> section, int64_t traces, int64_t samples,
                                  bool flips) {
  const std::vector<bool> live = data::mirror_gaps(section, samples);
  std::vector<float> p =
      training::section_probability(model.module, section, traces, samples, {.tile = model.tile, .flips = flips});
  data::clear_mutes(section, samples, p);
  for (int64_t t = 0; t < traces; ++t)
    if (!live[size_t(t)]) std::fill_n(p.begin() + t * samples, samples, 0.0f);
  return p;
}

namespace {
std::vector<float> thinned(std::span<const float> p, const data::Block& block, double threshold) {
  return data::thin_faults(p, block, data::fault_normals(p, block), float(threshold));
}

// What a found fault is compared with.
std::vector<int32_t> lines_of(const LabelledSection& s, const data::Block& block) {
  if (!s.broad) return s.labels;
  std::vector<float> faults(s.labels.size());
  for (size_t i = 0; i < faults.size(); ++i) faults[i] = s.labels[i] > 0 ? 1.0f : 0.0f;
  faults = thinned(faults, block, 0.5);
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
    sections.push_back({fmt::format("synthetic {}", i), b.H, b.W, std::move(b.inputs), std::move(b.labels)});
  }
  return sections;
}

std::vector<LabelledSection> validation_sections(const FaultsTrainConfig& c,
                                                 std::shared_ptr<const data::SectionWindows> windows) {
  return synthetic_sections({.synthetic = c.synthetic.options(uint64_t(c.validation_seed)),
                             .windows = std::move(windows),
                             .part = data::SectionWindows::Part::validation},
                            c.validation_sections);
}

FaultsEvaluation evaluate(const FaultsModel& model, const std::vector<LabelledSection>& sections, double threshold,
                          bool flips) {
  FaultsEvaluation j;
  double loss = 0;
  int64_t count = 0;
  for (const LabelledSection& s : sections) {
    std::vector<float> p = section_faults(model, s.inputs, s.H, s.W, flips);
    j.curve.add(p, s.labels);
    for (size_t i = 0; i < p.size(); ++i) {
      if (s.labels[i] < 0) continue;
      const double right = s.labels[i] > 0 ? double(p[i]) : 1 - double(p[i]);
      loss -= std::log(std::max(right, 1e-7));
      ++count;
    }
    j.probabilities.push_back(std::move(p));
  }
  j.loss = count > 0 ? loss / double(count) : std::nan("");
  j.point = threshold < 0 ? j.curve.best_f1() : j.curve.at(threshold);
  for (size_t i = 0; i < sections.size(); ++i) {
    const LabelledSection& s = sections[i];
    const data::Block block{1, s.H, s.W};
    std::vector<float> thin = thinned(j.probabilities[i], block, j.point.threshold);
    const std::vector<int32_t> lines = lines_of(s, block);
    for (size_t k = 0; k < thin.size(); ++k)
      if (lines[k] < 0) thin[k] = 0;
    training::TolerantAgreement own(2);
    own.add(thin, lines, block);
    j.tolerant.merge(own);
    j.agreement.push_back(own.iou());
    j.sections.push_back(std::move(own));
  }
  return j;
}

}  // namespace kern::apps
