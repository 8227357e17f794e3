#include "kernels/common/error.h"

#include <charconv>

namespace kern {
namespace {
std::string place(SourceLocation at) {
  std::string_view file = at.file;
  // From the tree's top: the absolute path of the machine that built it helps nobody.
  for (std::string_view room :
       {"/kernels/", "/engine/", "/layers/", "/models/", "/data/", "/training/", "/apps/", "/tests/"})
    if (auto i = file.rfind(room); i != file.npos) {
      file.remove_prefix(i + 1);
      break;
    }
  return text("  [", file, ":", at.line, " in ", at.function, "]");
}
template <class T>
void append_number(std::string& out, T v) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  out.append(buffer, end);
}
}  // namespace

Error::Error(std::string sentence, SourceLocation at)
    : std::runtime_error(sentence + place(at)), sentence_(std::move(sentence)) {}

namespace detail {
void append(std::string& out, double v) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::general, 6).ptr;
  out.append(buffer, end);
}
void append(std::string& out, long long v) { append_number(out, v); }
void append(std::string& out, unsigned long long v) { append_number(out, v); }
}  // namespace detail
}  // namespace kern
