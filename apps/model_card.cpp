#include "apps/model_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "apps/info.h"
#include "engine/json.h"
#include "engine/model_file.h"
#include "training/run_folder.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
using nlohmann::json;

constexpr const char* kFigure = "figures.";

bool is_of_this_run_alone(const std::string& key) {
  constexpr const char* kEnds[] = {"seconds", "bytes", "_per_second", "wait_share"};
  constexpr const char* kWhole[] = {"run", "warnings", "suspects"};
  return std::any_of(std::begin(kEnds), std::end(kEnds), [&](const char* end) { return key.ends_with(end); }) ||
         std::any_of(std::begin(kWhole), std::end(kWhole), [&](const char* name) { return key == name; });
}

std::string plain(const json& j) {
  return j.is_string() ? j.get<std::string>() : j.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Names of wells or images: how many, and the first of them.
std::string some_of(const json& names) {
  std::string out = std::to_string(names.size());
  for (size_t i = 0; i < names.size() && i < 3; ++i) out += (i ? ", " : ": ") + plain(names[i]);
  return names.size() > 3 ? out + ", ..." : out;
}

std::string names_of(const json& classes) {
  std::string out;
  for (const json& c : classes) out += (out.empty() ? "" : ", ") + plain(c.is_object() ? c.value("name", json()) : c);
  return out;
}

bool is_list_of_names(const std::string& key) {
  for (const char* part : {"training_", "validation_", "test_"})
    if (key.starts_with(part) && !key.ends_with("scores")) return true;
  return false;
}

}  // namespace

void write_card(const std::filesystem::path& model, const Figures& figures) {
  json found = json::object();
  const json all = json::parse(figures.to_json());
  for (const auto& [key, value] : all.items())
    if (!is_of_this_run_alone(key)) found[key] = value;
  training::save_card(model, {{"version", version()}, {"figures", found}});
}

Figures model_card(const std::filesystem::path& path) {
  const std::string task = training::task_of(path);
  const json description = training::task_description(path, task), card = training::load_card(path);
  const TensorFile file = load_tensors(path);
  int64_t values = 0, bytes = 0;
  for (const FileTensor& t : file.tensors) values += t.tensor.size(), bytes += t.tensor.size() * 4;
  Figures out;
  out.add("task", task);
  out.add("file", path.string());
  out.add("file_size", training::format_bytes(double(bytes)));
  out.add("values", values);
  out.add("tensors", int64_t(file.tensors.size()));
  check(description.is_object(), path.string(), ": the description in this model file is damaged; copy it again");
  for (const auto& [key, value] : description.items()) {
    if (key == "classes" && value.is_array()) out.add(key, names_of(value));
    else if (value.is_array() && is_list_of_names(key)) out.add(key, some_of(value));
    else if (value.is_array() && value.size() > 20) out.add(key, fmt::format("{} values", value.size()));
    else if (const std::string shown = plain(value); shown.find('\n') != shown.npos)
      out.add(key, fmt::format("{} lines", std::count(shown.begin(), shown.end(), '\n')));
    else if (!shown.empty()) out.add(key, shown);
  }
  if (!card.is_object()) return out;
  if (const auto by = card.find("version"); by != card.end()) out.add("version", plain(*by));
  if (const auto figures = card.find("figures"); figures != card.end() && figures->is_object())
    for (const auto& [key, value] : figures->items())
      if (!value.is_array() || value.size() <= 20) {
        if (value.is_number()) out.add(kFigure + key, value.get<double>());
        else out.add(kFigure + key, plain(value));
      }
  return out;
}

void show_model(const Figures& card) {
  size_t width = 0;
  bool figures = false;
  for (const auto& [name, value] : card.lines()) width = std::max(width, name.size());
  for (const auto& [name, value] : card.lines()) {
    figures = figures || name.starts_with(kFigure);
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    const bool rounds = name.starts_with(kFigure) && !value.empty() && *end == '\0';
    fmt::print("{:<{}}  {}\n", name, width, rounds ? fmt::format("{:.5g}", number) : value);
  }
  if (!figures) fmt::print("no figures: its training did not come to an end, or was one of an older version\n");
}

}  // namespace kern::apps
