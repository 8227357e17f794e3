// What this machine computes with when no GPU does, for a person and as part of what a measurement holds for.
#pragma once
#include <string>

namespace kern {

std::string processor_name();  // "AMD EPYC 9R14", "unknown"
std::string simd_targets();    // "SSE2, SSE4, AVX2, AVX-512"

}  // namespace kern
