// The model file of a task: the network's tensors, the name of the task, and a description in JSON of everything else
// that prediction needs. Each task says what stands in its description and builds its network from it.
#pragma once
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/model_file.h"
#include "layers/module.h"

namespace kern::training {

// Every parameter and buffer by its name, as model files hold them.
std::vector<FileTensor> file_tensors(const AnyModule& module);

// `more`: tensors that are not the network's.
void save_task_model(const std::filesystem::path& path, const std::string& task, const nlohmann::json& description,
                     const AnyModule& network, std::vector<FileTensor> more = {});

// The file's tensors, after build(description) was called. Whatever build() throws means that the description is
// damaged; but for that, Errors say: no model that Kern saved, a model of another task. What it built is filled by
// load_into(file_tensors(network), file), when the tensors that are not the network's have been taken out.
TensorFile load_task_model(const std::filesystem::path& path, const std::string& task,
                           const std::function<void(const nlohmann::json& description)>& build);

// The task of a model file, told by its metadata. Error where it is no model that Kern saved.
std::string task_of(const std::filesystem::path& path);

// What a training found out and who made it: a further entry of the metadata, that nothing but a person reads.
void save_card(const std::filesystem::path& path, const nlohmann::json& card);
// Nothing: null, as in the file of a training that was stopped, or of an older version. Errors as above.
nlohmann::json load_card(const std::filesystem::path& path);

// The description alone, read without the tensors. Errors as above.
nlohmann::json task_description(const std::filesystem::path& path, const std::string& task);

// The file itself, the best model where `path` is the folder of a run, or a model that comes with Kern where it is the
// name of one (training/shipped_models.h). Error when there is no such file, or the folder has none.
std::filesystem::path find_model_file(const std::string& path);

}  // namespace kern::training
