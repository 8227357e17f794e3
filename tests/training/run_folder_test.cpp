#include "training/run_folder.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <limits>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "tests/support/error_of.h"

namespace kern::training {
namespace {
namespace fs = std::filesystem;

fs::path no_folder(const std::string& name) {
  const fs::path folder = fs::path(::testing::TempDir()) / ("kern_run_" + name + std::to_string(::getpid()));
  fs::remove_all(folder);
  return folder;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

TEST(RunFolder, a_new_run_writes_and_finishes) {
  const auto folder = no_folder("new") / "deep" / "inside";
  {
    const auto run = RunFolder::create(folder);
    EXPECT_FALSE(run.resumed());
    run.write("config.yaml", "lr: 1\n");
    run.write("figures/loss.svg", "<svg/>");
    run.write_result("{\"accuracy\": 0.5}\n");
    run.csv("metrics.csv", {"epoch", "loss"}).append({1, 0.5});
    run.finish();
  }
  EXPECT_EQ(read_file(folder / "figures/loss.svg"), "<svg/>");
  EXPECT_EQ(read_file(folder / "metrics.csv"), "epoch,loss\n1,0.5\n");
  const auto error = testing::error_of([&] { RunFolder::create(folder); });
  EXPECT_TRUE(has(error, "holds a finished run")) << error;
  EXPECT_TRUE(has(error, "resume=" + folder.string())) << error;
  const auto again = RunFolder::resume(folder);
  EXPECT_TRUE(again.resumed());
  EXPECT_TRUE(again.was_finished());
}

TEST(RunFolder, a_run_that_fails_before_it_begins_leaves_no_folder) {
  const auto above = no_folder("failed");
  const auto fails = [](const fs::path& folder) {
    testing::error_of([&] {
      const auto run = RunFolder::create(folder);
      run.write("config.yaml", "lr: 1\n");
      throw Error("no data");
    });
  };
  fails(above / "deep" / "inside/");
  EXPECT_FALSE(fs::exists(above));
  make_folder(above);
  fails(above / "deep" / "." / "inside");
  EXPECT_TRUE(fs::exists(above)) << "it was there before";
  EXPECT_FALSE(fs::exists(above / "deep"));
  make_folder(above / "mine");
  write_file(above / "mine/notes.txt", "precious");
  fails(above / "mine" / "run");
  EXPECT_FALSE(fs::exists(above / "mine/run"));
  EXPECT_TRUE(fs::exists(above / "mine/notes.txt"));
}

TEST(RunFolder, what_is_not_a_run_is_left_alone) {
  const auto folder = no_folder("foreign");
  make_folder(folder);
  write_file(folder / "thesis.txt", "precious");
  auto error = testing::error_of([&] { RunFolder::create(folder); });
  EXPECT_TRUE(has(error, "holds files that are not a run of Kern")) << error;
  error = testing::error_of([&] { RunFolder::resume(folder); });
  EXPECT_TRUE(has(error, "is not a run of Kern")) << error;
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "not even a lock file may appear";
  error = testing::error_of([&] { RunFolder::resume(no_folder("missing")); });
  EXPECT_TRUE(has(error, "there is no run to resume in")) << error;
  for (const char* broken : {"", "{", "[]", "{\"state\": 3}"}) {
    write_file(folder / "run.json", broken);
    EXPECT_TRUE(has(testing::error_of([&] { RunFolder::resume(folder); }), "is not a run of Kern")) << broken;
  }
}

TEST(RunFolder, an_unfinished_run_is_lost_only_when_there_is_nothing_to_lose) {
  const auto folder = no_folder("unfinished");
  { RunFolder::create(folder).csv("metrics.csv", {"epoch"}).append({1}); }
  {
    const auto run = RunFolder::create(folder);  // it never saved a model
    EXPECT_FALSE(fs::exists(folder / "metrics.csv"));
    run.write("last.safetensors", "weights");
  }
  const auto error = testing::error_of([&] { RunFolder::create(folder); });
  EXPECT_TRUE(has(error, "holds an unfinished run with a saved model: continue it with resume=")) << error;
  EXPECT_FALSE(RunFolder::resume(folder).was_finished());
}

TEST(RunFolder, a_path_that_cannot_be_a_folder) {
  const auto folder = no_folder("file");
  make_folder(folder);
  write_file(folder / "file", "x");
  auto error = testing::error_of([&] { RunFolder::create(folder / "file"); });
  EXPECT_TRUE(has(error, "is a file, a folder was expected")) << error;
  error = testing::error_of([&] { RunFolder::create(folder / "file" / "run"); });  // fails for root too
  EXPECT_TRUE(has(error, "cannot create the folder")) << error;
  error = testing::error_of([&] { RunFolder::create("/proc/kern_run"); });
  EXPECT_TRUE(has(error, "cannot create the folder /proc/kern_run")) << error;
  EXPECT_TRUE(has(testing::error_of([&] { RunFolder::create(""); }), "has no name"));
}

TEST(RunFolder, a_folder_without_permission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const auto folder = no_folder("readonly");
  make_folder(folder);
  fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
  const auto error = testing::error_of([&] { RunFolder::create(folder); });
  fs::permissions(folder, fs::perms::owner_all);
  EXPECT_TRUE(has(error, "no permission to write there")) << error;
}

TEST(RunFolder, two_writers_are_one_too_many) {
  const auto folder = no_folder("lock");
  const auto run = RunFolder::create(folder);
  // flock belongs to the open file, so a second opening in this process stands for another process.
  auto error = testing::error_of([&] { RunFolder::resume(folder); });
  EXPECT_TRUE(has(error, "another process is writing the run")) << error;
  error = testing::error_of([&] { RunFolder::create(folder); });
  EXPECT_TRUE(has(error, "another process is writing the run")) << error;
}

TEST(RunFolder, a_killed_process_frees_the_lock) {
  const auto folder = no_folder("killed");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto run = RunFolder::create(folder);
    [[maybe_unused]] const auto n = ::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char x;
  ASSERT_EQ(::read(ready[0], &x, 1), 1);
  EXPECT_TRUE(has(testing::error_of([&] { RunFolder::resume(folder); }), "another process"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_TRUE(RunFolder::resume(folder).resumed());
}

TEST(RunFolder, the_stop_file) {
  const auto folder = no_folder("stop");
  {
    const auto run = RunFolder::create(folder);
    EXPECT_FALSE(run.stop_requested());
    write_file(folder / "stop", "");
    EXPECT_TRUE(run.stop_requested());
  }
  EXPECT_FALSE(RunFolder::resume(folder).stop_requested()) << "an old stop file must not end the resumed run at once";
}

TEST(RunFolder, too_little_space_is_said_before_the_work) {
  const auto error = testing::error_of([&] { RunFolder::create(no_folder("space"), int64_t(1) << 60); });
  EXPECT_TRUE(has(error, "free, this run needs about")) << error;
}

TEST(RunFolder, a_full_disk_loses_nothing) {
  const auto folder = no_folder("tmpfs");
  make_folder(folder);
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=256k") != 0)
    GTEST_SKIP() << "mounting a small tmpfs needs root with that capability";
  struct Unmount {
    fs::path path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } unmount{folder};
  EXPECT_TRUE(has(testing::error_of([&] { RunFolder::create(folder / "big", 1 << 20); }), "free some space"));
  const auto path = folder / "run";
  const auto run = RunFolder::create(path, 1000);
  auto metrics = run.csv("metrics.csv", {"epoch", "loss"});
  metrics.append({1, 0.5});
  run.write("config.yaml", "lr: 1\n");
  const std::string big(1 << 20, 'x');
  auto error = testing::error_of([&] { run.write("config.yaml", big); });
  EXPECT_TRUE(has(error, "config.yaml")) << error;
  EXPECT_TRUE(has(error, "the disk is full")) << error;
  EXPECT_EQ(read_file(path / "config.yaml"), "lr: 1\n") << "the file that stood there stands there still";
  {  // fill every page, then add lines until one fails
    std::ofstream filler(folder / "filler", std::ios::binary);
    filler << big;
  }
  int64_t epoch = 1;
  error = "no error";
  while (error == "no error" && epoch < 1000) {
    error = testing::error_of([&] { metrics.append({double(epoch + 1), 1.0 / 3}); });
    if (error == "no error") ++epoch;
  }
  EXPECT_TRUE(has(error, "the disk is full; free some space and resume the run")) << error;
  const auto table = read_csv_table(path / "metrics.csv");
  EXPECT_EQ(int64_t(table.rows.size()), epoch) << "every accepted line is there and no half line";
  EXPECT_EQ(read_file(path / "metrics.csv").back(), '\n');
}

TEST(CsvLog, a_resumed_table_equals_an_unbroken_one) {
  const auto folder = no_folder("resume");
  const std::vector<std::string> columns = {"epoch", "loss", "miou"};
  const auto row = [](int e) { return std::vector<double>{double(e), 1.0 / e, e == 3 ? std::nan("") : 0.1 * e}; };
  make_folder(folder);
  {
    auto unbroken = CsvLog::create(folder / "a.csv", columns);
    for (int e = 1; e <= 6; ++e) unbroken.append(row(e));
  }
  {
    auto first = CsvLog::create(folder / "b.csv", columns);
    for (int e = 1; e <= 5; ++e) first.append(row(e));  // the checkpoint was saved after epoch 4
  }
  {
    std::ofstream half(folder / "b.csv", std::ios::app);
    half << "6,0.16";  // killed in the middle of a line
  }
  {
    auto second = CsvLog::resume(folder / "b.csv", columns, 4);
    ASSERT_EQ(second.table().rows.size(), 4u);
    EXPECT_DOUBLE_EQ(second.table().rows[1][1], 0.5);
    for (int e = 5; e <= 6; ++e) second.append(row(e));
  }
  EXPECT_EQ(read_file(folder / "a.csv"), read_file(folder / "b.csv"));
  EXPECT_EQ(read_file(folder / "a.csv").substr(0, 69),
            "epoch,loss,miou\n1,1,0.1\n2,0.5,0.2\n3,0.3333333333333333,nan\n4,0.25,0.4");
}

TEST(CsvLog, special_values_read_back) {
  const auto folder = no_folder("special");
  make_folder(folder);
  const double inf = std::numeric_limits<double>::infinity();
  { CsvLog::create(folder / "a.csv", {"k", "x", "y", "z"}).append({1, -std::nan(""), inf, -inf}); }
  EXPECT_EQ(read_file(folder / "a.csv"), "k,x,y,z\n1,nan,inf,-inf\n");
  const auto row = read_csv_table(folder / "a.csv").rows.at(0);
  EXPECT_TRUE(std::isnan(row[1]));
  EXPECT_EQ(row[2], inf);
  EXPECT_EQ(row[3], -inf);
}

TEST(CsvLog, damaged_tables_are_named) {
  const auto folder = no_folder("damaged");
  make_folder(folder);
  const auto path = folder / "m.csv";
  const auto refusal = [&](const char* content) {
    write_file(path, content);
    return testing::error_of([&] { CsvLog::resume(path, {"epoch", "loss"}, 9); });
  };
  EXPECT_TRUE(has(refusal(""), "is empty"));
  EXPECT_TRUE(has(refusal("epoch,loss\n1,2\n3\n"), "m.csv line 3: 1 values where the header names 2 columns"));
  EXPECT_TRUE(has(refusal("epoch,loss\n1,abc\n"), "m.csv line 2: 'abc' is not a number"));
  EXPECT_TRUE(has(refusal("epoch,accuracy\n1,2\n"), "has the columns epoch,accuracy but this run writes epoch,loss"));
  EXPECT_EQ(read_file(path), "epoch,accuracy\n1,2\n") << "a refused table is left as it was";
  auto log = CsvLog::create(path, {"epoch", "loss"});
  log.append({2, 1});
  EXPECT_TRUE(has(testing::error_of([&] { log.append({2, 1}); }), "internal"));
  EXPECT_TRUE(has(testing::error_of([&] { log.append({3}); }), "internal"));
}

TEST(RunFolder, bytes_for_people) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(3.14e6), "3.1 MB");
  EXPECT_EQ(format_bytes(999.6e3), "1.0 MB");
  EXPECT_EQ(format_bytes(2e15), "2000 TB");
}

}  // namespace
}  // namespace kern::training
