// Started by mpirun with several ranks (tests/CMakeLists.txt): each test runs on all of them.
#include "engine/agreement.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "engine/atomic_file.h"
#include "engine/communicator.h"

namespace kern {
namespace {
namespace fs = std::filesystem;

std::string sentence_of(const std::function<void()>& work) {
  try {
    together(work);
  } catch (const AgreedError& e) {
    return e.sentence();
  }
  return "none";
}

// A folder of this test run, the same on all ranks.
fs::path common_folder() {
  const fs::path folder =
      fs::temp_directory_path() / ("kern_ranks_" + communicator().gather(std::to_string(::getpid()))[0]);
  if (communicator().root()) fs::create_directories(folder);
  communicator().barrier();
  return folder;
}

TEST(Agreement, AnErrorOfOneIsAllRanks) {
  const int rank = communicator().rank();
  EXPECT_EQ(sentence_of([] {}), "none");
  EXPECT_EQ(sentence_of([&] { check(rank != 1, "the disk is full"); }), "rank 1: the disk is full");
  EXPECT_EQ(sentence_of([] { throw Error("no such file"); }), "no such file");
  // Before, between and behind exchanges: nobody is left waiting.
  for (int at = 0; at < 3; ++at) {
    int reached = 0;
    const std::string sentence = sentence_of([&] {
      for (; reached < 2; ++reached) {
        check(rank != 0 || reached != at, "step ", at);
        EXPECT_EQ(agree(std::to_string(rank + reached)).back(), std::to_string(communicator().size() - 1 + reached));
      }
      check(rank != 0 || reached != at, "step ", at);
    });
    EXPECT_EQ(sentence, "rank 0: step " + std::to_string(at));
    EXPECT_EQ(reached, at);
  }
}

TEST(Agreement, AFileThatAllWriteAppearsWhole) {
  const fs::path folder = common_folder(), path = folder / "file";
  const int rank = communicator().rank(), size = communicator().size();
  const auto write = [&](int64_t bytes) {
    AtomicFile file(path, AtomicFile::Temporary::shared);
    if (rank == 0) file.extend(bytes * size);
    const std::string mine(size_t(bytes), char('a' + rank));
    file.write_at(bytes * rank, mine.data(), mine.size());
    check(bytes != 3 || rank != 1, "cannot");
    EXPECT_FALSE(fs::exists(path));
    agree();
    file.commit();
  };
  EXPECT_EQ(sentence_of([&] { write(3); }), "rank 1: cannot");
  communicator().barrier();
  EXPECT_TRUE(fs::is_empty(folder)) << "what was begun is left behind";
  communicator().barrier();
  EXPECT_EQ(sentence_of([&] { write(5000); }), "none");
  std::string expected;
  for (int r = 0; r < size; ++r) expected += std::string(5000, char('a' + r));
  EXPECT_EQ(read_file(path), expected);
  EXPECT_EQ(sentence_of([&] { check_shared(folder, true); }), "none");
  const fs::path others = folder / std::to_string(rank);
  fs::create_directories(others);
  EXPECT_TRUE(sentence_of([&] { check_shared(others); }).find("not the one that rank 0 sees") != std::string::npos);
  EXPECT_TRUE(fs::is_empty(others));
  communicator().barrier();
  if (rank == 0) fs::remove_all(folder);
}

TEST(Agreement, ARankWorksAlone) {
  const int rank = communicator().rank(), size = communicator().size();
  if (rank == 1) {  // and nobody else
    const WorkAlone alone;
    EXPECT_TRUE(communicator().alone() && communicator().root());
    EXPECT_EQ(communicator().local_rank(), 1);
    EXPECT_EQ(communicator().local_size(), size);
    EXPECT_EQ(communicator().sum(2.0), 2.0);
    EXPECT_EQ(agree("mine"), std::vector<std::string>{"mine"});
  }
  EXPECT_EQ(communicator().rank(), rank);
  EXPECT_EQ(communicator().sum(int64_t(1)), size);
}

}  // namespace
}  // namespace kern
