// What a fuzz target must hold to: input is read, or refused by an Error that is a sentence. Anything else ends the
// program.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "kernels/common/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace kern::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// Runs f; true when it went well, false when it threw the user's Error. An InternalError is a fault.
template <class F>
bool accepted(F f) {
  try {
    f();
    return true;
  } catch (const InternalError& e) {
    std::fprintf(stderr, "%s\n", e.what());
    std::abort();
  } catch (const Error& e) {
    expect(e.sentence().size() > 10, "an error is a sentence");
    return false;
  }
}

}  // namespace kern::fuzz
