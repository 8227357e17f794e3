#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdlib>
#include <optional>

#include "apps/faults/evaluation.h"
#include "apps/faults/prediction.h"
#include "data/image.h"
#include "data/npy.h"
#include "python/src/network.h"
#include "training/stop.h"

namespace kern::python {
namespace {
namespace fs = std::filesystem;
using apps::FaultsModel;
using apps::FaultsPredictConfig;
using What = apps::VolumePrediction::What;
using Amplitudes = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

// A new folder for what lies on the disk meanwhile; gone at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "kern_XXXXXX").string();
    check(::mkdtemp(name.data()) != nullptr, "no folder can be made in ", fs::temp_directory_path().string(),
          ": name one with room in the environment's TMPDIR");
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  fs::path path;
};

// Arrays of all positions, [traces, samples] or [inlines, crosslines, samples].
struct Found {
  std::vector<size_t> shape;
  std::vector<float> probability, thinned, dip, azimuth;  // empty: not asked for
  std::vector<int> inlines, crosslines;
  std::vector<int64_t> traces;  // of the file, -1: none there; empty where the input is an array
  std::vector<double> z;
  std::string unit, sticks;
  double scale = 1;
  bool interrupted = false;
};

// The trace of every position: those of a line, or of a cube inline by inline.
std::vector<int64_t> positions_of(const data::SegyGeometry& geometry) {
  std::vector<int64_t> traces;
  for (const int number : geometry.inlines()) {
    const data::SegySection s = geometry.inline_section(number);
    traces.insert(traces.end(), s.traces.begin(), s.traces.end());
  }
  return traces;
}

Found predict(const FaultsModel& model, const FaultsPredictConfig& config, const fs::path& segy,
              const std::vector<int64_t>& shape, bool interruptible, const fs::path& scratch) {
  const data::SegyFile file(segy, shape.empty() ? config.places : data::SegyOptions{});
  const data::SegyGeometry geometry(file);
  apps::say_findings(file, geometry);
  apps::VolumePrediction found(model, file, geometry, apps::volume_options(config, model), scratch / "parts");
  training::ProgressBar progress({.title = "predict", .mode = training::ProgressMode::quiet});
  std::optional<training::SignalWatch> signals;
  if (interruptible) signals.emplace();
  Found out;
  out.interrupted = !found.run(progress);
  if (out.interrupted) return out;
  const auto samples = size_t(file.samples());
  std::vector<int64_t> traces;
  if (shape.empty()) {
    traces = out.traces = positions_of(geometry);
    if (geometry.kind() == data::SegyKind::line) out.shape = {traces.size(), samples};
    else out.shape = {geometry.inlines().size(), geometry.crosslines().size(), samples};
  } else {
    for (int64_t t = 0; t < file.traces(); ++t) traces.push_back(t);
    out.shape.assign(shape.begin(), shape.end());
  }
  const auto read = [&](What what, std::vector<float>& to) {
    to.assign(traces.size() * samples, 0.0f);
    for (size_t t = 0; t < traces.size(); ++t)
      if (traces[t] >= 0) found.read(what, traces[t], std::span(to).subspan(t * samples, samples));
  };
  read(What::probability, out.probability);
  if (config.thin) read(What::thinned, out.thinned);
  if (config.dip) read(What::dip, out.dip);
  if (config.azimuth) read(What::azimuth, out.azimuth);
  if (config.sticks > 0) out.sticks = found.sticks();
  out.inlines = geometry.inlines(), out.crosslines = geometry.crosslines();
  const double step = file.layout().interval > 0 ? file.layout().interval / 1000 : 1;
  const double first = file.layout().interval > 0 ? file.layout().delay : 0;
  for (size_t k = 0; k < samples; ++k) out.z.push_back(first + step * double(k));
  out.unit = file.layout().unit();
  out.scale = found.scale();
  return out;
}

nb::dict handed_out(Found found) {
  if (found.interrupted) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw nb::python_error();
  }
  nb::dict out;
  const auto put = [&](const char* name, std::vector<float>& values) {
    out[name] = values.empty() ? nb::object(nb::none()) : array_of(std::move(values), found.shape);
  };
  put("probability", found.probability), put("thinned", found.thinned), put("dip", found.dip);
  put("azimuth", found.azimuth);
  const auto lines = [&](const char* name, std::vector<int>& numbers) {
    const size_t n = numbers.size();
    out[name] = array_of(std::move(numbers), {n});
  };
  lines("inlines", found.inlines), lines("crosslines", found.crosslines);
  const std::vector<size_t> places(found.shape.begin(), found.shape.end() - 1);
  out["traces"] = found.traces.empty() ? nb::object(nb::none()) : array_of(std::move(found.traces), places);
  const size_t samples = found.z.size();
  out["z"] = array_of(std::move(found.z), {samples});
  out["unit"] = found.unit, out["sticks"] = found.sticks, out["scale"] = found.scale;
  return out;
}

FaultsPredictConfig configuration(const nb::dict& keys) {
  return configured("faults predict", apps::describe_faults_predict, keys);
}

nb::dict predict_file(const FaultsModel& model, const fs::path& file, const nb::dict& keys, bool interruptible) {
  const FaultsPredictConfig config = configuration(keys);
  return handed_out(computed([&] {
    check(fs::exists(file), "there is no file ", file.string());
    const Scratch scratch;
    if (file.extension() != ".npy") return predict(model, config, file, {}, interruptible, scratch.path);
    const data::NpyFile cube(file);
    const fs::path segy = scratch.path / "cube.sgy";
    apps::write_as_segy({.name = cube.name(),
                         .shape = cube.shape(),
                         .read = [&](int64_t first, std::span<float> values) { cube.read(first, values); }},
                        segy);
    return predict(model, config, segy, cube.shape(), interruptible, scratch.path);
  }));
}

nb::dict predict_array(const FaultsModel& model, const Amplitudes& amplitudes, const nb::dict& keys,
                       bool interruptible) {
  const FaultsPredictConfig config = configuration(keys);
  return handed_out(computed([&] {
    const Scratch scratch;
    const fs::path segy = scratch.path / "cube.sgy";
    std::vector<int64_t> shape;
    for (size_t i = 0; i < amplitudes.ndim(); ++i) shape.push_back(int64_t(amplitudes.shape(i)));
    apps::write_as_segy(
        {.name = "the array",
         .shape = shape,
         .read = [&](int64_t first,
                     std::span<float> to) { std::copy_n(amplitudes.data() + first, to.size(), to.begin()); }},
        segy);
    return predict(model, config, segy, shape, interruptible, scratch.path);
  }));
}

// Of an image's columns [traces, samples].
nb::object predict_image(const FaultsModel& model, const fs::path& file, const nb::dict& keys) {
  const FaultsPredictConfig config = configuration(keys);
  size_t traces = 0, samples = 0;
  std::vector<float> p = computed([&] {
    const data::Image grey = data::read_image(file, 1);
    traces = size_t(grey.W), samples = size_t(grey.H);
    return apps::section_faults(model, data::section_of_image(grey, std::lround(config.agc)), grey.W, grey.H,
                                config.looks);
  });
  return array_of(std::move(p), {traces, samples});
}

}  // namespace

void bind_faults(nb::module_& m) {
  nb::class_<FaultsModel>(m, "FaultsModel")
      .def_ro("architecture", &FaultsModel::architecture)
      .def_ro("threshold", &FaultsModel::threshold)
      .def_ro("average_precision", &FaultsModel::average_precision)
      .def_ro("dimensions", &FaultsModel::dimensions)
      .def_ro("lines", &FaultsModel::lines)
      .def("network", &network_of<FaultsModel>)
      .def("predict_file", &predict_file)
      .def("predict_image", &predict_image)
      .def("predict_array", &predict_array);
  m.def("is_image_name", &data::is_image_name);
  m.def("load_faults", &loaded<apps::load_faults_model>, nb::rv_policy::take_ownership);
}

}  // namespace kern::python
