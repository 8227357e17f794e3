#include "training/shipped_models.h"

#include <sys/auxv.h>

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

// share/kern/NAME in or beside the program's folder; empty where there is none.
fs::path beside_program(std::string_view name) {
  std::error_code error;
  fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error)  // a root without /proc: by what the program was started as
    if (const auto* started_as = reinterpret_cast<const char*>(getauxval(AT_EXECFN)))
      program = fs::canonical(started_as, error);
  if (error) return {};
  const fs::path folder = program.parent_path();
  for (const fs::path& prefix : {folder, folder.parent_path()})
    if (fs::path found = prefix / "share/kern" / name; fs::exists(found, error)) return found;
  return {};
}
}  // namespace

void set_shipped_models_folder(fs::path folder) { told() = std::move(folder); }

fs::path shipped_file(std::string_view name) {
  fs::path file = beside_program(name);
  check(!file.empty(), "share/kern/", name,
        ", which comes with Kern, is neither in nor beside the program's folder: install Kern with 'cmake --install', "
        "or unpack its archive again");
  return file;
}

fs::path shipped_models_folder() {
  if (const char* chosen = std::getenv("KERN_MODELS"); chosen && *chosen) return chosen;
  return told().empty() ? beside_program("models") : told();
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
