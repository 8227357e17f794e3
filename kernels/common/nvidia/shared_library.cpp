#include "kernels/common/nvidia/shared_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <utility>

#include "kernels/common/error.h"
#ifdef KERN_CUDA_EMULATED
#include "kernels/common/emulator/library.h"
#endif

namespace kern::kernels {

SharedLibrary::SharedLibrary(std::initializer_list<const char*> files) {
  for (const char* file : files) {
    if ((handle_ = dlopen(file, RTLD_NOW | RTLD_LOCAL))) {
      file_ = file;
      why_.clear();
      return;
    }
    if (why_.empty()) why_ = dlerror();  // of the one that is wanted most
  }
}

void SharedLibrary::refuse(std::string why) {
  handle_ = nullptr;
  why_ = std::move(why);
}

void* SharedLibrary::symbol(const char* name) const { return handle_ ? dlsym(handle_, name) : nullptr; }

SharedLibrary open_cuda_library(const char* variable, std::initializer_list<const char*> files) {
  const char* value = std::getenv(variable);
  const std::string named = value ? value : "";
  SharedLibrary library;
  if (named == "off") {
    library.refuse(text("turned off by ", variable));
    return library;
  }
#ifdef KERN_CUDA_EMULATED
  (void)files;
  if (named.empty()) {
    library.refuse(text("the emulated GPU has none (", variable, " may name a stand-in)"));
    return library;
  }
  library = SharedLibrary({named.c_str()});
  if (library) {
    void (*attach)(const emulator::EmulatedGpu*) = nullptr;
    library.find(attach, emulator::kAttachName);
    if (attach) attach(&emulator::gpu_of_library());
    else library.refuse(text(named, " is no stand-in for the emulated GPU"));
  }
#else
  library = named.empty() ? SharedLibrary(files) : SharedLibrary({named.c_str()});
#endif
  return library;
}

}  // namespace kern::kernels
