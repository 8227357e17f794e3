// Text of unknown origin made UTF-8.
#pragma once
#include <string>
#include <string_view>

namespace kern::data {

// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view bytes);

// UTF-8 as it is; anything else is read as Windows-1252, which is Latin-1 with letters where Latin-1 has control codes.
std::string to_utf8(std::string_view bytes);

// UTF-8 as it is; in anything else each byte that is no ASCII is written as %E9, so that names that differ stay so.
std::string escaped_utf8(std::string_view bytes);

}  // namespace kern::data
