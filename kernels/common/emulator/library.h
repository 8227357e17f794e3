// What a library that works on the GPU gets from the emulator in place of NVIDIA's driver. A stand-in for such a
// library (tests/nvidia) exports a function of this name that is handed this table when the library is opened.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

namespace kern::emulator {

inline constexpr char kAttachName[] = "kern_attach_emulated_gpu";

struct EmulatedGpu {
  // Work of a stream, done in its order, or recorded where the stream is captured. It returns what went wrong.
  void (*enqueue)(std::function<std::string()> work, void* stream);
  bool (*capturing)(void* stream);
  // Between the GPU's memory and the library's, past a sanitizer's eyes. Empty, or what is wrong.
  std::string (*copy)(void* to, const void* from, size_t bytes);
};
const EmulatedGpu& gpu_of_library();

}  // namespace kern::emulator
