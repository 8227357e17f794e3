// `kern export`: a trained model of any task as an ONNX file, with what stands before and behind its network in use.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "apps/command.h"
#include "engine/onnx_export.h"
#include "layers/module.h"

namespace kern::apps {

enum class ExportFormat { onnx };

struct ExportConfig {
  std::string model;
  ExportFormat format = ExportFormat::onnx;
  std::string out, samples, data;
  bool overwrite = false;
};
void describe_export(training::Schema& keys, ExportConfig& config);
void run_export(const ExportConfig& config, Call& call);

// What a task says of its model. Inputs are [N,...] with channels last.
struct Exportable {
  OnnxSource onnx;
  std::function<Tensor(const Shape& shape)> invent;                  // inputs like what is measured, by chance
  std::function<std::vector<Tensor>(const std::string& data)> read;  // from the files of a task
};
// One of each task; Errors as its load_..._model().
Exportable export_wells(const std::filesystem::path& model);
Exportable export_images(const std::filesystem::path& model);
Exportable export_faults(const std::filesystem::path& model);
Exportable export_anomalies(const std::filesystem::path& model);

// For these functions: the network's parameters and buffers as constants.
std::vector<FileTensor> constants_of(const AnyModule& network, std::vector<FileTensor> more = {});
// Values of the shape drawn between two limits, the same in every call.
Tensor uniform(const Shape& shape, float low, float high);
// "[\"sand\",\"shale\"]"
std::string json_list(const std::vector<std::string>& words);

}  // namespace kern::apps
