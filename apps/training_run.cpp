#include "apps/training_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/model_card.h"
#include "apps/ranks.h"
#include "engine/communicator.h"
#include "kernels/common/log.h"
#include "training/progress.h"
#include "training/stop.h"

namespace kern::apps {
using namespace training;

RunFolder open_run(const std::string& run, const std::string& resume, const Call& call) {
  if (resume.empty()) return RunFolder::create(run);
  RunFolder folder = RunFolder::resume(resume);
  if (!folder.was_finished()) return folder;
  const auto prolongs = [](const std::string& change) {
    return change.starts_with("epochs=") || change.starts_with("time_budget=");
  };
  if (!call.changes.empty() && std::none_of(call.changes.begin(), call.changes.end(), prolongs)) {
    std::string changes;
    for (const std::string& c : call.changes) changes += (changes.empty() ? "" : ", ") + c;
    warn("the run in ", resume, " had come to its end: ", changes,
         " changes nothing of what it has learnt. Its evaluation and report are made again; to train on, give epochs= "
         "too, or begin a new run");
  } else {
    inform("the run in ", resume,
           " had come to its end: unless epochs= or time_budget= are larger now, only its evaluation and report are "
           "made again");
  }
  return folder;
}

RunFolder open_results(const std::string& run, bool overwrite) {
  std::error_code none;
  const bool evaluated = std::filesystem::exists(std::filesystem::path(run) / "result.json", none) &&
                         run_state(run) != RunState::finished;  // a training's, which create() refuses
  check(overwrite || !evaluated, run,
        " holds the results of an earlier evaluation: choose another folder with run=, or set overwrite=true");
  return RunFolder::create(run);
}

std::optional<LoopState> carry_out(const RunFolder& run, const Recipe& recipe, Training& training,
                                   const RunWords& words, Call& call) {
  training.begin = [&] { run.write("config.yaml", words.config); };
  expect_same_training(training);
  const SignalWatch signals;
  ProgressBar progress({.title = "train",
                        .unit = words.unit,
                        .epochs = recipe.epochs,
                        .time_budget = recipe.time_budget.seconds,
                        .mode = words.quiet || !communicator().root() ? ProgressMode::quiet : ProgressMode::automatic});
  LoopResult result = run_loop(run, recipe.loop_options(), training, progress);
  check(result.reason != EndReason::diverged, "the training diverged; what it had saved before is in ",
        run.path().string(), ". Lower lr, or look at the data with kern ", words.task, " inspect");
  if (!communicator().root()) {  // the first rank evaluates, reports and speaks
    if (result.reason == EndReason::signal || result.reason == EndReason::signal_in_step)
      call.exit_code = SignalWatch::exit_code();
    if (result.reason == EndReason::signal_in_step) end_ranks_in_step(call.exit_code);
    return {};
  }
  call.figures.add("ended", std::string(to_string(result.reason)));
  call.figures.add("epochs", int64_t(result.state.epoch));
  call.figures.add("run", run.path().string());
  if (result.finished()) return std::move(result.state);
  if (result.reason == EndReason::signal || result.reason == EndReason::signal_in_step)
    call.exit_code = SignalWatch::exit_code();
  if (result.reason == EndReason::signal_in_step) {
    const bool saved = std::filesystem::exists(run.file(kCheckpointFile));
    fmt::print("stopped inside a step, which did not come to an end; {}\n",
               saved ? fmt::format("go on from what was saved before it with: kern {} train resume={}", words.task,
                                   run.path().string())
                     : "nothing had been saved yet");
    end_ranks_in_step(call.exit_code);
    return {};
  }
  fmt::print("stopped ({}) and saved; go on with: kern {} train resume={}\n", to_string(result.reason), words.task,
             run.path().string());
  return {};
}

void finish_run(const RunFolder& run, const Call& call) {
  write_card(run.file(training::kBestModelFile), call.figures);
  run.write_result(call.figures.to_json());
  run.finish();
}

}  // namespace kern::apps
