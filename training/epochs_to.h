// How soon a training was good enough: the first epoch whose figure in metrics.csv reached a value.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "training/checkpoint.h"
#include "training/config.h"
#include "training/csv_log.h"

namespace kern::training {

using Aims = std::vector<std::pair<std::string, double>>;  // a column of metrics.csv, and the value wanted of it

// "mean_iou >= 0.5", "val_loss <= 0.7": a loss is reached by falling, every other figure by rising.
std::string aim_in_words(const std::string& figure, double value);
bool falls(const std::string& figure);  // it is a loss

// The key `epochs_to`: a table of figures and values. `figures` are those that the task validates.
void describe_epochs_to(Schema& keys, Aims& aims, const std::string& figures);
// Error when an aim's figure is none of these.
void check_aims(const Aims& aims, const std::vector<std::string>& figures);

// Epochs from 1; nothing: no epoch reached it, or there is no such column.
std::optional<int64_t> epochs_until(const CsvTable& metrics, const std::string& figure, double value);
// Of a run's history, by the aims in words; NaN: never.
std::vector<std::pair<std::string, double>> epochs_until(const std::vector<EpochRecord>& history, const Aims& aims);
// The best value of a column; nothing: none is finite.
std::optional<double> best_of(const CsvTable& metrics, const std::string& figure);
// The history of a run as its metrics.csv has it: epoch and the figures.
CsvTable table_of(const std::vector<EpochRecord>& history);

}  // namespace kern::training
