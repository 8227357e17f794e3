// The gate as it is started: on short excerpts of machine code, and, where nvcc and cuobjdump are, on kernels with
// faults planted.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/sass/disassembler.h"
#include "tests/support/source_files.h"

namespace kern::sass {
namespace {

struct Ended {
  int code = -1;
  std::string said;
};
Ended run(const std::string& command) {
  Ended out;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char part[4096];
  for (size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0;) out.said.append(part, n);
  const int status = pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

class SassGate : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / ("kern_sass_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) const {
    const std::string path = folder_ / name;
    std::ofstream(path) << text;
    return path;
  }
  static std::string text_of(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Stands in for cuobjdump: prints the excerpts of tests/sass/excerpts.
  std::string printer() const {
    const std::string excerpts = kern::testing::source_file("tests/sass/excerpts/");
    const std::string path =
        file("cuobjdump", "#!/bin/sh\ncase \"$*\" in\n*missing*) echo no such file; exit 1;;\n*-sass*) cat " +
                              excerpts + "scalar_load.sass;;\n*) cat " + excerpts + "scalar_load.usage;;\nesac\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  Ended gate(const std::string& rows, const std::string& more = "") const {
    const std::string table = file("table.txt", "# nvcc 13.0.88\n# arch\n" + rows);
    return run(std::string(KERN_SASS_GATE) + " --table=" + table + " --objects=" + folder_.string() +
               " --cuobjdump=" + printer() + " " + more);
  }
  std::filesystem::path folder_;
};

TEST_F(SassGate, FindsAnObjectInAFolderBelow) {
  std::filesystem::create_directories(folder_ / "optim");
  file("optim/missing.cu.o", "");  // what the stand-in for cuobjdump refuses, in a sentence that shows the path
  const Ended ended = gate("sm_90a missing *<false> - 14 11 - - - 100 - 0 0\n");
  EXPECT_NE(ended.code, 0);
  EXPECT_NE(ended.said.find("/optim/missing.cu.o"), std::string::npos) << ended.said;
}

TEST_F(SassGate, HoldsTheTable) {
  const std::string clean = "sm_90a x *<false> - 14 11 - - - 100 - 0 0\n";
  Ended ended = gate(clean);
  EXPECT_EQ(ended.code, 0) << ended.said;
  EXPECT_EQ(ended.said, "1 rows of hot kernels, 0 figures worse, 0 better\n");
  ended = gate(clean + "sm_90a x *<true> - 14 11 - - - 100 - 0 0\n", "--compiler=13.0.88");
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.said.find(
                "sm_90a x *<true> is worse: percent of global loads and stores that are 16 bytes wide: 0 where the "
                "table has 100\n"),
            std::string::npos)
      << ended.said;
  ended = gate("sm_90a x * - 14 11 - - - 100 - 0 0\n");  // the worst of both
  EXPECT_EQ(ended.code, 1) << ended.said;
  ended = gate("sm_90a x *<true> - 14 11 - - - 100 - 0 0\n", "--compiler=12.9.1");
  EXPECT_EQ(ended.code, 0) << ended.said;
  EXPECT_NE(ended.said.find("the table is of nvcc 13.0.88, this code of 12.9.1"), std::string::npos);
  ended = gate("sm_90a x *<false> - 14 30 - - - 50 - 0 0\n");
  EXPECT_EQ(ended.code, 0) << ended.said;
  EXPECT_NE(ended.said.find("run scripts/sass_gate --update and commit the table"), std::string::npos) << ended.said;
}

TEST_F(SassGate, SaysWhatItCannotHold) {
  Ended ended = gate("sm_90a x gone -\n");
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.said.find("sm_90a x gone: no kernel of this name is in its object file"), std::string::npos)
      << ended.said;
  ended = gate("sm_90a x *<true> -\n");
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.said.find("has no figures in the table yet: run with --update"), std::string::npos) << ended.said;
  ended = gate("sm_90a missing f -\n");
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.said.find("failed: no such file"), std::string::npos) << ended.said;
  ended = gate("nonsense\n");
  EXPECT_EQ(ended.code, 2) << ended.said;
  ended = run(std::string(KERN_SASS_GATE) + " --tabel=x");
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.said.find("sass_gate does not know --tabel=x"), std::string::npos) << ended.said;
  ended = run(std::string(KERN_SASS_GATE));
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.said.find("wants --table=FILE"), std::string::npos) << ended.said;
}

TEST_F(SassGate, WritesTheTableAnew) {
  const std::string page = file("page.md", "<!-- hot kernels -->\n<!-- end -->\n");
  const Ended ended = gate("sm_90a x *<true> - 1 1 - - - 100 - 0 0  # scalar\nsm_90a x *<false> -\n",
                           "--update --compiler=13.1.2 --page=" + page);
  EXPECT_EQ(ended.code, 0) << ended.said;
  EXPECT_EQ(
      text_of(folder_ / "table.txt"),
      "# nvcc 13.1.2\n"
      "# arch  source  kernel    copies  registers  loop  math%  step%  per_copy  global%  shared%  spills  divisions\n"
      "sm_90a  x       *<true>        -         22    21      -      -         -        0        -       0          0  "
      "# scalar\n"
      "sm_90a  x       *<false>       -         14    11      -      -         -      100        -       0          "
      "0\n");
  EXPECT_NE(text_of(page).find("| x | `*<true>` scalar | 22 | 21 |"), std::string::npos) << text_of(page);
}

#ifdef KERN_SASS_PLANTED
// Each fault beside its clean twin, through nvcc: what the twin's row holds, the fault must break, on each
// architecture.
class PlantedFault : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(KERN_CUOBJDUMP).empty())
      GTEST_SKIP() << "no cuobjdump is found: scripts/get_cuda disassembler fetches it";
  }
  Figures measured(const std::string& source, const std::string& kernel) const {
    Table table;
    table.rows[0] = {.arch = GetParam(), .source = source, .name = "sass::planted::" + kernel};
    const auto now = measure_rows(KERN_CUOBJDUMP, KERN_SASS_PLANTED, table).at(0).second;
    EXPECT_TRUE(now) << kernel;
    return now.value_or(Figures{});
  }
  static bool complains(const Figures& clean, const Figures& faulty, const std::string& of, bool same_compiler) {
    for (const auto& sentence : compare(clean, faulty, same_compiler).worse)
      if (sentence.find(of) != sentence.npos) return true;
    return false;
  }
};

TEST_P(PlantedFault, ASpillIsCaught) {
  const Figures clean = measured("spill", "spill_kernel<false>"), faulty = measured("spill", "spill_kernel<true>");
  EXPECT_EQ(clean.spills, 0);
  EXPECT_TRUE(compare(clean, clean, true).worse.empty());
  EXPECT_TRUE(complains(clean, faulty, "LDL and STL", false));
}
TEST_P(PlantedFault, AnIntegerDivisionInALoopIsCaught) {
  const Figures clean = measured("division", "division_kernel<0,false>");
  EXPECT_EQ(clean.divisions, 0);
  EXPECT_TRUE(compare(clean, clean, true).worse.empty());
  for (const char* divisor : {"0", "1", "2"})
    EXPECT_TRUE(complains(clean, measured("division", "division_kernel<" + std::string(divisor) + ",true>"),
                          "integer divisions", false))
        << divisor;
}
TEST_P(PlantedFault, AScalarLoadIsCaughtWhereVectorsAreAskedFor) {
  const Figures clean = measured("scalar_load", "scalar_load_kernel<false>");
  EXPECT_EQ(clean.wide_global, 100);
  EXPECT_TRUE(compare(clean, clean, true).worse.empty());
  EXPECT_TRUE(complains(clean, measured("scalar_load", "scalar_load_kernel<true>"), "16 bytes wide", true));
}
INSTANTIATE_TEST_SUITE_P(Sass, PlantedFault, ::testing::Values("sm_80", "sm_90a"),
                         [](const auto& of) { return std::string(of.param); });
#endif

}  // namespace
}  // namespace kern::sass
