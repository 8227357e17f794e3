#include "engine/atomic_file.h"

#include <gtest/gtest.h>

#include "kernels/common/error.h"

namespace kern {
namespace {
namespace fs = std::filesystem;

fs::path fresh_folder(const char* name) {
  const fs::path folder = fs::path(::testing::TempDir()) / name;
  fs::remove_all(folder);
  make_folder(folder);
  return folder;
}

TEST(AtomicFile, appears_only_at_commit) {
  const auto folder = fresh_folder("kern_atomic");
  {
    AtomicFile file(folder / "a.txt");
    file.write("half");
    EXPECT_FALSE(fs::exists(folder / "a.txt"));
  }
  EXPECT_TRUE(fs::is_empty(folder)) << "an uncommitted file leaves nothing behind";
  write_file(folder / "a.txt", "whole");
  EXPECT_EQ(read_file(folder / "a.txt"), "whole");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST(AtomicFile, errors_name_the_file) {
  try {
    write_file("/nonexistent/folder/x.txt", "x");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.sentence(), "cannot write /nonexistent/folder/x.txt: the folder does not exist");
  }
  try {
    read_file(::testing::TempDir());
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(e.sentence().find("is a folder"), std::string::npos) << e.sentence();
  }
}

}  // namespace
}  // namespace kern
