// What every `train` verb does around its own steps: the run folder with its configuration, the loop with progress bar
// and signals, what is said at the end. In the order of a run:
//
//   RunFolder run = open_run(c.run, c.resume, call);
//   const std::string config = begin_run(run, c, describe_…_train, call);
//   …  data, model, NetworkTraining (training/network_training.h), Training …
//   const std::optional<LoopState> end = carry_out(run, c.recipe, t, {.task = "images", .unit = "images", …}, call);
//   if (!end) return;
//   …  the best model evaluated, figures, report …
//   finish_run(run, call);
#pragma once
#include <optional>
#include <string>

#include "apps/command.h"
#include "engine/communicator.h"
#include "training/loop.h"
#include "training/recipe.h"
#include "training/run_folder.h"

namespace kern::apps {

// A new run in the folder `run`, or, where `resume` is not empty, the one that stands there. The command line has read
// that one's configuration already (apps/command.h); what it says besides wins, and is warned of where it comes too
// late.
training::RunFolder open_run(const std::string& run, const std::string& resume, const Call& call);

// The folder of an evaluation. Error where an earlier one stands, but for `overwrite`.
training::RunFolder open_results(const std::string& run, bool overwrite);

// The computing begins: the machine is set as configured, and a new run has its configuration in config.yaml, so that
// it can be resumed from here on. Returns that text.
template <class Config>
std::string begin_run(const training::RunFolder& run, const Config& config,
                      void (*describe)(training::Schema&, Config&), const Call& call) {
  config.machine.apply();
  if (communicator().root()) config.machine.keep_choices(run.path(), run.resumed());
  std::string text = configuration_of(describe, config, run.path().string(), call);
  if (!run.resumed()) run.write("config.yaml", text);
  return text;
}

struct RunWords {
  std::string task;    // "images"
  std::string unit;    // what speed is counted in: "images"
  std::string config;  // of begin_run()
  bool quiet = false;
};
// The loop, to its end or until it is stopped; the figures get `ended`, `epochs` and `run`. Nothing: it was stopped and
// can be resumed, which is said; or this is not the first of several ranks, whose affair all that follows is. Error: it
// diverged. A resumed run's config.yaml is replaced once its checkpoint fits.
std::optional<training::LoopState> carry_out(const training::RunFolder& run, const training::Recipe& recipe,
                                             training::Training& training, const RunWords& words, Call& call);

// Writes the figures as result.json and into the model file (apps/model_card.h), and calls the run finished.
void finish_run(const training::RunFolder& run, const Call& call);

}  // namespace kern::apps
