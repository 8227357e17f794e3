#include "kernels/common/error.h"

#include <charconv>

namespace kern {
namespace {
std::string place(SourceLocation at) {
  std::string_view file = at.file;
  // From the tree's top: the absolute path of the machine that built it helps nobody.
  for (std::string_view library :
       {"/kernels/", "/engine/", "/layers/", "/models/", "/data/", "/training/", "/apps/", "/tests/"})
    if (auto i = file.rfind(library); i != file.npos) {
      file.remove_prefix(i + 1);
      break;
    }
  return text("  [", file, ":", at.line, " in ", at.function, "]");
}
template <class T>
void write_usual(std::string& out, const void* value) {
  const T& v = *static_cast<const T*>(value);
  if constexpr (std::is_same_v<T, bool>) out += v ? "true" : "false";
  else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, char>) {
    char buffer[40];
    char* end = nullptr;
    if constexpr (std::is_floating_point_v<T>)
      end = std::to_chars(buffer, buffer + sizeof buffer, double{v}, std::chars_format::general, 6).ptr;
    else end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    out.append(buffer, end);
  } else out += v;
}
void write_characters(std::string& out, const void* value) { out += static_cast<const char*>(value); }
}  // namespace

Error::Error(std::string sentence, SourceLocation at)
    : std::runtime_error(sentence + place(at)), sentence_(std::move(sentence)) {}

namespace detail {
TextPart::TextPart(const char* v) : TextPart(v, write_characters) {}
TextPart::TextPart(const std::string_view& v) : TextPart(&v, write_usual<std::string_view>) {}
TextPart::TextPart(const std::string& v) : TextPart(&v, write_usual<std::string>) {}
TextPart::TextPart(const bool& v) : TextPart(&v, write_usual<bool>) {}
TextPart::TextPart(const char& v) : TextPart(&v, write_usual<char>) {}
TextPart::TextPart(const int& v) : TextPart(&v, write_usual<int>) {}
TextPart::TextPart(const long& v) : TextPart(&v, write_usual<long>) {}
TextPart::TextPart(const long long& v) : TextPart(&v, write_usual<long long>) {}
TextPart::TextPart(const unsigned& v) : TextPart(&v, write_usual<unsigned>) {}
TextPart::TextPart(const unsigned long& v) : TextPart(&v, write_usual<unsigned long>) {}
TextPart::TextPart(const unsigned long long& v) : TextPart(&v, write_usual<unsigned long long>) {}
TextPart::TextPart(const float& v) : TextPart(&v, write_usual<float>) {}
TextPart::TextPart(const double& v) : TextPart(&v, write_usual<double>) {}

std::string text_of(std::initializer_list<TextPart> parts) {
  std::string out;
  for (const TextPart& part : parts) part.append_to(out);
  return out;
}
void fail(SourceLocation at, std::initializer_list<TextPart> parts) { throw Error(text_of(parts), at); }
void fail_internally(SourceLocation at, std::initializer_list<TextPart> parts) {
  throw InternalError(text_of(parts), at);
}
}  // namespace detail
}  // namespace kern
