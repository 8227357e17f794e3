// A model on sections whose faults are known.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "apps/faults/config.h"
#include "apps/faults/faults_model.h"
#include "data/fault_cubes.h"
#include "data/fault_sections.h"
#include "training/fault_metrics.h"
#include "training/section_inference.h"

namespace kern::apps {

// The probability of a fault at every sample of a section [traces, samples] in the model's scale, the mean of all passes;
// traces without a signal and mutes have none. Error for a network for cubes.
std::vector<float> section_faults(const FaultsModel& model, std::vector<float> section, int64_t traces, int64_t samples,
                                  const FaultPasses& passes);
// The same of the middle one of model.lines neighbouring lines.
std::vector<float> section_faults(const FaultsModel& model, std::span<std::vector<float>> lines, int64_t traces,
                                  int64_t samples, const FaultPasses& passes);
// Which lines those are for a line of so many, by index: beyond the last one it stands again.
std::vector<int64_t> lines_beside(const FaultsModel& model, int64_t line, int64_t count);
// The same of a cube: by a network for cubes all at once (at its own size), by one for sections inline after inline.
std::vector<float> cube_faults(const FaultsModel& model, std::vector<float> cube, const data::Block& block,
                               const FaultPasses& passes);

// A labelled section or cube, as networks see it.
struct LabelledSection {
  std::string name;
  data::Block size;             // a section has one inline
  std::vector<float> inputs;    // scaled
  std::vector<int32_t> labels;  // 1 on a fault, 0, or -1 for what takes no part
  bool broad = false;           // labels are thinned before they are compared within two samples
};
// The inline in the middle of a cube, or the section itself, of an array as large as it.
template <class T>
std::span<const T> middle_of(const LabelledSection& s, const std::vector<T>& values) {
  return std::span(values).subspan(size_t(s.size.index(s.size.inlines / 2, 0, 0)),
                                   size_t(s.size.crosslines * s.size.samples));
}

struct FaultsEvaluation {
  double loss = 0;                                    // mean binary cross entropy
  training::PrecisionRecall curve;                    // sample by sample
  training::PrecisionRecall::Point point{};           // at the threshold
  training::TolerantAgreement tolerant{2};            // thinned at the threshold, against the labels
  std::vector<training::TolerantAgreement> sections;  // that of each
  std::vector<double> agreement;                      // its Tol-IoU@2
  std::vector<std::vector<float>> probabilities;      // of each
};
// threshold < 0: that of the best F1 of these very sections. Ranks share the sections, and all get the same bits.
FaultsEvaluation evaluate(const FaultsModel& model, const std::vector<LabelledSection>& sections, double threshold = -1,
                          const FaultPasses& passes = {});

int64_t crop_of(const FaultsTrainConfig& config, const models::SectionModel& network);  // side of a piece
// Pieces of made cubes as a network takes them: cubes, sections, or neighbouring lines.
data::CubeOptions cube_options(const FaultsTrainConfig& config, const models::SectionModel& network, uint64_t seed,
                               std::shared_ptr<const data::SectionWindows> windows, data::SectionWindows::Part part);

// The first `count` sections of a generator: of its first epoch, as they are made.
std::vector<LabelledSection> synthetic_sections(data::SectionOptions options, int64_t count);

// The first `count` pieces that the options make or cut, as they are: one to a batch, without changes.
std::vector<LabelledSection> first_pieces(data::CubeOptions options, int64_t count);

// Those that validate a training of a network, cut from `windows` where it has from=.
std::vector<LabelledSection> validation_sections(const FaultsTrainConfig& config, const models::SectionModel& network,
                                                 std::shared_ptr<const data::SectionWindows> windows);
// Pieces of the interpreted lines of a survey that validate, as they are; none where no line does.
std::vector<LabelledSection> survey_sections(const FaultsTrainConfig& config, const models::SectionModel& network,
                                             std::shared_ptr<const data::SurveyPieces> survey);

}  // namespace kern::apps
