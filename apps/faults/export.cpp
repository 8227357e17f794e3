#include "apps/export.h"

#include "apps/faults/faults_model.h"
#include "apps/faults/volume.h"
#include "data/fault_sections.h"
#include "data/segy.h"
#include "engine/ops/slice.h"
#include "training/deployment.h"

namespace kern::apps {

Exportable export_faults(const std::filesystem::path& path) {
  const FaultsModel model = load_faults_model(path);
  const training::AmplitudeClip clip;
  const bool cube = model.dimensions == 3;
  Exportable e;
  e.onnx = {.name = "faults " + model.architecture,
            .input = cube ? "cube" : "section",
            .shape = cube ? Shape{32, 32, 32, 1} : Shape{64, 64, model.lines},
            .any_size = true,
            .outputs = {"probability"},
            .run = [module = model.module, clip](const Tensor& x) -> std::vector<Tensor> {
              return {slice(training::class_probabilities(module(clip(x))), -1, 1, 2)};
            },
            .constants = constants_of(model.module, clip.constants()),
            .metadata = {
                {"kern.model", model.architecture},
                {"kern.threshold", text(model.threshold)},
                {"kern.tile", text(model.tile)},
                {"kern.input",
                 std::string(cube              ? "amplitudes (depth: inlines, height: crosslines, width: samples)"
                             : model.lines > 1 ? "amplitudes of neighbouring lines as channels, a row for each trace "
                                                 "(height: traces, width: samples)"
                                               : "amplitudes, a row for each trace (height: traces, width: samples)") +
                     ", divided by the root mean square of the whole volume without its zeros and its "
                     "loudest hundredth"},
                {"kern.outputs", cube ? "probability [batch,1,inlines,crosslines,samples] of a fault"
                                      : "probability [batch,1,traces,samples] of a fault"},
                {"kern.provenance", model.provenance}}};
  e.invent = [](const Shape& shape) { return uniform(shape, -6, 6); };
  if (!model.takes_single_sections()) return e;
  e.read = [](const std::string& data) {
    const data::SegyFile file(data);
    const int64_t traces = std::min<int64_t>(file.traces(), 200), samples = std::min<int64_t>(file.samples(), 300);
    std::vector<int64_t> wanted;
    for (int64_t t = 0; t < traces; ++t) wanted.push_back(t);
    std::vector<float> all(size_t(traces * file.samples())), section;
    file.read_traces(wanted, all);
    const auto scale = float(amplitude_scale_of(file));
    for (int64_t t = 0; t < traces; ++t)
      for (int64_t s = 0; s < samples; ++s) section.push_back(all[size_t(t * file.samples() + s)] / scale);
    return std::vector<Tensor>{Tensor::from({1, traces, samples, 1}, section)};
  };
  return e;
}

}  // namespace kern::apps
