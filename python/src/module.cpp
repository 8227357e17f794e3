// kern._kern: what the package kern (python/kern/__init__.py) is built on. Nothing here computes: every function calls
// what the program's verbs call.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "apps/info.h"
#include "apps/model_card.h"
#include "kernels/common/parallel.h"
#include "python/src/glue.h"
#include "training/shipped_models.h"
#include "training/task_model.h"

namespace kern::python {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> shipped_names() {
  std::vector<std::string> names;
  for (const fs::path& file : training::shipped_models()) names.push_back(file.stem().string());
  return names;
}

std::string machine() {
  apps::Figures figures;
  apps::add_build_and_machine(figures);
  return figures.to_json();
}

}  // namespace

NB_MODULE(_kern, m) {
  set_up_messages(m);
  m.attr("version") = apps::version();
  m.def("set_models_folder", &training::set_shipped_models_folder);
  m.def("shipped_models", [] { return computed(shipped_names); });
  m.def("machine", [] { return computed(machine); });
  m.def("find_model_file",
        [](const std::string& name) { return computed([&] { return training::find_model_file(name); }); });
  m.def("task_of", [](const fs::path& file) { return computed([&] { return training::task_of(file); }); });
  m.def("model_card", [](const fs::path& file) { return computed([&] { return apps::model_card(file).to_json(); }); });
  m.def("read_yaml", [](const std::string& text, const std::string& name) {
    return object_of(computed([&] { return training::parse_yaml(text, name); }));
  });
  m.def("set_threads", [](int n) {
    computed([&] {
      set_thread_count(n);
      return 0;
    });
  });
  bind_wells(m);
  bind_images(m);
  bind_faults(m);
  bind_anomalies(m);
}

}  // namespace kern::python
