#include "apps/faults/prediction.h"

#include <numeric>

#include "data/segy_inspect.h"
#include "data/segy_write.h"
#include "kernels/common/log.h"

namespace kern::apps {

void write_as_segy(const PlainCube& cube, const std::filesystem::path& to) {
  const std::vector<int64_t>& shape = cube.shape;
  const int64_t size = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  check((shape.size() == 2 || shape.size() == 3) && size > 0, cube.name, " has ", shape.size(), " dimensions and ",
        size, " values; a cube [inlines, crosslines, samples] or a section [traces, samples] is expected");
  const int64_t inlines = shape.size() == 3 ? shape[0] : 1, crosslines = shape[shape.size() - 2],
                samples = shape.back();
  check(
      samples <= 65535, cube.name, " has ", samples,
      " samples along its last dimension, and that must be time or depth: at most 65535; turn it with numpy.moveaxis");
  data::SegyWriter writer(to, data::SegyGrid{.inlines = {.count = inlines},
                                             .crosslines = {.count = crosslines},
                                             .samples = samples,
                                             .interval = 1000,
                                             .spacing = 1,
                                             .text = {"MADE OF A NUMPY ARRAY; A SAMPLE IS A MILLISECOND"}});
  std::vector<float> trace(static_cast<size_t>(samples));
  for (int64_t t = 0; t < inlines * crosslines; ++t) {
    cube.read(t * samples, trace);
    writer.write_trace(t, trace);
  }
  writer.commit();
}

VolumeOptions volume_options(const FaultsPredictConfig& c, const FaultsModel& model) {
  return {.passes = c.passes,
          .looks = c.looks,
          .two_scales = c.two_scales,
          .tile = c.tile,
          .margin = c.margin,
          .agc = c.agc,
          .threshold = c.threshold.value_or(model.threshold),
          .memory = c.memory << 20,
          .thin = c.thin,
          .dip = c.dip,
          .azimuth = c.azimuth,
          .sticks = c.sticks,
          .least_piece = c.least_piece,
          .velocity = c.velocity};
}

void say_findings(const data::SegyFile& file, const data::SegyGeometry& geometry) {
  for (const std::string& w : file.warnings()) inform(w);
  for (const std::string& w : geometry.findings()) inform(file.name(), ": ", w);
  const data::SegyAmplitudes amplitudes = data::inspect_segy(file, geometry).amplitudes;
  if (amplitudes.least > 0 && amplitudes.mean > 2 * amplitudes.deviation)
    warn(file.name(), ": every amplitude is above 0 (", amplitudes.least, " to ", amplitudes.most,
         "): are these velocities or an attribute? Faults are sought in reflections, which swing about 0");
}

}  // namespace kern::apps
