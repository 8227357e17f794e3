// While one of these is in scope, what is allocated and never freed is not held against a test: libraries that are not
// ours may keep memory for good. Nothing without LeakSanitizer.
#pragma once

extern "C" __attribute__((weak)) void __lsan_disable();
extern "C" __attribute__((weak)) void __lsan_enable();

namespace kern::testing {

class LeaksOfOthers {
 public:
  LeaksOfOthers() {
    if (__lsan_disable) __lsan_disable();
  }
  ~LeaksOfOthers() {
    if (__lsan_enable) __lsan_enable();
  }
  LeaksOfOthers(const LeaksOfOthers&) = delete;
  LeaksOfOthers& operator=(const LeaksOfOthers&) = delete;
};

}  // namespace kern::testing
