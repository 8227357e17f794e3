#include "engine/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

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

TEST(AtomicFile, nothing_that_stands_in_its_way_is_opened_or_kept) {
  for (const auto kind : {AtomicFile::Temporary::unnamed, AtomicFile::Temporary::named}) {
    const auto folder = fresh_folder("kern_atomic_way");
    write_file(folder / "target", "old");
    fs::create_symlink("target", folder / "link");
    {
      AtomicFile file(folder / "link", kind);
      file.write("new");
      EXPECT_EQ(read_file(folder / "target"), "old");
      file.commit();
    }
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
    EXPECT_EQ(read_file(folder / "target"), "new");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 2);
    fs::create_symlink("nowhere", folder / "dangling");
    {
      AtomicFile file(folder / "dangling", kind);
      file.write("made");
      file.commit();
    }
    EXPECT_EQ(read_file(folder / "nowhere"), "made");
    fs::create_symlink("round", folder / "round");
    EXPECT_THROW(AtomicFile(folder / "round", kind), Error);
    const std::string longest(240, 'x');
    AtomicFile file(folder / longest, kind);
    file.write("x");
    file.commit();
    EXPECT_TRUE(fs::exists(folder / longest));
    EXPECT_THROW(AtomicFile(folder, kind), Error) << "a folder";
  }
}

TEST(AtomicFile, a_killed_writer_leaves_nothing) {
  const auto folder = fresh_folder("kern_atomic_killed");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AtomicFile file(folder / "a");
    file.write("half");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  // Where the file system knows no files without names one is left, whose ending says what it is.
  for (const auto& entry : fs::directory_iterator(folder))
    EXPECT_TRUE(entry.path().extension().string().starts_with(".tmp")) << entry.path();
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
