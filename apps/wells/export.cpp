#include "apps/export.h"

#include "apps/wells/source.h"
#include "apps/wells/wells_model.h"
#include "engine/ops/concat.h"
#include "engine/ops/linear.h"
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

// network_input() of scaled curves: the curves or what a baseline reads of windows, and the logits of the one that the
// network corrects.
class Base {
 public:
  explicit Base(const WellsModel& model) {
    if (!model.network.on_base || model.on_boosting) return;
    const training::LogisticRegression& r = *model.logistic;
    weight_ = Tensor::from({r.classes, r.features}, r.weight);
    bias_ = Tensor::from({r.classes}, r.bias);
  }
  Tensor input(const WellsModel& model, const training::CurveScaling::Scaled& scaled) const {
    const Tensor& curves = scaled.inputs;
    const Tensor windows = model.reads_windows || weight_ ? training::windows_of(curves) : Tensor(),
                 own = model.reads_windows ? windows : curves;
    if (scaled.gaps) return concat({own, training::tree_scores(*model.boosting, scaled.gaps)});
    return weight_ ? concat({own, linear(windows, weight_, bias_)}) : own;
  }
  std::vector<FileTensor> constants(std::vector<FileTensor> more) const {
    if (weight_) more.push_back({"logistic.weight", weight_}), more.push_back({"logistic.bias", bias_});
    return more;
  }

 private:
  Tensor weight_, bias_;
};

}  // namespace

Exportable export_wells(const std::filesystem::path& path) {
  const WellsModel model = load_wells_model(path);
  model.module.set_training(false);
  const training::CurveScaling scaling(model.normalisation, model.network.on_base && model.on_boosting);
  const Base base(model);
  std::vector<std::string> names, classes;
  for (const data::CurveScale& c : model.normalisation.curves) names.push_back(c.name);
  for (const auto& c : model.classes) classes.push_back(c.name);

  Exportable e;
  e.onnx = {.name = "wells " + model.architecture,
            .input = "curves",
            .shape = {64, int64_t(names.size())},
            .any_size = true,
            .outputs = {"probabilities"},
            .prepare = [scaling, base, model](const Tensor& x) { return base.input(model, scaling(x)); },
            .run = [module = model.module](const Tensor& x) -> std::vector<Tensor> {
              return {training::class_probabilities(module(x))};
            },
            .constants = constants_of(model.module, base.constants(scaling.constants())),
            .metadata = {{"kern.model", model.architecture},
                         {"kern.classes", json_list(classes)},
                         {"kern.curves", json_list(names)},
                         {"kern.step", text(model.step, ' ', model.step_unit)},
                         {"kern.input", "the curves " + json_list(names) +
                                            " as measured, NaN where missing, at the training wells' step" +
                                            (model.normalisation.per_well ? "; whole wells, for each is scaled by its "
                                                                            "own quantiles"
                                                                          : "")},
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
