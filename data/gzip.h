// Files packed by gzip (RFC 1952).
#pragma once
#include <string>
#include <string_view>

namespace kern::data {

inline bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1F\x8B"); }

// The unpacked content of one or several gzip members. Throws an Error that names the file when it is cut short or
// damaged, and when it would unpack to more than 4 GiB or to more than 200 times its size (64 MiB are always allowed).
std::string gunzip(std::string_view packed, const std::string& shown_name);

// One gzip member of these bytes, the same for the same bytes.
std::string gzip(std::string_view bytes);

}  // namespace kern::data
