#include "apps/export.h"

#include "apps/images/images_model.h"
#include "data/image_folder.h"
#include "engine/ops/unary.h"
#include "training/deployment.h"

namespace kern::apps {

Exportable export_images(const std::filesystem::path& path) {
  const ImagesModel model = load_images_model(path);
  model.module.set_training(false);
  std::vector<std::string> classes;
  for (const data::ImageClass& c : model.classes) classes.push_back(c.name);
  const std::string channels = model.network.in == 1 ? "grey levels" : "red, green and blue";

  Exportable e;
  e.onnx = {.name = "images " + model.architecture,
            .input = "image",
            .shape = {model.H, model.W, model.network.in},
            .any_size = true,
            .outputs = {"probabilities"},
            .run = [model](const Tensor& x) -> std::vector<Tensor> {
              return {training::class_probabilities(model.module(affine(x, 1.0f / 255)))};
            },
            .constants = constants_of(model.module),
            .metadata = {{"kern.model", model.architecture},
                         {"kern.classes", json_list(classes)},
                         {"kern.size", text(model.H, ',', model.W)},
                         {"kern.input", text(channels, " from 0 to 255; ",
                                             model.own_size ? "trained on images of their own size, about "
                                                            : "trained on images scaled to ",
                                             model.H, " x ", model.W, " (height x width)")},
                         {"kern.outputs", "probabilities [batch,class,height,width] of " + json_list(classes)},
                         {"kern.provenance", model.provenance}}};
  e.invent = [](const Shape& shape) { return uniform(shape, 0, 255); };
  e.read = [model](const std::string& data) {
    std::vector<Tensor> out;
    for (const auto& file : data::find_images(data).files) {
      const data::Image given = data::read_image(file, model.network.in), image = data::resize(given, model.H, model.W);
      out.push_back(
          Tensor::from({1, image.H, image.W, image.C}, std::vector<float>(image.pixels.begin(), image.pixels.end())));
      if (out.size() == 4) break;
    }
    return out;
  };
  return e;
}

}  // namespace kern::apps
