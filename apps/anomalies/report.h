// The report of a training or evaluation of an anomaly detector.
#pragma once
#include <string>
#include <vector>

#include "apps/anomalies/evaluation.h"
#include "training/checkpoint.h"
#include "training/run_folder.h"

namespace kern::apps {

struct AnomaliesReport {
  std::string title, config;
  const AnomaliesModel* model;
  const AnomaliesSource* source;
  const AnomaliesEvaluation* evaluation;            // what the figures are over
  const AnomaliesEvaluation* validation = nullptr;  // what the thresholds were found on, if it is there
  std::string evaluated = "test";                   // in words
  int64_t training = 0;                             // images
  std::vector<std::string> warnings;                // of the threshold, a sentence each
  std::vector<std::string> suspects;                // likely anomalies among the good ones
  double level = 0.91;
  std::vector<training::EpochRecord> history;
  int best_epoch = 0;
  double seconds = 0;
  int images = 12;
};
void write_report(const training::RunFolder& run, const AnomaliesReport& input);

// A row an image: what the model sees, its reconstruction (of auto-encoders) and its error map. `hot` is drawn red.
std::string panel_png(const AnomaliesModel& model, const AnomaliesSource& source, std::span<const int64_t> which,
                      double hot);
std::string anomalies_panel_name(int epoch);  // panels/epoch_0003.png

}  // namespace kern::apps
