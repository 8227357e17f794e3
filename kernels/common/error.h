// Errors are sentences: the op or file, what was given, what was expected, what to do.
//
//   check(w.dim(3) == x.dim(3), "conv2d: input has ", x.dim(3), " channels, the filter expects ", w.dim(3));
//
// Error is the user's (exit code 1 of the program), InternalError is ours (exit code 3).
#pragma once
#include <initializer_list>
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

// One piece of a sentence: what it is, by reference, and how it is written. The usual types are written in error.cpp:
// sentences stand in every file, and almost none is ever put together.
class TextPart {
 public:
  TextPart(const char* v);
  TextPart(const std::string_view& v);
  TextPart(const std::string& v);
  TextPart(const bool& v);
  TextPart(const char& v);
  TextPart(const int& v);
  TextPart(const long& v);
  TextPart(const long long& v);
  TextPart(const unsigned& v);
  TextPart(const unsigned long& v);
  TextPart(const unsigned long long& v);
  TextPart(const float& v);
  TextPart(const double& v);
  template <class T>
  TextPart(const T& v) : value_(&v), append_(write<T>) {}
  void append_to(std::string& out) const { append_(out, value_); }

 private:
  using Append = void (*)(std::string& out, const void* value);
  TextPart(const void* value, Append append) : value_(value), append_(append) {}
  template <class T>
  static void write(std::string& out, const void* value) {
    const T& v = *static_cast<const T*>(value);
    if constexpr (std::is_integral_v<T>) TextPart(+v).append_to(out);
    else if constexpr (std::is_convertible_v<T, std::string_view>) out += std::string_view(v);
    else out += std::string_view(to_string(v));  // found by the type's own namespace
  }

  const void* value_;
  Append append_;
};
std::string text_of(std::initializer_list<TextPart> parts);
[[noreturn]] void fail(SourceLocation at, std::initializer_list<TextPart> parts);             // Error
[[noreturn]] void fail_internally(SourceLocation at, std::initializer_list<TextPart> parts);  // InternalError

}  // namespace detail

// text("pad ", 3, " of ", shape) -> one string; numbers, strings and anything with to_string().
template <class... Parts>
std::string text(const Parts&... parts) {
  return detail::text_of({detail::TextPart(parts)...});
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
    detail::fail(condition.at, {detail::TextPart(parts)...});
}

// What cannot happen unless Kern itself is wrong.
template <class... Parts>
void internal_check(Condition condition, const Parts&... parts) {
  if (!condition.ok) [[unlikely]]
    detail::fail_internally(condition.at, {detail::TextPart(parts)...});
}

}  // namespace kern
