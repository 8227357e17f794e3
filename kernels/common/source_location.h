#pragma once

namespace kern {

// std::source_location by the builtins it is made of: clang before 16 lacks it on libstdc++.
struct SourceLocation {
  const char* file;
  int line;
  const char* function;
  static constexpr SourceLocation current(const char* f = __builtin_FILE(), int l = __builtin_LINE(),
                                          const char* fn = __builtin_FUNCTION()) {
    return {f, l, fn};
  }
};

}  // namespace kern
