#include "apps/command.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "tests/apps/kern_process.h"
#include "tests/support/error_of.h"

namespace kern::apps {
namespace {

struct Drill {
  double depth = 10;
  std::string fail = "no", resume;
};
void describe(training::Schema& keys, Drill& c) {
  keys.section("Drilling").key("depth", c.depth, "how deep, in metres", training::above(0));
  keys.key("resume", c.resume, "a run folder to go on with");
  keys.key("fail", c.fail, "what goes wrong", training::one_of({"no", "input", "ours", "memory", "other"}));
}
void run(const Drill& c, Call& call) {
  check(c.fail != "input", "the rock is too hard: ", c.depth, " m asked");
  internal_check(c.fail != "ours", "the drill is upside down");
  if (c.fail == "memory") throw std::bad_alloc();
  if (c.fail == "other") throw std::runtime_error("something else");
  std::printf("drilled %g m\n", c.depth);
  call.figures.add("depth", c.depth);
  call.figures.add("given", call.keys.given("depth"));
  call.figures.add("name", "core \"1\"");
  call.figures.add("nothing", std::numeric_limits<double>::quiet_NaN());
  call.figures.add("layers", std::vector<std::vector<double>>{{1, 2.5}, {}});
}

const Task& task() {
  static const Task t{
      "core",
      "drilling of cores",
      {verb<Drill>("drill", "drill one", describe, run), verb<Drill>("inspect", "look at one", describe, run)}};
  return t;
}

struct Result {
  int code;
  std::string out, err;
};
Result kern(std::vector<std::string> arguments) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int code = run_command({&task()}, arguments);
  std::string out = ::testing::internal::GetCapturedStdout();
  return {code, out, ::testing::internal::GetCapturedStderr()};
}

TEST(Command, RunsAVerbWithFileAndKeys) {
  const testing::TemporaryFolder folder;
  const std::string yaml = folder / "a.yaml", json = folder / "out.json";
  write_file(yaml, "depth: 20\n");
  EXPECT_EQ(kern({"core", "drill"}).out, "drilled 10 m\n");
  EXPECT_EQ(kern({"core", "drill", yaml}).out, "drilled 20 m\n");
  EXPECT_EQ(kern({"core", "drill", "depth=30", yaml}).out, "drilled 30 m\n");
  const Result r = kern({"core", "drill", yaml, "depth=2.5", "--json", json});
  EXPECT_EQ(r.code, kDone);
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(read_file(json),
            "{\n  \"depth\": 2.5,\n  \"given\": true,\n  \"name\": \"core \\\"1\\\"\",\n  \"nothing\": null,\n"
            "  \"layers\": [\n    [\n      1,\n      2.5\n    ],\n    []\n  ]\n}\n");
}

TEST(Command, AResumedRunBeginsWithItsOwnConfiguration) {
  const testing::TemporaryFolder folder;
  write_file(folder / "config.yaml", "depth: 40\nresume: \"\"\n");
  const std::string resume = "resume=" + folder.path().string();
  EXPECT_EQ(kern({"core", "drill", resume}).out, "drilled 40 m\n");
  EXPECT_EQ(kern({"core", "drill", "depth=50", resume}).out, "drilled 50 m\n");
  EXPECT_EQ(
      kern({"core", "drill", "resume=no/such/run"}).err,
      "error: resume=no/such/run is not the folder of a run: there is no no/such/run/config.yaml. Name the folder that "
      "an earlier training had as run=\n");
}

TEST(Command, HelpAtEveryLevel) {
  EXPECT_NE(kern({"--help"}).out.find("core"), std::string::npos);
  EXPECT_NE(kern({"-h"}).out.find("info"), std::string::npos);
  EXPECT_NE(kern({"core", "--help"}).out.find("drill one"), std::string::npos);
  EXPECT_NE(kern({"core", "drill", "--help"}).out.find("--help-keys"), std::string::npos);
  EXPECT_EQ(kern({"core", "drill", "--help"}).code, kDone);
  EXPECT_NE(kern({"core", "drill", "--help-keys"})
                .out.find("  depth=10\n      how deep, in metres (number, greater than 0)\n"),
            std::string::npos);
  EXPECT_NE(
      kern({"core", "drill", "--help-keys", "--markdown"}).out.find("| `depth` | number, greater than 0 | `10` |"),
      std::string::npos);
  EXPECT_EQ(kern({"help", "core", "drill"}).out, kern({"core", "drill", "--help"}).out);
  EXPECT_EQ(kern({"help"}).out, kern({"--help"}).out);
  EXPECT_EQ(kern({"--version"}).out.substr(0, 5), "kern ");
  EXPECT_EQ(kern({}).code, kUsage);
  EXPECT_NE(kern({}).err.find("core"), std::string::npos);
  EXPECT_EQ(kern({"core"}).code, kUsage);
  EXPECT_NE(kern({"core"}).err.find("inspect"), std::string::npos);
}

struct Saw {
  double depth = 10, speed = 3;
};
void describe_saw(training::Schema& keys, Saw& c) {
  keys.section("Drilling (of all kinds)").key("depth", c.depth, "how deep, in metres", training::above(0));
  keys.section("Sawing").key("speed", c.speed, "in metres a second");
}
void run_saw(const Saw&, Call&) {}

TEST(Command, ThePageSaysAKeyOnceWhereverItIs) {
  const Task saw{"saw", "sawing of cores", {verb<Saw>("cut", "cut one", describe_saw, run_saw)}};
  const std::string page = configuration_page({&task(), &saw});
  const auto count = [&](const std::string& what) {
    int n = 0;
    for (size_t at = page.find(what); at != page.npos; at = page.find(what, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("| `depth` |"), 1);
  EXPECT_EQ(count("| `resume` |"), 1);
  EXPECT_EQ(count("| `speed` |"), 1);
  const size_t tasks = page.find("## Keys of several tasks\n\n### Drilling\n"),
               commands = page.find("### Keys of several commands of kern core\n\n#### Drilling\n"),
               drill = page.find(
                   "### kern core drill\n\ndrill one.\n\nOf [several tasks](#keys-of-several-tasks): "
                   "Drilling: `depth`.\n\nOf [several commands]"
                   "(#keys-of-several-commands-of-kern-core): Drilling: `resume`, `fail`.\n"),
               cut = page.find(
                   "### kern saw cut\n\ncut one.\n\nOf [several tasks](#keys-of-several-tasks): Drilling: "
                   "`depth`.\n\n#### Sawing\n");
  EXPECT_LT(tasks, page.find("| `depth` |"));
  EXPECT_LT(page.find("| `depth` |"), commands);
  EXPECT_LT(commands, page.find("| `resume` |"));
  EXPECT_LT(page.find("| `resume` |"), drill);
  EXPECT_LT(drill, cut);
  EXPECT_LT(cut, page.size());
}

TEST(Command, UsageErrorsNameTheNearest) {
  const auto expect = [](std::vector<std::string> arguments, const std::string& sentence) {
    const Result r = kern(arguments);
    EXPECT_EQ(r.code, kUsage);
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(r.err, "error: " + sentence + "\n");
  };
  expect({"cor"}, "'kern' knows no 'cor'; did you mean 'core'? 'kern --help' lists what it knows");
  expect({"qqqqq", "drill"}, "'kern' knows no 'qqqqq'; 'kern --help' lists what it knows");
  expect({"core", "dril", "a.yaml"},
         "'kern core' knows no 'dril'; did you mean 'drill'? 'kern core --help' lists what it knows");
  expect({"core", "drill", "--jsn"},
         "unknown option '--jsn'; did you mean '--json'? 'kern core drill --help' lists the options, keys are given as "
         "key=value");
  expect({"core", "drill", "--depth=3"}, "unknown option '--depth=3': keys are given without dashes, as depth=3");
  EXPECT_EQ(kern({"core", "drill", "--json"}).code, kUsage);
  EXPECT_EQ(kern({"info", "extra"}).code, kUsage);
}

TEST(Command, ErrorsAndTheirExitCodes) {
  const auto expect = [](std::vector<std::string> arguments, int code, const std::string& part) {
    const Result r = kern(arguments);
    EXPECT_EQ(r.code, code) << r.err;
    EXPECT_NE(r.err.find(part), std::string::npos) << r.err;
    EXPECT_EQ(r.out, "");
  };
  expect({"core", "drill", "fail=input"}, kUsersInput, "error: the rock is too hard: 10 m asked\n");
  expect({"core", "drill", "depth=-1"}, kUsersInput, "error: depth must be greater than 0, got -1 (command line)\n");
  expect({"core", "drill", "dpeth=1"}, kUsersInput,
         "did you mean 'depth'? 'kern core drill --help-keys' lists every key");
  expect({"core", "drill", "no.yaml"}, kUsersInput, "cannot open the configuration 'no.yaml'");
  expect({"core", "drill", "a.yaml", "b.yaml"}, kUsersInput,
         "two configuration files are given, 'a.yaml' and 'b.yaml'");
  expect({"core", "drill", "fail=ours"}, kOurs, "the drill is upside down  [");
  expect({"core", "drill", "fail=memory"}, kOurs, "error: out of memory: kern holds up to ");
  expect({"core", "drill", "fail=other"}, kOurs, "something else");
  EXPECT_EQ(kern({"core", "drill", "--json", "no/such/folder/x.json"}).code, kUsersInput);
}

TEST(Command, Info) {
  const Result r = kern({"info"});
  EXPECT_EQ(r.out.find("$<"), std::string::npos) << "CMake's words are not for users: " << r.out;
  EXPECT_EQ(r.code, kDone);
  for (auto word : {"version", "compiler", "simd", "threads", "libraries"})
    EXPECT_NE(r.out.find(word), std::string::npos) << r.out;
  EXPECT_EQ(kern({"info", "--ops"}).out.substr(0, 7), "| op | ");
}

#ifdef KERN_CUDA_EMULATED
// device=auto once went to the CPU without a word where a GPU was there and could not be used.
TEST(Command, SaysWhyAGpuThatIsThereIsNotUsed) {
  struct {
    const char *variable, *value;
    std::vector<std::string> words;  // none: nothing to tell
  } const cases[] = {{"KERN_EMULATOR_DRIVER", "12020", {"its driver is for CUDA 12.2", "made with CUDA 13.0"}},
                     {"KERN_EMULATOR_DRIVER", "0", {}},
                     {"KERN_EMULATOR_ARCH", "75", {"compute capability 7.5", "no kernel image", "8.0 or newer"}}};
  const std::vector<std::string> steps{"bench", "steps", "models=D", "mode=predict", "batch=1", "repeats=1"};
  for (const auto& c : cases) {
    const testing::Environment environment{{c.variable, c.value}};
    const std::string said = testing::run_well(steps, environment).err;
    if (c.words.empty()) EXPECT_EQ(said, "");
    else testing::expect_words(said, c.words);
    EXPECT_EQ(said.find("warning"), said.rfind("warning")) << "once: " << said;
    std::vector<std::string> asked = steps;
    asked.push_back("device=cuda");
    const testing::Result r = testing::run(asked, environment);
    EXPECT_EQ(r.code, kUsersInput);
    testing::expect_words(r.err, {"device=cuda: ", "use device=cpu"});
    testing::expect_words(r.err, c.words);
  }
}
#endif

}  // namespace
}  // namespace kern::apps
