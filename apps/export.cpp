#include "apps/export.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/info.h"
#include "engine/atomic_file.h"
#include "engine/autograd.h"
#include "engine/json.h"
#include "engine/onnx_graph.h"
#include "engine/random.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

constexpr std::pair<const char*, Exportable (*)(const fs::path&)> kTasks[] = {
    {"wells", export_wells}, {"images", export_images}, {"faults", export_faults}, {"anomalies", export_anomalies}};

std::string sizes(const OnnxSource& s, const Tensor& t) {
  std::string out = "[batch";
  if (t.rank() > 1) out += fmt::format(",{}", t.channels());
  for (int i = 1; i + 1 < t.rank(); ++i)
    out += !s.any_size         ? fmt::format(",{}", t.dim(i))
           : t.rank() == 3     ? ",length"
           : i + 2 == t.rank() ? ",width"
           : i + 3 == t.rank() ? ",height"
                               : ",depth";
  return out + "]";
}

// Inputs and what Kern makes of them, as the ONNX file has them: what scripts/check_onnx compares with.
std::vector<FileTensor> samples_of(const Exportable& e, const std::string& data) {
  std::vector<std::pair<std::string, Tensor>> inputs;
  const auto shape = [&](int64_t batch, int64_t more) {
    Shape s{batch};
    for (int i = 0; i + 1 < e.onnx.shape.rank(); ++i)
      s.push_back(e.onnx.shape[i] + (e.onnx.any_size ? more * (i + 1) : 0));
    s.push_back(e.onnx.shape[-1]);
    return s;
  };
  inputs.emplace_back("random_1", e.invent(shape(1, 0)));
  inputs.emplace_back("random_3", e.invent(shape(3, 0)));
  if (e.onnx.any_size) {
    inputs.emplace_back("random_odd_size", e.invent(shape(2, 7)));
    Shape small = shape(1, 0);  // not of one position: its mirror is constant, and norms make much of roundings then
    for (int i = 1; i + 1 < small.rank(); ++i) small[i] = 5;
    inputs.emplace_back("random_small", e.invent(small));
  }
  if (!data.empty()) {
    check(bool(e.read), "data= is not read for this network: leave it out, and samples= has random inputs alone");
    int n = 0;
    for (const Tensor& x : e.read(data)) inputs.emplace_back(fmt::format("real_{}", n++), x);
    check(n > 0, data, " holds nothing that this model reads");
  }
  const NoGrad off;
  std::vector<FileTensor> out;
  for (const auto& [name, x] : inputs) {
    out.push_back({name + "/" + e.onnx.input, channels_second(x)});
    const std::vector<Tensor> ys = computed(e.onnx, x);
    for (size_t i = 0; i < ys.size(); ++i) out.push_back({name + "/" + e.onnx.outputs[i], channels_second(ys[i])});
  }
  return out;
}

void check_free(const fs::path& file, bool overwrite) {
  std::error_code none;
  check(overwrite || !fs::exists(file, none), file.string(),
        " is there already: name another file, or give overwrite=true");
}

}  // namespace

void describe_export(training::Schema& keys, ExportConfig& c) {
  keys.section("Export")
      .key("model", c.model, "model file of any task, or the run folder that holds it", training::required())
      .choice("format", c.format, "of the file", {{"onnx", ExportFormat::onnx}})
      .key("out", c.out, "the file; empty: beside the model, with the format's ending")
      .key("samples", c.samples,
           "write inputs and Kern's outputs to this safetensors file too, for scripts/check_onnx; empty: no")
      .key("data", c.data,
           "with samples: real inputs besides those drawn by chance, as the task reads them (wells, images, SEG-Y)")
      .key("overwrite", c.overwrite, "write over files that are there");
}

void run_export(const ExportConfig& c, Call& call) {
  check(c.data.empty() || !c.samples.empty(),
        "data= is for samples: say with samples=FILE where they shall be written");
  const fs::path model = training::find_model_file(c.model);
  const std::string task = training::task_of(model);
  const auto found =
      std::find_if(std::begin(kTasks), std::end(kTasks), [&](const auto& known) { return known.first == task; });
  check(found != std::end(kTasks), model.string(), " is a model of the task '", task,
        "', which this version of Kern does not export");
  const fs::path out = c.out.empty() ? fs::path(model).replace_extension("onnx") : fs::path(c.out);
  check_free(out, c.overwrite);
  if (!c.samples.empty()) check_free(c.samples, c.overwrite);

  Exportable e = found->second(model);
  e.onnx.metadata["kern.task"] = task;
  e.onnx.metadata["kern.version"] = version();
  if (const nlohmann::json card = training::load_card(model); card.is_object())
    e.onnx.metadata["kern.figures"] = card.value("figures", nlohmann::json::object()).dump();
  const std::string bytes = onnx_file(e.onnx, version());
  const std::vector<FileTensor> samples = c.samples.empty() ? std::vector<FileTensor>() : samples_of(e, c.data);
  write_file(out, bytes);
  if (!c.samples.empty()) save_tensors(c.samples, samples, {{"kern.samples_of", task}});

  Shape example{1};
  for (const int64_t size : e.onnx.shape) example.push_back(size);
  call.figures.add("task", task);
  call.figures.add("file", out.string());
  call.figures.add("bytes", int64_t(bytes.size()));
  call.figures.add("opset", kOnnxOpset);
  call.figures.add("any_size", e.onnx.any_size);
  call.figures.add("input", e.onnx.input);
  call.figures.add("outputs", e.onnx.outputs);
  fmt::print("{}: {:.2f} MB, ONNX opset {}\n", out.string(), double(bytes.size()) / 1e6, kOnnxOpset);
  fmt::print("input  {} {}: {}\n", e.onnx.input, sizes(e.onnx, Tensor::empty(example)), e.onnx.metadata["kern.input"]);
  fmt::print("output {}\n", e.onnx.metadata["kern.outputs"]);
  if (!c.samples.empty()) fmt::print("compare it with Kern: scripts/check_onnx {} {}\n", out.string(), c.samples);
}

std::vector<FileTensor> constants_of(const AnyModule& network, std::vector<FileTensor> more) {
  std::vector<FileTensor> all = training::file_tensors(network);
  std::move(more.begin(), more.end(), std::back_inserter(all));
  return all;
}

Tensor uniform(const Shape& shape, float low, float high) {
  RandomSequence random(1, RandomStream::noise, 0, 0);
  std::vector<float> values(size_t(shape.size()));
  for (float& v : values) v = low + (high - low) * float(random.uniform());
  return Tensor::from(shape, values);
}

std::string json_list(const std::vector<std::string>& words) {
  return nlohmann::json(words).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace kern::apps
