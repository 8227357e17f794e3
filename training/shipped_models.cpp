#include "training/shipped_models.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "kernels/common/error.h"

namespace kern::training {
namespace fs = std::filesystem;
namespace {
fs::path& told() {
  static fs::path folder;
  return folder;
}
}  // namespace

void set_shipped_models_folder(fs::path folder) { told() = std::move(folder); }

fs::path shipped_models_folder() {
  std::error_code error;
  if (const char* chosen = std::getenv("KERN_MODELS"); chosen && *chosen) return chosen;
  if (!told().empty()) return told();
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path folder = program.parent_path();
  for (const fs::path& prefix : {folder, folder.parent_path()})
    if (fs::path models = prefix / "share/kern/models"; fs::is_directory(models, error)) return models;
  return {};
}

std::vector<fs::path> shipped_models() {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(shipped_models_folder(), error))
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

fs::path shipped_model(std::string_view name) {
  const fs::path folder = shipped_models_folder();
  fs::path file = folder / (std::string(name) + ".safetensors");
  check(!folder.empty(),
        "the models that come with Kern are not here: share/kern/models is neither in nor beside the "
        "program's folder. Install Kern with 'cmake --install', name the folder in KERN_MODELS, or give "
        "model=");
  check(fs::exists(file), "there is no model '", name, "' in ", folder.string(), ": give model=");
  return file;
}

}  // namespace kern::training
