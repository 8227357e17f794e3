#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "kernels/common/error.h"

namespace kern::testing {

// The sentence of the Error that f throws; "no error" where it throws none.
inline std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const InternalError& e) {
    return "an internal error: " + e.sentence();
  } catch (const Error& e) {
    return e.sentence();
  }
  return "no error";
}

inline void expect_words(const std::string& sentence, const std::vector<std::string>& words) {
  for (const std::string& word : words)
    EXPECT_NE(sentence.find(word), sentence.npos) << word << " is not in: " << sentence;
}

}  // namespace kern::testing

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)
