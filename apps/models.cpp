#include "apps/models.h"

#include <fmt/format.h>

#include <filesystem>

#include "apps/model_card.h"
#include "engine/json.h"
#include "training/shipped_models.h"
#include "training/task_model.h"

namespace kern::apps {

void describe_models(training::Schema&, ModelsConfig&) {}

void run_models(const ModelsConfig&, Call& call) {
  const auto files = training::shipped_models();
  for (const std::filesystem::path& file : files) {
    const std::string name = file.stem().string(), task = training::task_of(file);
    const nlohmann::json description = training::task_description(file, task);
    fmt::print("{}: {}, {}, {:.2f} MB\n    {}\n", name, task, description.value("architecture", "?"),
               double(std::filesystem::file_size(file)) / 1e6, file.string());
    call.figures.add(name, file.string());
  }
  if (files.empty()) fmt::print("no model comes with this installation\n");
  else
    fmt::print("kern info model={} shows what it says of itself; model= takes these names\n",
               files.front().stem().string());
}

}  // namespace kern::apps
