// The training loop: epochs of steps, a validation after each, checkpoints, and every way to stop. What a step is, the
// method says (supervised, adversarial, ...): the loop knows no loss and no network.
#pragma once
#include <functional>

#include "training/checkpoint.h"
#include "training/ema.h"
#include "training/optimiser.h"
#include "training/progress.h"
#include "training/run_folder.h"
#include "training/schedule.h"
#include "training/step_figures.h"
#include "training/step_loss.h"

namespace kern::training {

enum class Logger { csv, tensorboard };
enum class Histograms { none, weights, gradients };

struct LoopOptions {
  int epochs = 20;
  int patience = 0;              // epochs without improvement before the training ends; 0: never
  double time_budget = 0;        // seconds over all resumptions; 0: none
  double checkpoint_every = 60;  // seconds between checkpoints inside an epoch; one follows every epoch anyway
  // tensorboard: event files beside metrics.csv, in the run folder's tensorboard/ (training/tensorboard_log.h).
  Logger logger = Logger::csv;
  Histograms histograms = Histograms::none;  // in them, after every epoch; gradients: of its last update too
  bool images = true;                        // in them: the panels that the app draws
  int64_t stop_after_steps = 0;              // for tests: leave, without saving, as a killed process would; 0: never
};

struct StepResult {
  StepLoss loss = 0;    // a number, or what a GPU will have computed (training/step_loss.h)
  int64_t samples = 0;  // what speed is counted in
  StepFigures figures;  // columns of metrics.csv after the validation's, the same every step
};
struct Validation {
  double score = 0;                                     // the larger the better: decides which epoch is the best
  double loss = 0;                                      // for the plateau schedule
  std::vector<std::pair<std::string, double>> figures;  // columns of metrics.csv, the same every epoch
};

// Everything a training consists of. Names become prefixes in the checkpoint.
struct Training {
  std::vector<std::pair<std::string, AnyModule>> models;
  std::vector<std::pair<std::string, Optimiser*>> optimisers;  // all follow the schedule, each from its own lr
  // Averages of the parameters of optimisers above: they follow every step, and are what validates and is saved as a
  // model; training goes on from the parameters themselves.
  std::vector<std::pair<std::string, Ema*>> averages;
  Schedule* schedule = nullptr;
  std::function<void()> begin;  // may be empty; once, when the checkpoint was accepted
  int64_t steps_in_epoch = 0;
  int64_t samples_in_epoch = 0;                               // for the progress bar
  std::function<void(int epoch, int64_t index)> begin_epoch;  // the data source starts there
  std::function<StepResult(int epoch, int64_t index)> step;   // one update; the data come in this order
  std::function<Validation(int epoch)> validate;
  std::function<void(const std::filesystem::path&)> save_model;  // in the form predict reads
  Metadata identity;                                             // a checkpoint of another identity is refused
};

enum class EndReason { epochs, patience, time_budget, stop_file, signal, signal_in_step, killed_for_test, diverged };
std::string_view to_string(EndReason reason);

struct LoopResult {
  LoopState state;
  EndReason reason = EndReason::epochs;
  bool finished() const {
    return reason == EndReason::epochs || reason == EndReason::patience || reason == EndReason::time_budget;
  }
};

inline constexpr const char* kTensorBoardFolder = "tensorboard";
// Where an app draws what it shows of an epoch, counted from 1, in the run folder.
std::string panel_file(int epoch);
inline constexpr const char* kCheckpointFile = "checkpoint.safetensors";
inline constexpr const char* kBestModelFile = "model.safetensors";
inline constexpr const char* kLastModelFile = "model_last.safetensors";

// Runs from the folder's checkpoint if it was resumed, else from the start. On return the folder holds metrics.csv,
// timing.csv (the seconds, which no two runs share), the best and the last model and a checkpoint. A loss that is not
// finite ends the training with a sentence; what was saved stays. A late loss is read one step later, and at the latest
// before anything is validated or saved, so that the host runs a step ahead of the GPU and nothing else differs.
LoopResult run_loop(const RunFolder& run, const LoopOptions& options, Training& training, ProgressBar& progress);

}  // namespace kern::training
