// The one copy of fmt's formatting: cmake/fmt_once.h, where headers are precompiled.
#ifdef KERN_FMT_ONCE
FMT_BEGIN_NAMESPACE
namespace detail {
template void vformat_to<char>(buffer<char>&, string_view, format_args, locale_ref);
}
FMT_END_NAMESPACE
#endif
