#include "data/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace kern::data {
namespace {
bool parse_all(const char* begin, const char* end, double& value) {
  double v;
  const auto [stop, error] = std::from_chars(begin, end, v);
  if (error != std::errc() || stop != end || !std::isfinite(v)) return false;
  value = v;
  return true;
}
}  // namespace

bool parse_number(std::string_view text, double& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);  // from_chars knows no plus
  if (parse_all(text.data(), text.data() + text.size(), value)) return true;
  // 1.5D+03: from_chars stops at the D. No number worth reading is longer than the buffer.
  char buffer[64];
  const size_t d = text.find_first_of("dD");
  if (d == text.npos || text.size() > sizeof buffer) return false;
  std::copy(text.begin(), text.end(), buffer);
  buffer[d] = 'e';
  return parse_all(buffer, buffer + text.size(), value);
}

}  // namespace kern::data
