#include "apps/faults/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kern::apps {

std::vector<LabelledSection> synthetic_sections(const data::SyntheticSeismic& synthetic, int64_t count) {
  const data::FaultSections source(
      {.synthetic = synthetic, .sections = count, .batch = 1, .fresh = false, .augment = false});
  std::vector<LabelledSection> sections;
  for (int64_t i = 0; i < count; ++i) {
    data::SectionBatch b = source.batch(source.epoch(0), i);
    sections.push_back({fmt::format("synthetic {}", i), b.H, b.W, std::move(b.inputs), std::move(b.labels)});
  }
  return sections;
}

FaultsJudgement judge(const FaultsModel& model, const std::vector<LabelledSection>& sections, double threshold,
                      bool flips) {
  FaultsJudgement j;
  double loss = 0;
  int64_t count = 0;
  for (const LabelledSection& s : sections) {
    std::vector<float> p =
        training::section_probability(model.module, s.inputs, s.H, s.W, {.tile = model.tile, .flips = flips});
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
    const auto& p = j.probabilities[i];
    std::vector<float> thin = data::thin_faults(p, block, data::fault_normals(p, block), float(j.point.threshold));
    for (size_t k = 0; k < thin.size(); ++k)
      if (s.labels[k] < 0) thin[k] = 0;
    j.tolerant.add(thin, s.labels, block);
    training::TolerantAgreement own(2);
    own.add(thin, s.labels, block);
    j.agreement.push_back(own.iou());
  }
  return j;
}

}  // namespace kern::apps
