// A checkpoint: everything a resumed training must find again to go on bit for bit: the tensors of models and
// optimisers, and the loop's state, in one file that appears whole or not at all.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/model_file.h"

namespace kern::training {

struct EpochRecord {
  int epoch = 0;  // from 1
  double train_loss = 0, lr = 0, seconds = 0;
  std::vector<std::pair<std::string, double>> figures;  // of the validation, in the order it gave them; of the steps
};

// A named figure of an epoch's steps so far: its mean is sum / weight.
struct FigureSum {
  std::string name;
  double sum = 0, weight = 0;
};

struct LoopState {
  int epoch = 0;        // of the step to come, from 0
  int64_t index = 0;    // of the step to come, within its epoch
  int64_t step = 0;     // updates so far
  double loss_sum = 0;  // of this epoch's steps so far
  int64_t loss_count = 0;
  std::vector<FigureSum> figures;  // of this epoch's steps so far
  std::optional<double> best;      // score of the best epoch
  int best_epoch = 0;              // from 1; 0: none yet
  double seconds = 0;              // spent in training, over all resumptions
  std::vector<double> schedule;
  std::vector<EpochRecord> history;  // not in the file: the run's tables hold it (training/loop.cpp)
};

std::string to_json(const LoopState& state);
LoopState loop_state_from_json(const std::string& json, const std::string& shown_name);  // Error when it is not one

void save_checkpoint(const std::filesystem::path& path, const std::vector<FileTensor>& tensors, const LoopState& state,
                     const Metadata& metadata);
struct Checkpoint {
  TensorFile file;
  LoopState state;
};
Checkpoint load_checkpoint(const std::filesystem::path& path);

}  // namespace kern::training
