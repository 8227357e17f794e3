#include "apps/export.h"

#include "apps/wells/source.h"
#include "apps/wells/wells_model.h"
#include "training/deployment.h"

namespace kern::apps {
namespace {

// Curves [1,L,C] of a well, NaN where nothing was measured.
Tensor curves_of(const data::Well& well) {
  const int64_t L = well.length(), C = int64_t(well.curves.size());
  Tensor x = Tensor::empty({1, L, C});
  float* to = x.mutate();
  for (int64_t i = 0; i < L; ++i)
    for (int64_t c = 0; c < C; ++c) *to++ = well.curves[size_t(c)].values[size_t(i)];
  return x;
}

}  // namespace

Exportable export_wells(const std::filesystem::path& path) {
  const WellsModel model = load_wells_model(path);
  model.module.set_training(false);
  check(!model.reads_windows && !model.network.on_base, path.string(),
        " reads what a logistic regression reads of windows (features=windows or residual_on=logistic), which is "
        "computed outside of its network: only models that read the curves themselves can be exported");
  const training::CurveScaling scaling(model.normalisation);
  std::vector<std::string> names, classes;
  for (const data::CurveScale& c : model.normalisation.curves) names.push_back(c.name);
  for (const auto& c : model.classes) classes.push_back(c.name);

  Exportable e;
  e.onnx = {.name = "wells " + model.architecture,
            .input = "curves",
            .shape = {64, int64_t(names.size())},
            .any_size = true,
            .outputs = {"probabilities"},
            .run = [model, scaling](const Tensor& x) -> std::vector<Tensor> {
              return {training::class_probabilities(model.module(scaling(x)))};
            },
            .constants = constants_of(model.module, scaling.constants()),
            .metadata = {{"kern.model", model.architecture},
                         {"kern.classes", json_list(classes)},
                         {"kern.curves", json_list(names)},
                         {"kern.step", text(model.step, ' ', model.step_unit)},
                         {"kern.input", "the curves " + json_list(names) +
                                            " as measured, NaN where missing, at the training wells' step"},
                         {"kern.outputs", "probabilities [batch,class,length] of " + json_list(classes)},
                         {"kern.provenance", model.provenance}}};
  e.invent = [model](const Shape& shape) {
    Tensor x = uniform(shape, -1.5f, 1.5f);
    float* v = x.mutate();
    const auto& curves = model.normalisation.curves;
    for (int64_t i = 0; i < x.size(); ++i) {
      const data::CurveScale& c = curves[size_t(i) % curves.size()];
      const double value = c.offset + c.scale * double(v[i]);
      v[i] = i % 23 == 5 ? std::nanf("") : float(c.log10 ? std::pow(10.0, value) : value);
    }
    return x;
  };
  e.read = [model](const std::string& data) {
    std::vector<Tensor> out;
    for (const data::Well& well : data::load_wells(options_for(model, data, "")).wells) {
      out.push_back(curves_of(well));
      if (out.size() == 4) break;
    }
    return out;
  };
  return e;
}

}  // namespace kern::apps
