// Errors are sentences: the op or file, what was given, what was expected, what to do.
//
//   check(w.dim(3) == x.dim(3), "conv2d: input has ", x.dim(3), " channels, the filter expects ", w.dim(3));
//
// Error is the user's (exit code 1 of the program), InternalError is ours (exit code 3).
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "kernels/common/source_location.h"

namespace kern {

// sentence() is the text for a person; what() adds the place in the code that asked.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string sentence, SourceLocation at = SourceLocation::current());
  const std::string& sentence() const { return sentence_; }

 private:
  std::string sentence_;
};
class InternalError : public Error {
 public:
  // Not `using Error::Error`: nvcc 13 stumbles over the inherited default argument.
  explicit InternalError(std::string sentence, SourceLocation at = SourceLocation::current())
      : Error(std::move(sentence), at) {}
};

namespace detail {
void append(std::string& out, double v);
void append(std::string& out, long long v);
void append(std::string& out, unsigned long long v);
inline void append(std::string& out, std::string_view v) { out += v; }
inline void append(std::string& out, const char* v) { out += v; }
inline void append(std::string& out, char v) { out += v; }
inline void append(std::string& out, bool v) { out += v ? "true" : "false"; }
template <class T>
void append_any(std::string& out, const T& v) {
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, char>) append(out, v);
  else if constexpr (std::is_floating_point_v<T>) append(out, double(v));
  else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) append(out, static_cast<long long>(v));
  else if constexpr (std::is_integral_v<T>) append(out, static_cast<unsigned long long>(v));
  else if constexpr (std::is_convertible_v<T, std::string_view>) append(out, std::string_view(v));
  else append(out, std::string_view(to_string(v)));  // found by the type's own namespace
}
}  // namespace detail

// text("pad ", 3, " of ", shape) -> one string; numbers, strings and anything with to_string().
template <class... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (detail::append_any(out, parts), ...);
  return out;
}

struct Condition {  // captures the caller's place without a macro
  bool ok;
  SourceLocation at;
  Condition(bool b, SourceLocation l = SourceLocation::current()) : ok(b), at(l) {}
};

// Throws Error when the condition does not hold. check({ok, at}, ...) names another place than this line.
template <class... Parts>
void check(Condition condition, const Parts&... parts) {
  if (!condition.ok) [[unlikely]]
    throw Error(text(parts...), condition.at);
}

// What cannot happen unless Kern itself is wrong.
template <class... Parts>
void internal_check(Condition condition, const Parts&... parts) {
  if (!condition.ok) [[unlikely]]
    throw InternalError(text(parts...), condition.at);
}

}  // namespace kern
