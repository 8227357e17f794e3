#include "training/task_model.h"

#include <algorithm>
#include <cmath>

#include "engine/json.h"
#include "training/loop.h"
#include "training/shipped_models.h"

namespace kern::training {
namespace {
constexpr const char *kTaskKey = "kern.task", *kCardKey = "kern.card";
std::string model_key(const std::string& task) { return "kern." + task + "_model"; }

const std::string& task_in(const std::filesystem::path& path, const Metadata& metadata) {
  const auto found = metadata.find(kTaskKey);
  check(found != metadata.end(), path.string(), " is a safetensors file, but not a model that Kern saved");
  return found->second;
}
void check_task(const std::filesystem::path& path, const std::string& task, const Metadata& metadata) {
  const std::string& its = task_in(path, metadata);
  check(its == task, path.string(), " is a model of the task '", its, "', not of '", task, "': 'kern ", its,
        "' takes it; here model= is to name one of ", task);
}

// Whatever f throws means that the description is damaged.
template <class F>
void described(const std::filesystem::path& path, const F& f) {
  try {
    f();
  } catch (const InternalError&) {
    throw;
  } catch (const Error& e) {
    throw Error(text(path.string(), ": the description in this model file is damaged (", e.sentence(),
                     "); train or copy it again"));
  } catch (const std::exception&) {
    throw Error(path.string() + ": the description in this model file is damaged; train or copy it again");
  }
}

// A network that holds such a value gives no number for anything.
void check_finite(const std::filesystem::path& path, const TensorFile& file) {
  for (const FileTensor& t : file.tensors) {
    if (t.tensor.dtype() != DType::f32) continue;
    const float* const values = t.tensor.data();
    check(std::all_of(values, values + t.tensor.size(), [](float v) { return std::isfinite(v); }), path.string(),
          ": the tensor ", t.name,
          " of this model file holds a value that is no number: its training diverged, or the "
          "file is damaged; train again, with a smaller lr=, or copy it again");
  }
}
}  // namespace

std::vector<FileTensor> file_tensors(const AnyModule& module) {
  std::vector<FileTensor> out;
  for (const NamedTensor& t : module.tensors()) out.push_back({t.name, t.tensor});
  return out;
}

void save_task_model(const std::filesystem::path& path, const std::string& task, const nlohmann::json& description,
                     const AnyModule& network, std::vector<FileTensor> more) {
  std::vector<FileTensor> tensors = file_tensors(network);
  std::move(more.begin(), more.end(), std::back_inserter(tensors));
  save_tensors(path, std::move(tensors),
               {{kTaskKey, task},
                {model_key(task), description.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)}});
}

TensorFile load_task_model(const std::filesystem::path& path, const std::string& task,
                           const std::function<void(const nlohmann::json& description)>& build) {
  TensorFile file = load_tensors(path);
  check_task(path, task, file.metadata);
  check_finite(path, file);
  described(path, [&] { build(nlohmann::json::parse(file.metadata.at(model_key(task)))); });
  return file;
}

std::string task_of(const std::filesystem::path& path) { return task_in(path, load_metadata(path)); }

void save_card(const std::filesystem::path& path, const nlohmann::json& card) {
  TensorFile file = load_tensors(path);
  task_in(path, file.metadata);
  file.metadata[kCardKey] = card.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  save_tensors(path, std::move(file.tensors), file.metadata);
}

nlohmann::json load_card(const std::filesystem::path& path) {
  const Metadata metadata = load_metadata(path);
  task_in(path, metadata);
  const auto found = metadata.find(kCardKey);
  nlohmann::json card;
  if (found != metadata.end()) described(path, [&] { card = nlohmann::json::parse(found->second); });
  return card;
}

nlohmann::json task_description(const std::filesystem::path& path, const std::string& task) {
  const Metadata metadata = load_metadata(path);
  check_task(path, task, metadata);
  nlohmann::json description;
  described(path, [&] { description = nlohmann::json::parse(metadata.at(model_key(task))); });
  return description;
}

std::filesystem::path find_model_file(const std::string& path) {
  std::filesystem::path p = path;
  if (!std::filesystem::exists(p))
    for (const std::filesystem::path& shipped : shipped_models())
      if (shipped.stem() == p) return shipped;
  std::string known;
  for (const std::filesystem::path& shipped : shipped_models()) known += ", or " + shipped.stem().string();
  std::error_code refused;  // a folder that may not be entered: reading it says so
  check(std::filesystem::exists(p, refused) || refused, "there is no model ", path,
        ": name the folder of a training, a model file", known);
  if (!std::filesystem::is_directory(p)) return p;
  check(std::filesystem::exists(p / kBestModelFile), path, " holds no ", kBestModelFile,
        ": name a model file, or the folder of a training that saved one");
  return p / kBestModelFile;
}

}  // namespace kern::training
