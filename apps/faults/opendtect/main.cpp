// kern-opendtect MODEL -g | -c PARAMETERS: started by OpendTect's External Attribute, with next to no environment.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "apps/faults/faults_model.h"
#include "apps/faults/opendtect/serve.h"
#include "engine/gpu.h"
#include "engine/json.h"
#include "kernels/common/log.h"
#include "training/process.h"
#include "training/section_inference.h"
#include "training/task_model.h"

namespace {
using namespace kern;
using namespace kern::apps;
using namespace kern::apps::opendtect;

constexpr const char* kUsage =
    "usage: kern-opendtect MODEL -g | -c PARAMETERS\n"
    "OpendTect starts this program: choose it as the Interpreter of an External Attribute, and a model that\n"
    "'kern faults train' made as the External File (docs/opendtect.md).\n";

// model: as model= takes it; errors, also of one that is not there, are answered by serve().
Settings defaults_of(const std::string& model) {
  Settings s;
  s.threshold = training::task_description(training::find_model_file(model), "faults").value("threshold", s.threshold);
  return s;
}

SectionNetwork network_of(const std::string& name) {
  const std::filesystem::path path = training::find_model_file(name);
  auto model = std::make_shared<FaultsModel>(load_faults_model(path));
  check(model->takes_single_sections(), path.string(), " holds the network ", model->architecture,
        ", which looks across lines: OpendTect hands over one section at a time; choose a model for sections, as "
        "faults_sections.safetensors that comes with Kern");
  model->module.move_to(device_of(DeviceChoice::automatic));
  return [model](std::span<const float> section, int64_t columns, int64_t samples) {
    // As few tiles as a trace of usual length allows: what a tile's end hides is computed twice.
    const int64_t tile = std::max<int64_t>(model->tile, 1024);
    return training::section_probability(model->module, section, columns, samples, {.tile = tile});
  };
}

int run(int argc, char** argv) {
  const std::string_view verb = argc > 2 ? argv[2] : "";
  if (!(verb == "-g" && argc == 3) && !(verb == "-c" && argc == 4)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const std::string model = unquoted(argv[1]);
  if (verb == "-g") {
    std::fputs(parameters_text(defaults_of(model)).c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  // stdout belongs to the protocol: whatever else is printed goes where complaints go.
  const int answers = ::dup(STDOUT_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return serve(
      STDIN_FILENO, answers, [&] { return read_settings(argv[3], defaults_of(model)); },
      [&] { return network_of(model); });
}
}  // namespace

int main(int argc, char** argv) {
  kern::training::prepare_process();
  // OpendTect shows what comes on stderr as if something were wrong: notes have no place there.
  kern::set_log_sink([say = kern::set_log_sink({})](kern::LogLevel level, const std::string& message) {
    if (level == kern::LogLevel::warning) say(level, message);
  });
  try {
    return run(argc, argv);
  } catch (const kern::Error& e) {
    std::fprintf(stderr, "kern-opendtect: %s\n", e.sentence().c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "kern-opendtect: %s\n", e.what());
  }
  return 1;
}
