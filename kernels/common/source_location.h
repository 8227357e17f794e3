#pragma once

namespace kern {

// std::source_location by the builtins it is made of: clang before 16 lacks it on libstdc++. Not made of braces: in
// sum(x, {0, 1}) these are dimensions.
class SourceLocation {
 public:
  const char* file = "";
  int line = 0;
  const char* function = "";
  constexpr SourceLocation() = default;
  static constexpr SourceLocation current(const char* f = __builtin_FILE(), int l = __builtin_LINE(),
                                          const char* fn = __builtin_FUNCTION()) {
    return {Made{}, f, l, fn};
  }

 private:
  struct Made {};
  constexpr SourceLocation(Made, const char* f, int l, const char* fn) : file(f), line(l), function(fn) {}
};

}  // namespace kern
