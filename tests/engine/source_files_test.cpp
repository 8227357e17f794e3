// A test program that was compiled elsewhere finds its files where KERN_SOURCE_DIR says.
#include "tests/support/source_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace kern {
namespace {

TEST(SourceFiles, an_environment_variable_names_another_checkout) {
  const char* before = std::getenv("KERN_SOURCE_DIR");
  const std::string kept = before ? before : "";
  setenv("KERN_SOURCE_DIR", "/elsewhere", 1);
  EXPECT_EQ(testing::source_file("tests/a.txt"), "/elsewhere/tests/a.txt");
  setenv("KERN_SOURCE_DIR", "", 1);  // empty: as if it were not set
  EXPECT_NE(testing::source_file("tests/a.txt"), "/tests/a.txt");
  if (before) setenv("KERN_SOURCE_DIR", kept.c_str(), 1);
  else unsetenv("KERN_SOURCE_DIR");
}

}  // namespace
}  // namespace kern
