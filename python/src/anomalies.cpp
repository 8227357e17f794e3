#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <functional>

#include "apps/anomalies/anomalies_model.h"
#include "python/src/images.h"
#include "python/src/network.h"

namespace kern::python {
namespace {
using apps::AnomaliesModel;

struct Scored {
  std::vector<apps::ScoredImage> images;
  double threshold = 0;
};

// score, map [H,W] of each image, in batches as the program makes them; and the threshold that holds.
nb::tuple handed_out(const AnomaliesModel& model, const nb::dict& keys, size_t count,
                     const std::function<data::Image(size_t)>& read) {
  const auto config = configured("anomalies predict", apps::describe_anomalies_predict, keys);
  Scored scored = computed([&] {
    check(config.threshold.has_value() + !config.rule.empty() <= 1,
          "threshold= and rule= both draw the line: keep one of them");
    Scored out;
    out.threshold = config.threshold ? *config.threshold : model.threshold_of(config.rule);
    const auto together = size_t(apps::scored_together(model));
    for (size_t begin = 0; begin < count; begin += together) {
      std::vector<data::Image> images;
      for (size_t i = begin; i < std::min(count, begin + together); ++i) images.push_back(read(i));
      for (apps::ScoredImage& s : apps::score_images(model, images, true, int64_t(begin)))
        out.images.push_back(std::move(s));
    }
    return out;
  });
  nb::list list;
  const auto H = size_t(model.size().H), W = size_t(model.size().W);
  for (apps::ScoredImage& s : scored.images) list.append(nb::make_tuple(s.score, array_of(std::move(s.map), {H, W})));
  return nb::make_tuple(scored.threshold, list);
}

}  // namespace

void bind_anomalies(nb::module_& m) {
  nb::class_<AnomaliesModel>(m, "AnomaliesModel")
      .def_ro("architecture", &AnomaliesModel::architecture)
      .def_prop_ro("channels", [](const AnomaliesModel& model) { return model.chain.channels; })
      .def_prop_ro("size", [](const AnomaliesModel& model) { return nb::make_tuple(model.size().H, model.size().W); })
      .def_prop_ro("threshold",
                   [](const AnomaliesModel& model) -> nb::object {
                     return model.threshold ? nb::object(nb::float_(*model.threshold)) : nb::object(nb::none());
                   })
      .def_prop_ro("rules",
                   [](const AnomaliesModel& model) {
                     nb::dict out;
                     for (const auto& r : model.rules) out[r.rule.c_str()] = r.threshold;
                     return out;
                   })
      .def("network", &network_of<AnomaliesModel>)
      .def("predict_files",
           [](const AnomaliesModel& model, const std::vector<std::filesystem::path>& files, const nb::dict& keys) {
             return handed_out(model, keys, files.size(),
                               [&](size_t i) { return data::read_image(files[i], model.chain.channels); });
           })
      .def("predict_pixels", [](const AnomaliesModel& model, const std::vector<Pixels>& images, const nb::dict& keys) {
        return handed_out(model, keys, images.size(),
                          [&](size_t i) { return image_of(images[i], model.chain.channels); });
      });
  m.def("load_anomalies", &loaded<apps::load_anomalies_model>, nb::rv_policy::take_ownership);
}

}  // namespace kern::python
