// The report of a training or evaluation on seismic sections.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/faults/evaluation.h"
#include "training/checkpoint.h"
#include "training/report/svg.h"
#include "training/run_folder.h"
#include "training/step_memory.h"

namespace kern::apps {

struct FaultsReport {
  std::string title, config;
  const FaultsModel* model;
  const std::vector<LabelledSection>* sections;
  const FaultsEvaluation* evaluation;  // of them
  std::vector<training::EpochRecord> history;
  int best_epoch = 0;
  std::vector<std::string> skipped;  // what was left out, in sentences
  double seconds = 0;
  training::StepMemory foreseen = {};
  int drawn = 12;  // sections
};
void write_report(const training::RunFolder& run, const FaultsReport& input);

// Precision over recall at falling thresholds.
training::Svg precision_over_recall(const training::PrecisionRecall& curve, const std::string& name);

// Section (of a cube the inline in the middle), its faults in red, and the section under each of `probabilities`, from left to right.
// `probabilities`: as large as the section, or cube.
training::Svg panel_of(const LabelledSection& section, const std::vector<std::span<const float>>& probabilities);

void add_figures(Figures& figures, const FaultsEvaluation& evaluation);
// "average precision 0.87, best F1 ...": for a person.
std::string summary_of(const FaultsEvaluation& evaluation);

}  // namespace kern::apps
