// What shells offer, the manual page, --quiet and kern doctor.
#include "apps/completion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "apps/program.h"
#include "apps/wells/wells.h"
#include "tests/apps/json_of.h"
#include "tests/apps/kern_process.h"
#include "tests/support/error_of.h"

namespace kern::testing {
namespace {
using namespace kern::apps;
namespace fs = std::filesystem;

std::vector<std::string> offered(const std::vector<std::string>& words, bool* files = nullptr) {
  const Candidates c = candidates({&wells_task(), &program_task()}, words);
  std::vector<std::string> out;
  for (const Candidate& w : c.words) out.push_back(w.word);
  if (files) *files = c.files;
  std::sort(out.begin(), out.end());
  return out;
}
bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}
using Words = std::vector<std::string>;

TEST(CommandCompletion, OffersCommandsKeysAndValues) {
  for (const char* word : {"wells", "export", "info", "completion", "doctor", "man", "--version"})
    EXPECT_TRUE(has(offered({""}), word)) << word;
  EXPECT_EQ(offered({"we"}), Words{"wells"});
  EXPECT_EQ(offered({"wells", "tr"}), Words{"train"});
  EXPECT_EQ(offered({"help", "wells", "tr"}), Words{"train"});
  EXPECT_EQ(offered({"wells", "train", "schedule_m"}), Words{"schedule_milestones="});
  EXPECT_EQ(offered({"wells", "train", "model=unet"}), (Words{"model=unet", "model=unet_strided"}));
  EXPECT_EQ(offered({"wells", "train", "nesterov="}), (Words{"nesterov=false", "nesterov=true"}));
  EXPECT_EQ(offered({"export", "format="}), Words{"format=onnx"});
  EXPECT_TRUE(has(offered({"wells", "train", "lr=1", ""}), "epochs="));
  EXPECT_FALSE(has(offered({"wells", "train", "lr=1", ""}), "lr=")) << "given already";
  bool files = false;
  EXPECT_EQ(offered({"wells", "train", "data=fol"}, &files), Words());
  EXPECT_TRUE(files);
  offered({"wells", "train", "conf"}, &files);
  EXPECT_TRUE(files) << "a configuration";
  offered({"wells", "train", "epochs=1"}, &files);
  EXPECT_FALSE(files);
  EXPECT_TRUE(has(offered({"wells", "train", "--q"}), "--quiet"));
  EXPECT_EQ(offered({"wells", "nonsense", ""}), Words());
  EXPECT_EQ(offered({}), offered({""}));
  EXPECT_EQ(offered({"completion", "z"}), Words{"zsh"});
}

TEST(CommandCompletion, ScriptsAreThoseOfTheShells) {
  for (const char* shell : {"bash", "zsh", "fish"}) EXPECT_TRUE(contains(completion_script(shell), "completion words"));
  expect_refusal({"completion", "tcsh"}, {"tcsh", "bash, zsh or fish"});
  expect_refusal({"completion"}, {"bash, zsh or fish"});
  EXPECT_EQ(run_well({"completion", "words", "wells", "tr"}).out.substr(0, 6), "train\t");
  EXPECT_EQ(run_well({"completion", "words", "wells", "train", "--json", ""}).out, ":files\n");
}

// bash itself, in a folder with files; the last word of each line is what is completed.
TEST(CommandCompletion, WorksInBash) {
  if (std::system("bash -c 'type compopt' > /dev/null 2>&1") != 0) GTEST_SKIP() << "no bash that completes is here";
  const TemporaryFolder folder;
  write_file(folder / "my run.yaml", "");
  write_file(folder / "wells.csv", "");
  const std::string script = folder / "test.sh";
  write_file(script, "cd '" + folder.path().string() + "'\n" + "kern() { :; }\n" + completion_script("bash") + R"sh(
compopt() { :; }
ask() {
  COMP_LINE=$1; COMP_POINT=${#1}; COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
  _kern; echo "$1 -> ${COMPREPLY[*]}"
}
)sh" + "K='" + kern_program() +
                         R"sh('
ask "$K we"
ask "$K wells tr"
ask "$K wells train model=unet_"
ask "$K wells train schedule_m"
ask "$K wells predict data=wel"
ask "$K wells train my"
)sh");
  ASSERT_EQ(std::system(("bash '" + script + "' > '" + (folder / "said") + "' 2>&1").c_str()), 0);
  const std::string said = read_file(folder / "said");
  for (const char* line :
       {"we -> wells\n", "wells tr -> train\n", "model=unet_ -> unet_strided\n", "schedule_m -> schedule_milestones=\n",
        "data=wel -> wells.csv\n", "train my -> my\\ run.yaml\n"})
    EXPECT_TRUE(contains(said, line)) << line << "\n" << said;
}

TEST(CommandManual, HoldsEveryCommandAndKey) {
  const std::string page = run_well({"man"}).out;
  EXPECT_TRUE(page.starts_with(".TH KERN 1"));
  for (const char* part : {".SS kern wells train\n", ".SS kern export\n", ".SS kern anomalies predict\n",
                           ".B schedule_milestones=", ".B encoder.weights=", ".SH EXIT STATUS"})
    EXPECT_TRUE(contains(page, part)) << part;
  const TemporaryFolder folder;
  write_file(folder / "kern.1", page);
  if (std::system("groff --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "groff is not here to read the page";
  ASSERT_EQ(std::system(("groff -man -Tutf8 -ww '" + (folder / "kern.1") + "' > '" + (folder / "shown") + "' 2> '" +
                         (folder / "warnings") + "'")
                            .c_str()),
            0);
  EXPECT_EQ(read_file(folder / "warnings"), "");
}

TEST(CommandQuiet, LeavesWarningsAndErrors) {
  const TemporaryFolder folder;
  const Result made =
      run_well({"wells", "synthesize", "out=" + (folder / "data"), "wells=6", "samples=200", "--quiet"});
  EXPECT_EQ(made.out + made.err, "");
  const Result trained =
      run_well(train_arguments(folder / "data", folder / "run", {"--quiet", "--json", folder / "f.json"}));
  EXPECT_EQ(trained.out, "");
  EXPECT_FALSE(contains(trained.err, "epoch 1")) << trained.err;
  EXPECT_GT(json_of(folder / "f.json")["accuracy"].get<double>(), 0);
  expect_refusal({"wells", "train", "label=FACIES", "data=" + (folder / "none"), "--quiet"}, {"none"});
}

TEST(CommandDoctor, SaysWhatAReportNeedsAndThatAllIsWell) {
  const TemporaryFolder folder;
  const Result r = run_well({"doctor", "--json", folder / "d.json"});
  for (const char* part : {"version", "glibc", "memory", "disk_here", "locale", "settings", "all is well here"})
    EXPECT_TRUE(contains(r.out, part)) << part << "\n" << r.out;
  EXPECT_EQ(json_of(folder / "d.json")["check.files hold what is written"].get<std::string>(), "yes");
  EXPECT_FALSE(contains(run_well({"doctor", "check=false"}).out, "all is well"));
  const Result full = run({"doctor"}, {{"TMPDIR", "/proc"}});
  EXPECT_EQ(full.code, 3);
  EXPECT_TRUE(contains(run({"doctor"}, {{"TMPDIR", "/no/such"}}).out,
                       "NO: there is no folder for temporary files, TMPDIR=/no/such"));
  EXPECT_TRUE(contains(full.out, "files hold what is written: NO: cannot write /proc/kern_doctor")) << full.out;
}

}  // namespace
}  // namespace kern::testing
