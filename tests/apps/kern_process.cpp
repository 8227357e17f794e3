#include "tests/apps/kern_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "engine/atomic_file.h"
#include "kernels/common/sanitizer.h"

namespace kern::testing {

const char* kern_program() { return KERN_PROGRAM; }
const char* opendtect_program() { return KERN_OPENDTECT_PROGRAM; }

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "kern_test_XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Process::Process(const Arguments& arguments, const Environment& environment, const char* program) {
  const std::string out = folder_ / "out", err = folder_ / "err";
  std::vector<char*> argv{const_cast<char*>(program)};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::dup2(::open("/dev/null", O_RDONLY), 0);
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0644), 1);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0644), 2);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

Process::~Process() {
  if (!running()) return;
  send(SIGKILL);
  ::waitpid(pid_, &status_, 0);
}

bool Process::running() {
  if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) != 0;
  return !ended_;
}

void Process::send(int signal) {
  if (running()) ::kill(pid_, signal);
}

Result Process::wait() {
  constexpr int kMinutes = kAddressSanitizer ? 5 : 2;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(kMinutes);
  while (running()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "kern did not end within " << kMinutes << " minutes";
      send(SIGKILL);
      ::waitpid(pid_, &status_, 0);
      ended_ = true;
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  Result r;
  if (WIFEXITED(status_)) r.code = WEXITSTATUS(status_);
  else r.signal = WTERMSIG(status_);
  r.out = read_file(folder_ / "out");
  r.err = read_file(folder_ / "err");
  return r;
}

Result run(const Arguments& arguments, const Environment& environment) {
  return Process(arguments, environment).wait();
}

namespace {
Result expect_done(Result r, const Arguments& arguments) {
  std::string line;
  for (const std::string& a : arguments) line += " " + a;
  EXPECT_EQ(r.code, 0) << "kern" << line << "\n" << r.out << r.err;
  return r;
}
}  // namespace

Result run_well(const Arguments& arguments, const Environment& environment) {
  return expect_done(run(arguments, environment), arguments);
}

const char* mpi_launcher() {
#ifdef KERN_MPI_LAUNCHER
  return KERN_MPI_LAUNCHER;
#else
  return nullptr;
#endif
}

Result run_ranks(int ranks, const Arguments& arguments, const Environment& environment) {
  if (ranks == 1) return run(arguments, environment);
  Arguments all{"-n", std::to_string(ranks), kern_program()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  // Open MPI wants to be told that root and few processors are meant.
  Environment set{{"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                  {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
                  {"OMPI_MCA_rmaps_base_oversubscribe", "1"}};
  set.insert(set.end(), environment.begin(), environment.end());
  return Process(all, set, mpi_launcher()).wait();
}
Result run_ranks_well(int ranks, const Arguments& arguments, const Environment& environment) {
  return expect_done(run_ranks(ranks, arguments, environment), arguments);
}

void expect_refusal(const Arguments& arguments, const std::vector<std::string>& words, int code) {
  const Result r = run(arguments);
  std::string line;
  for (const std::string& a : arguments) line += " " + a;
  EXPECT_EQ(r.code, code) << "kern" << line << "\n" << r.out << r.err;
  EXPECT_TRUE(contains(r.err, "error: ")) << r.err;
  for (const std::string& word : words)
    EXPECT_TRUE(contains(r.err, word)) << "kern" << line << "\nexpected: " << word << "\n" << r.err;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename() != ".lock")
      files.push_back(fs::relative(entry.path(), folder).string());
  std::sort(files.begin(), files.end());
  return files;
}

void synthesize(const std::string& folder, int wells, int samples) {
  run_well({"wells", "synthesize", "out=" + folder, "wells=" + std::to_string(wells),
            "samples=" + std::to_string(samples), "seed=3"});
}

Arguments train_arguments(const std::string& data, const std::string& run_folder, const Arguments& more) {
  Arguments a{"wells",
              "train",
              "data=" + data,
              "label=FACIES",
              "run=" + run_folder,
              "epochs=6",
              "model=unet_strided",
              "channels=[4,8]",
              "strides=[2]",
              "residual_units=1",
              "kernel=3",
              "window=64",
              "batch=2",
              "lr=0.002",
              "threads=1",
              "report_wells=1"};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

}  // namespace kern::testing
