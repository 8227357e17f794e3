#include "apps/demo.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "apps/wells/wells.h"
#include "kernels/common/error.h"
#include "training/shipped_models.h"

namespace kern::apps {

using training::at_least;

void describe_demo(training::Schema& keys, DemoConfig& c) {
  keys.section("Demonstration")
      .key("out", c.out, "new folder for the wells, the run with its report, and the predictions")
      .key("wells", c.wells, "how many synthetic wells are made", at_least(5))
      .key("epochs", c.epochs, "of the training; 1 is enough to see that the program works here", at_least(1))
      .key("quiet", c.quiet, "no progress lines");
}

void run_demo(const DemoConfig& c, Call& call) {
  namespace fs = std::filesystem;
  std::error_code none;
  check(!fs::exists(c.out, none), "out=", c.out, " is there already: remove it, or name another folder");
  const fs::path out = c.out;
  const std::string wells = out / "wells", run = out / "run", predicted = out / "predicted",
                    configuration = training::shipped_file("configs/wells_demo.yaml");
  std::vector<std::vector<std::string>> commands{
      {"wells", "synthesize", "out=" + wells, fmt::format("wells={}", c.wells)},
      {"wells", "train", configuration, "data=" + wells, "run=" + run, fmt::format("epochs={}", c.epochs)},
      {"wells", "predict", "model=" + run, "data=" + wells, "out=" + predicted}};
  for (std::vector<std::string>& command : commands) {
    fmt::print("$ kern {}\n", fmt::join(command, " "));
    std::fflush(stdout);
    if (c.quiet) command.push_back("--quiet");
    call.exit_code = run_command({&wells_task()}, command);
    if (call.exit_code != kDone) return;
    fmt::print("\n");
  }
  const std::string report = (out / "run/report.html").string();
  fmt::print(
      "Made from nothing: a trained model in {}, its report in {}, and wells with a predicted curve in {}.\n"
      "For wells of your own: kern wells init FOLDER; kern --help lists what else there is.\n",
      run, report, predicted);
  call.figures.add("run", run);
  call.figures.add("report", report);
  call.figures.add("predicted", predicted);
}

}  // namespace kern::apps
