// fmt is header-only here, so that the program needs no libfmt where it runs, and formatting would be compiled in every
// file that formats: half of such a file's time or more. Part of the precompiled headers; engine/fmt_once.cpp holds the
// one copy. Another version than the one this was written for is compiled everywhere, as without this.
#pragma once
#include <fmt/format.h>

#if FMT_VERSION >= 90000 && FMT_VERSION < 100000
#define KERN_FMT_ONCE
FMT_BEGIN_NAMESPACE
namespace detail {
extern template void vformat_to<char>(buffer<char>&, string_view, format_args, locale_ref);
}
FMT_END_NAMESPACE
#endif
