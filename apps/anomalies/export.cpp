#include "apps/export.h"

#include "apps/anomalies/anomalies_model.h"
#include "data/image_folder.h"
#include "engine/ops/max.h"
#include "engine/ops/reshape.h"
#include "engine/ops/unary.h"
#include "training/deployment.h"

namespace kern::apps {
namespace {

using Run = std::function<std::vector<Tensor>(const Tensor&)>;
Tensor values_of(const Tensor& image) { return affine(image, 1.0f / 255); }

// reconstruction, map and score of an auto-encoder, whose code is its mean.
Run reconstructing(const AnomaliesModel& m, std::vector<FileTensor>& constants) {
  const training::ReconstructionError error(m.measure, m.chain.channels);
  const training::MapSmoothing smoothing(m.size().H, m.size().W, m.smoothing);
  for (const auto& part : {error.constants(), smoothing.constants()})
    constants.insert(constants.end(), part.begin(), part.end());
  return [m, error, smoothing](const Tensor& image) -> std::vector<Tensor> {
    const Tensor x = values_of(image);
    const models::Reconstruction r = m.autoencoder(x, false);
    return {affine(r.image, 255), smoothing(error.map(r.image, x)), error.score(r, x)};
  };
}

// map and score of PaDiM: the score is the map's largest value.
Run measuring(const AnomaliesModel& m, std::vector<FileTensor>& constants) {
  const training::PadimDistances distances(*m.padim, m.shape);
  const training::MapSmoothing smoothing(m.size().H, m.size().W, m.smoothing);
  for (const auto& part : {distances.constants(), smoothing.constants()})
    constants.insert(constants.end(), part.begin(), part.end());
  return [m, distances, smoothing](const Tensor& image) -> std::vector<Tensor> {
    const Tensor map = smoothing(distances(m.module(values_of(image))));
    return {map, max(reshape(map, {map.dim(0), map.dim(1) * map.dim(2)}), 1)};
  };
}

}  // namespace

Exportable export_anomalies(const std::filesystem::path& path) {
  const AnomaliesModel model = load_anomalies_model(path);
  check(!model.whole, path.string(),
        " looks at images as wholes too, each at its own aspect ratio (padim.whole=true), and a graph takes images of "
        "one "
        "size: train with padim.whole=false to export");
  const data::Preprocess& p = model.chain;
  std::vector<FileTensor> more;
  const Run run = model.is_padim() ? measuring(model, more) : reconstructing(model, more);

  Exportable e;
  e.onnx = {.name = "anomalies " + model.architecture,
            .input = "image",
            .shape = {model.size().H, model.size().W, p.channels},
            .outputs = model.is_padim() ? std::vector<std::string>{"map", "score"}
                                        : std::vector<std::string>{"reconstruction", "map", "score"},
            .run = run,
            .constants = constants_of(model.module, more),
            .metadata = {{"kern.model", model.architecture},
                         {"kern.size", text(model.size().H, ',', model.size().W)},
                         {"kern.input", text(p.channels == 1 ? "grey levels" : "red, green and blue",
                                             " from 0 to 255 of an image that is prepared: sharpened by ", p.sharpen,
                                             ", scaled to ", p.height, " x ", p.width, ", its middle ", p.crop_height,
                                             " x ", p.crop_width, " taken, blurred by ", p.blur, " (0: not)")},
                         {"kern.outputs",
                          model.is_padim() ? "map [batch,1,height,width] and score [batch], the map's largest value"
                                           : "reconstruction, map [batch,1,height,width] of errors and score [batch]"},
                         {"kern.provenance", model.provenance}}};
  if (model.threshold) e.onnx.metadata["kern.threshold"] = text(*model.threshold);
  if (model.seed_compatible)
    e.onnx.metadata["kern.compat"] = "the score is of one pass with the code's mean, not of passes with drawn codes";
  e.invent = [](const Shape& shape) { return uniform(shape, 0, 255); };
  e.read = [model](const std::string& data) {
    std::vector<Tensor> out;
    for (const auto& file : data::find_images(data).files) {
      data::Raster<float> image = data::prepare(data::read_image(file, model.chain.channels), model.chain);
      if (data::ImageSize{image.H, image.W} != model.size()) continue;
      for (float& v : image.pixels) v *= 255;
      out.push_back(Tensor::from({1, image.H, image.W, image.C}, image.pixels));
      if (out.size() == 4) break;
    }
    return out;
  };
  return e;
}

}  // namespace kern::apps
