// report.html of a segmentation of well logs: what was trained on what, how well it went, and the wells themselves.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "training/intervals.h"
#include "training/report/log_tracks.h"
#include "training/report/report.h"

namespace kern::training {

struct WellFigure {
  std::string id;
  int64_t samples = 0, labelled = 0;
  double accuracy = 0, mean_iou = 0;  // NaN without labels
};

struct SegmentationReport {
  std::string title, subtitle;
  std::string configuration;                               // the effective config.yaml
  std::vector<std::pair<std::string, std::string>> facts;  // device, versions, kernel rows chosen, seeds, hashes
  std::vector<std::string> remarks;  // what a reader must not overlook (files skipped, data warnings)
  std::vector<SplitCounts> splits;   // data summary
  std::vector<EpochFigures> history;
  LossNames losses;
  int64_t best_epoch = 0;      // 0: none
  ConfusionMatrix validation;  // carries the classes
  std::string validation_name = "this model, validation";
  MatrixIntervals intervals;                              // of its figures, over wells
  std::vector<MatrixRow> comparison;                      // baselines, test split; further rows of the table
  std::vector<WellFigure> wells;                          // every validation well
  std::vector<std::pair<std::string, WellTrack>> tracks;  // why it is shown ("worst 1", "median"), the well
};

// Which wells to show: the worst first, then those round the median, then the best, none twice; wells without accuracy
// (NaN) come last, and only when fewer wells than asked for have one. Indices into `accuracy`, each with its reason.
std::vector<std::pair<size_t, std::string>> choose_wells(std::span<const double> accuracy, size_t worst = 6,
                                                         size_t median = 2, size_t best = 2);

// Writes report.html and figures/*.svg (and confusion.csv, per_class.csv) into the folder; returns the report's path.
std::filesystem::path write_segmentation_report(const std::filesystem::path& run_folder,
                                                const SegmentationReport& content);

}  // namespace kern::training
