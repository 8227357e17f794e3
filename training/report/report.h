// What the reports of all tasks share: one document, its images once more as files under figures/, and the sections
// that any training has (curves, classes, provenance). A task adds its own panels between them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "training/checkpoint.h"
#include "training/epochs_to.h"
#include "training/metrics.h"
#include "training/report/html.h"
#include "training/step_memory.h"

namespace kern::training {

class Report {
 public:
  Report(std::filesystem::path run_folder, std::string title, std::string subtitle = {});
  HtmlDocument& document() { return document_; }
  // In the document, and as figures/<name>.svg.
  void figure(std::string_view name, const Svg& image, std::string_view caption);
  void file(std::string_view name, const Svg& image, std::string_view label);
  // report.html, whole or not at all. Returns its path.
  std::filesystem::path write();

 private:
  std::filesystem::path folder_;
  HtmlDocument document_;
};

// What an epoch gave; NaN where a task has no such figure. Curves of columns that are NaN throughout are left out.
struct EpochFigures {
  int64_t epoch = 0;
  double train_loss, validation_loss, accuracy, mean_iou, macro_f1, learning_rate, seconds;
  // Any other figures, the same every epoch: drawn by their names, those that end with "_iou" beside accuracy, those
  // that begin with "loss" in a chart and the rest in another.
  std::vector<std::pair<std::string, double>> more;
  EpochFigures();
};
EpochFigures epoch_figures(const EpochRecord& epoch);  // by the names of metrics.csv
// A row of the comparison: another method, a baseline, another split.
struct MatrixRow {
  std::string name;
  ConfusionMatrix matrix;
};
// How many samples of each class a split holds.
struct SplitCounts {
  std::string name;  // "train", "validation"
  int64_t items = 0, samples = 0, labelled = 0;
  std::vector<int64_t> class_samples;  // [K]
};

// Peak memory, what was foreseen of a step where that is known, and the time.
void add_costs(std::vector<std::pair<std::string, std::string>>& facts, const StepMemory& foreseen, double seconds);
// What the two losses of a history are; of one name they share a chart.
struct LossNames {
  std::string training = "loss", validation = "loss";
};
void add_history(Report& report, const std::vector<EpochFigures>& history, int64_t best_epoch,
                 const LossNames& losses = {});
// Epochs until each aim; nothing where there are no aims.
void add_reached(Report& report, const std::vector<EpochRecord>& history, const Aims& aims);
void add_classes(Report& report, const ConfusionMatrix& validation);
void add_comparison(Report& report, const std::vector<MatrixRow>& rows);
// `item` is what a split consists of: "wells", "images".
void add_data(Report& report, const ClassList& classes, const std::vector<SplitCounts>& splits, std::string_view item);
void add_provenance(Report& report, const std::vector<std::pair<std::string, std::string>>& facts,
                    std::string_view configuration);

}  // namespace kern::training
