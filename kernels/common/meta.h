// An implementation's meta twin is the same implementation whose kernels do nothing: whatever returns a value (supports, workspace) stays,
// every entry that returns nothing is replaced. With it the code of a whole step can run without computing anything
// (engine/dry_run.h).
#pragma once
#include <cstddef>
#include <type_traits>
#include <utility>

namespace kern::kernels {

// Whether select() hands meta twins to this thread.
bool meta_impls();
bool set_meta_impls(bool on);  // returns what it was

namespace detail {

struct AnyMember {
  template <class T>
  operator T() const;  // never called: only for counting
};
template <class Impl, size_t... i>
constexpr bool takes_members(std::index_sequence<i...>) {
  return requires { Impl{(void(i), AnyMember{})...}; };
}
constexpr size_t kMaxMembers = 13;
template <class Impl, size_t n = kMaxMembers + 1>
constexpr size_t member_count() {
  if constexpr (takes_members<Impl>(std::make_index_sequence<n>())) return n;
  else return member_count<Impl, n - 1>();
}

template <class... A>
void do_nothing(A...) {}
template <class T>
void empty_entry(T&) {}
template <class... A>
void empty_entry(void (*&entry)(A...)) {
  if (entry) entry = do_nothing<A...>;
}

}  // namespace detail

// Calls f with every member of an implementation in turn. An implementation is a plain aggregate; C++ has no better way to name its members.
template <class Impl, class F>
void for_each_member(Impl& impl, F&& f) {
  constexpr size_t n = detail::member_count<std::remove_const_t<Impl>>();
  static_assert(n >= 3 && n <= detail::kMaxMembers, "an implementation of this many members needs another line below");
  auto each = [&](auto&... member) { (f(member), ...); };
  if constexpr (n == 3) {
    auto& [a, b, c] = impl;
    each(a, b, c);
  } else if constexpr (n == 4) {
    auto& [a, b, c, d] = impl;
    each(a, b, c, d);
  } else if constexpr (n == 5) {
    auto& [a, b, c, d, e] = impl;
    each(a, b, c, d, e);
  } else if constexpr (n == 6) {
    auto& [a, b, c, d, e, g] = impl;
    each(a, b, c, d, e, g);
  } else if constexpr (n == 7) {
    auto& [a, b, c, d, e, g, h] = impl;
    each(a, b, c, d, e, g, h);
  } else if constexpr (n == 8) {
    auto& [a, b, c, d, e, g, h, i] = impl;
    each(a, b, c, d, e, g, h, i);
  } else if constexpr (n == 9) {
    auto& [a, b, c, d, e, g, h, i, j] = impl;
    each(a, b, c, d, e, g, h, i, j);
  } else if constexpr (n == 10) {
    auto& [a, b, c, d, e, g, h, i, j, k] = impl;
    each(a, b, c, d, e, g, h, i, j, k);
  } else if constexpr (n == 11) {
    auto& [a, b, c, d, e, g, h, i, j, k, l] = impl;
    each(a, b, c, d, e, g, h, i, j, k, l);
  } else if constexpr (n == 12) {
    auto& [a, b, c, d, e, g, h, i, j, k, l, m] = impl;
    each(a, b, c, d, e, g, h, i, j, k, l, m);
  } else if constexpr (n == 13) {
    auto& [a, b, c, d, e, g, h, i, j, k, l, m, o] = impl;
    each(a, b, c, d, e, g, h, i, j, k, l, m, o);
  }
}

namespace detail {
// What make(implementation) gave when this implementation was first asked for; kept for good.
const void* made_once(const void* impl, const void* (*make)(const void* impl));
}  // namespace detail

// The twin of an implementation of static storage duration. Made once and kept for good: backward functions hold on to it.
template <class Impl>
const Impl& meta_twin(const Impl& impl) {
  return *static_cast<const Impl*>(detail::made_once(&impl, [](const void* original) -> const void* {
    auto* twin = new Impl(*static_cast<const Impl*>(original));
    for_each_member(*twin, [](auto& member) { detail::empty_entry(member); });
    return twin;
  }));
}

}  // namespace kern::kernels
