// The program itself, run as a person runs it: arguments in; exit code, stdout and stderr out.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace kern::testing {

// The paths of the two programs.
const char* kern_program();
const char* opendtect_program();

// A new empty folder, removed with its content at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct Result {
  int code = -1;   // exit code; -1: ended by a signal
  int signal = 0;  // which
  std::string out, err;
};

using Arguments = std::vector<std::string>;
using Environment = std::vector<std::pair<std::string, std::string>>;

// A running `kern`; killed at the end of its scope.
class Process {
 public:
  explicit Process(const Arguments& arguments, const Environment& environment = {},
                   const char* program = kern_program());
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  bool running();
  void send(int signal);
  Result wait();  // after two minutes it is killed, which fails the test

 private:
  TemporaryFolder folder_;  // holds its output
  int pid_ = -1, status_ = 0;
  bool ended_ = false;
};

Result run(const Arguments& arguments, const Environment& environment = {});
// The same for what must succeed: the output is shown otherwise.
Result run_well(const Arguments& arguments, const Environment& environment = {});
// `kern` by so many ranks on this machine, one thread each; one is the program by itself.
// Where mpi_launcher() is null there is only the latter.
const char* mpi_launcher();  // null: built without MPI
Result run_ranks(int ranks, const Arguments& arguments, const Environment& environment = {});
Result run_ranks_well(int ranks, const Arguments& arguments, const Environment& environment = {});
// The same for what must fail: one sentence on stderr that holds all the words, and the exit code.
void expect_refusal(const Arguments& arguments, const std::vector<std::string>& words, int code = 1);

bool contains(const std::string& text, const std::string& part);
// Files below a folder, relative, sorted; without the lock of a run.
std::vector<std::string> files_below(const std::filesystem::path& folder);

// Small wells and a small network, for tests that are about something else.
void synthesize(const std::string& folder, int wells = 6, int samples = 200);
Arguments train_arguments(const std::string& data, const std::string& run, const Arguments& more = {});

}  // namespace kern::testing
