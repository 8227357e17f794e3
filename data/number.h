// Numbers as the field's files write them, independent of the locale.
#pragma once
#include <string_view>

namespace kern::data {

// Reads the whole of `text` as one finite number: an optional sign, digits, a decimal point, an exponent after e, E, d
// or D (Fortran). False, and `value` untouched, for anything else: words, inf, nan, 1e999, an empty text.
bool parse_number(std::string_view text, double& value);

}  // namespace kern::data
