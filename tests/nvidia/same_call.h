// Whether our own declarations of a library say what its header says, asked of the compiler.
#pragma once
#include <type_traits>

namespace kern::testing {

template <class Ours, class Theirs>
constexpr bool same(Ours ours, Theirs theirs) {
  static_assert(sizeof(Ours) == sizeof(Theirs));
  return static_cast<long long>(ours) == static_cast<long long>(theirs);
}
// Functions that a call cannot tell apart: as many arguments, each of the same size, pointers for pointers.
template <class Ours, class Theirs>
constexpr bool argument = sizeof(Ours) == sizeof(Theirs) && std::is_pointer_v<Ours> == std::is_pointer_v<Theirs>;
template <class Ours, class Theirs>
struct SameCall : std::false_type {};
template <class R, class... A, class S, class... B>
struct SameCall<R (*)(A...), S(B...)> {
  static constexpr bool returns() {
    if constexpr (std::is_void_v<R> || std::is_void_v<S>) return std::is_void_v<R> && std::is_void_v<S>;
    else return argument<R, S>;
  }
  static constexpr bool takes() {
    if constexpr (sizeof...(A) == sizeof...(B)) return (argument<A, B> && ...);
    else return false;
  }
  static constexpr bool value = returns() && takes();
};

}  // namespace kern::testing
