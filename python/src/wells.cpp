#include "data/wells.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/wells/prediction.h"
#include "data/las.h"
#include "data/names.h"
#include "python/src/network.h"

namespace kern::python {
namespace {
using apps::PredictedWell;
using apps::WellsModel;
using Curve = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Depth = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// id, depth unit, depth [L], labels [L], probabilities [L,K]
nb::tuple handed_out(PredictedWell p) {
  const size_t L = p.labels.size(), K = L ? p.probabilities.size() / L : 0;
  return nb::make_tuple(p.id, p.depth_unit, array_of(std::move(p.depth), {L}), array_of(std::move(p.labels), {L}),
                        array_of(std::move(p.probabilities), {L, K}));
}

nb::list predict_file(const WellsModel& model, const std::filesystem::path& file, const nb::dict& keys) {
  const auto config = configured("wells predict", apps::describe_predict, keys);
  std::vector<PredictedWell> wells = computed([&] {
    check(std::filesystem::exists(file), "there is no file ", file.string());
    check(apps::is_las(file) || apps::is_table(file), file.string(), " is neither a LAS nor a CSV file by its name");
    std::vector<PredictedWell> out;
    if (apps::is_las(file)) {
      out.push_back(apps::predict_las(model, config, data::read_las(file)));
    } else {
      const data::WellSet set = apps::read_table(model, config, file);
      for (const data::Well& well : set.wells) out.push_back(apps::predict_samples(model, config, well));
    }
    return out;
  });
  nb::list list;
  for (PredictedWell& p : wells) list.append(handed_out(std::move(p)));
  return list;
}

// The well of curves by name; those of the model that are not there are missing throughout.
data::Well well_of(const WellsModel& model, const std::vector<std::string>& names, const std::vector<Curve>& curves,
                   const Depth& depth, const std::string& unit) {
  data::Well well{
      .id = "the well", .name = {}, .uwi = {}, .source = "the well", .depth_unit = data::depth_unit_of(unit)};
  well.depth.assign(depth.data(), depth.data() + depth.size());
  check(well.length() >= 2, "a well needs at least 2 samples, got ", well.length());
  for (size_t i = 0; i < well.depth.size(); ++i)
    check(std::isfinite(well.depth[i]) && (i == 0 || well.depth[i] > well.depth[i - 1]),
          "depths must ascend from sample to sample; sample ", i, " has ", well.depth[i]);
  well.step = well.depth[1] - well.depth[0];
  for (const std::string& wanted : model.curves) {
    data::Curve& to = well.curves.emplace_back();
    for (size_t at = 0; at <= wanted.size() && to.values.empty();) {  // of "GR|GAMMA" the first that is there
      const size_t end = std::min(wanted.find('|', at), wanted.size());
      const std::string alias = wanted.substr(at, end - at);
      if (at == 0) to.name = alias;
      for (size_t k = 0; k < names.size(); ++k) {
        if (!data::same_name(names[k], alias)) continue;
        check(int64_t(curves[k].size()) == well.length(), "curve ", names[k], " has ", curves[k].size(),
              " values, and the depths are ", well.length());
        to.values.assign(curves[k].data(), curves[k].data() + curves[k].size());
      }
      at = end + 1;
    }
    if (to.values.empty()) to.values.assign(size_t(well.length()), std::numeric_limits<float>::quiet_NaN());
    for (float& v : to.values)
      if (!std::isfinite(v)) v = std::numeric_limits<float>::quiet_NaN();
  }
  return well;
}

nb::tuple predict_curves(const WellsModel& model, const std::vector<std::string>& names,
                         const std::vector<Curve>& curves, const Depth& depth, const std::string& unit,
                         const nb::dict& keys) {
  const auto config = configured("wells predict", apps::describe_predict, keys);
  return handed_out(
      computed([&] { return apps::predict_well_rows(model, config, well_of(model, names, curves, depth, unit)); }));
}

}  // namespace

void bind_wells(nb::module_& m) {
  nb::class_<WellsModel>(m, "WellsModel")
      .def_ro("architecture", &WellsModel::architecture)
      .def_ro("curves", &WellsModel::curves)
      .def_ro("step", &WellsModel::step)
      .def_ro("step_unit", &WellsModel::step_unit)
      .def_prop_ro("classes",
                   [](const WellsModel& model) {
                     nb::list out;
                     for (const auto& c : model.classes) out.append(nb::make_tuple(c.name, c.colour));
                     return out;
                   })
      .def_prop_ro("codes",
                   [](const WellsModel& model) {
                     std::vector<double> codes;
                     for (int k = 0; k < int(model.class_count()); ++k)
                       codes.push_back(double(apps::code_of(model, k)));
                     return codes;
                   })
      .def("network", &network_of<WellsModel>)
      .def("predict_file", &predict_file)
      .def("predict_curves", &predict_curves);
  m.def("load_wells", &loaded<apps::load_wells_model>, nb::rv_policy::take_ownership);
}

}  // namespace kern::python
