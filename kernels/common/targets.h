// Class numbers as targets: 0 .. K-1, or kIgnore for a row that takes no part.
#pragma once
#include <cmath>
#include <complex>
#include <cstdint>

#include "kernels/common/error.h"
#include "kernels/common/isa.h"

namespace kern::kernels {

inline constexpr int32_t kIgnore = -1;

// Whether a row with this target counts. A kernel on a GPU cannot throw: it leaves out rows with impossible targets as
// it does those to ignore.
constexpr bool takes_part(int32_t target, int64_t classes) { return target >= 0 && target < classes; }

// For a target that is neither a class nor kIgnore.
[[noreturn]] inline void throw_bad_target(const char* op, int64_t classes, int64_t row, int32_t target) {
  throw Error(text(op, ": the target of row ", row, " is ", target, "; with ", classes, " classes it must be 0 to ",
                   classes - 1, ", or ", kIgnore, " for a row to ignore. Map the labels to class numbers first"));
}

// Whether one logit decides between classes 0 and 1 (by the sigmoid), and how many classes k logits tell apart.
constexpr bool is_binary(int64_t k) { return k == 1; }
constexpr int64_t class_count(int64_t k) { return is_binary(k) ? 2 : k; }

// The first of n targets that is neither one of `classes` nor kIgnore, or -1.
inline int64_t first_bad_target(const int32_t* target, int64_t n, int64_t classes) {
  const auto number = [=](int64_t i) { return uint32_t(target[i]) - uint32_t(kIgnore); };
  uint32_t largest = 0;
  for (int64_t i = 0; i < n; ++i) largest = largest < number(i) ? number(i) : largest;  // vectorises: no way out
  for (int64_t i = 0; largest > uint64_t(classes) && i < n; ++i)
    if (number(i) > uint64_t(classes)) return i;
  return -1;
}

template <Isa isa>
int64_t first_bad_target(const int32_t* target, int64_t n, int64_t classes) {
  int64_t bad = -1;
  on_isa<isa>([&] { bad = first_bad_target(target, n, classes); });
  return bad;
}

// The probability of class k, as 1 / (1 + sum of exp of the others' lead).
template <class T>
T class_probability(const T* x, int64_t classes, int64_t k) {
  T others = is_binary(classes) ? std::exp(-x[0]) : T(0);
  for (int64_t j = 0; j < classes; ++j)
    if (j != k) others += std::exp(x[j] - x[k]);
  return T(1) / (T(1) + others);
}

}  // namespace kern::kernels
