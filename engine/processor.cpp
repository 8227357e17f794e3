#include "engine/processor.h"

#include <fstream>

namespace kern {

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != line.npos) return line.substr(colon + 2);
  return "unknown";
}

std::string simd_targets() {
#if defined(__x86_64__)
  std::string out = "SSE2";
  if (__builtin_cpu_supports("sse4.2")) out += ", SSE4";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) out += ", AVX2";
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) out += ", AVX-512";
  return out;
#elif defined(__aarch64__)
  return "NEON";
#else
  return "none";
#endif
}

}  // namespace kern
