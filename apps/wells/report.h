// The report of a training or evaluation of wells.
#pragma once
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/wells/baselines.h"
#include "apps/wells/evaluation.h"
#include "data/wells_inspect.h"
#include "data/wells_split.h"
#include "training/checkpoint.h"
#include "training/run_folder.h"
#include "training/segmentation_loss.h"
#include "training/step_memory.h"

namespace kern::apps {

struct ReportInput {
  std::string title, config;
  const WellsModel* model;
  const std::vector<data::Well>* wells;
  std::string method;                                     // of a training
  std::vector<int64_t> training, unlabelled, validation;  // indices; the first two are empty in an evaluation
  const Evaluation* evaluation;                           // of `validation`, predictions kept
  std::vector<Baseline> baselines;                        // on the same wells
  std::vector<std::string> warnings;                      // a sentence each
  std::vector<training::EpochRecord> history;
  std::string loss = training::kCrossEntropy;  // that the history's training minimised
  int best_epoch = 0;
  std::vector<data::Problem> skipped;
  double seconds = 0;
  training::StepMemory foreseen = {};  // of a training step; nothing in an evaluation
  int tracks = 12;                     // wells drawn
};

// report.html, figures/ and tables in the run folder.
void write_report(const training::RunFolder& run, const ReportInput& input);

// The figures of an evaluation for --json and result.json.
void add_figures(Figures& figures, const WellsModel& model, const Evaluation& evaluation,
                 const std::vector<Baseline>& baselines);
// ", penalty score -0.812" where the model has a penalty matrix, else nothing.
std::string penalty_in_words(const WellsModel& model, const training::ConfusionMatrix& matrix);
// What speaks against the network, a sentence each: a baseline, or always the commonest class, that is right more often.
std::vector<std::string> warnings_about(const WellsModel& model, const Evaluation& evaluation,
                                        const std::vector<Baseline>& baselines, bool class_weights);

}  // namespace kern::apps
