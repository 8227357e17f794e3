#include "python/src/images.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "apps/images/images_model.h"
#include "python/src/network.h"

namespace kern::python {

data::Image image_of(const Pixels& pixels, int channels) {
  const auto H = int64_t(pixels.shape(0)), W = int64_t(pixels.shape(1));
  const int64_t C = pixels.ndim() == 3 ? int64_t(pixels.shape(2)) : 1;
  check((C == 1 || C == 3) && H > 0 && W > 0, "an image is [height, width] or [height, width, 3] of uint8, got ", C,
        " channels");
  data::Image image = data::make_raster(H, W, C);
  std::copy_n(pixels.data(), pixels.size(), image.pixels.begin());
  return data::with_channels(std::move(image), channels);
}

namespace {
using apps::ImagesModel;

// labels [H,W], probabilities [H,W,K]
nb::tuple handed_out(const ImagesModel& model, const nb::dict& keys, const std::string& name,
                     const std::function<data::Image()>& read) {
  const auto config = configured("images predict", apps::describe_images_predict, keys);
  std::vector<float> probabilities;
  data::Labels labels = computed([&] {
    const data::Image image = read();
    probabilities.reserve(size_t(image.H * image.W * model.class_count()));
    return apps::label_image(model, image, config.inference, config.threshold, name,
                             [&](int64_t, int64_t, std::span<const float> p) {
                               probabilities.insert(probabilities.end(), p.begin(), p.end());
                             });
  });
  const auto H = size_t(labels.H), W = size_t(labels.W);
  return nb::make_tuple(array_of(std::move(labels.pixels), {H, W}),
                        array_of(std::move(probabilities), {H, W, size_t(model.class_count())}));
}

}  // namespace

void bind_images(nb::module_& m) {
  nb::class_<ImagesModel>(m, "ImagesModel")
      .def_ro("architecture", &ImagesModel::architecture)
      .def_prop_ro("channels", [](const ImagesModel& model) { return model.network.in; })
      .def_prop_ro("size", [](const ImagesModel& model) { return nb::make_tuple(model.H, model.W); })
      .def_prop_ro("classes",
                   [](const ImagesModel& model) {
                     nb::list out;
                     for (const auto& c : apps::class_list(model.classes)) out.append(nb::make_tuple(c.name, c.colour));
                     return out;
                   })
      .def("network", &network_of<ImagesModel>)
      .def("predict_file",
           [](const ImagesModel& model, const std::filesystem::path& file, const nb::dict& keys) {
             return handed_out(model, keys, file.string(), [&] { return data::read_image(file, model.network.in); });
           })
      .def("predict_pixels", [](const ImagesModel& model, const Pixels& pixels, const nb::dict& keys) {
        return handed_out(model, keys, "the image", [&] { return image_of(pixels, model.network.in); });
      });
  m.def("load_images", &loaded<apps::load_images_model>, nb::rv_policy::take_ownership);
}

}  // namespace kern::python
