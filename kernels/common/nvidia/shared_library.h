// A library that is opened when it is first needed, so that the program runs where it is not installed.
#pragma once
#include <initializer_list>
#include <string>

namespace kern::kernels {

class SharedLibrary {
 public:
  SharedLibrary() = default;
  // The first of these files that opens. Stays open as long as the program runs.
  explicit SharedLibrary(std::initializer_list<const char*> files);

  explicit operator bool() const { return handle_; }
  const std::string& file() const { return file_; }  // the one that opened
  const std::string& why() const { return why_; }    // a sentence: why there is none

  void refuse(std::string why);  // it is not used after all
  // function = the library's `name`; the library is refused where it has none.
  template <class F>
  void find(F*& function, const char* name) {
    function = reinterpret_cast<F*>(symbol(name));
    if (handle_ && !function) refuse(file_ + " has no function " + name);
  }
  void* symbol(const char* name) const;  // null where it has none

 private:
  void* handle_ = nullptr;
  std::string file_, why_;
};

// A library that works on the GPU: the file that the environment variable names ("off" is none), else the first of
// `files`. On the emulator only a stand-in that speaks to it (kernels/common/emulator/library.h) will do.
SharedLibrary open_cuda_library(const char* variable, std::initializer_list<const char*> files);

}  // namespace kern::kernels
