// Targets for losses of class numbers, and what such a loss says of a wrong one.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "kernels/common/philox.h"
#include "kernels/common/targets.h"
#include "tests/support/device_memory.h"

namespace kern::testing {

// 0 .. classes - 1; every third ignored where `ignore`.
inline Values<int32_t> class_targets(int64_t rows, int64_t classes, bool ignore) {
  Values<int32_t> t(size_t(rows), 0);
  for (int64_t i = 0; i < rows; ++i) {
    const uint32_t random = kernels::philox({5, 5}, uint32_t(i), 0, 0, 0).v[0];
    t[size_t(i)] = ignore && i % 3 == 1 ? kernels::kIgnore : int32_t(random % uint32_t(classes));
  }
  return t;
}

// Targets of which some are impossible, and the same with those ignored: a GPU takes the one for the other.
inline std::pair<Values<int32_t>, Values<int32_t>> impossible_and_ignored(int64_t rows, int64_t classes) {
  Values<int32_t> wrong = class_targets(rows, classes, true), ignored = wrong;
  const int32_t impossible[] = {int32_t(classes), 255, -2, INT32_MIN, INT32_MAX};
  for (int64_t i = 0; i < rows; i += 7) wrong[size_t(i)] = impossible[i / 7 % 5], ignored[size_t(i)] = kernels::kIgnore;
  return {wrong, ignored};
}

// forward(targets of 20000 rows) must name the first impossible target, whatever the order of the threads. On the CPU.
template <class Forward>
void expect_first_bad_target(const std::string& op, int classes, Forward&& forward) {
  std::vector<int32_t> target(20000, 1);
  target[19000] = 255, target[7000] = classes, target[15000] = -2;
  try {
    forward(target.data());
    ADD_FAILURE() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.sentence(),
              text(op, ": the target of row 7000 is ", classes, "; with ", classes, " classes it must be 0 to ",
                   classes - 1, ", or -1 for a row to ignore. Map the labels to class numbers first"));
  }
}

}  // namespace kern::testing
