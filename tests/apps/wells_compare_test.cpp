// Comparing trainings and studying many, through the program.
#include "engine/atomic_file.h"
#include "tests/apps/kern_process.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

std::string study_of(const std::string& data, const std::string& run, const std::string& vary) {
  return "base: {data: '" + data +
         "', label: FACIES, epochs: 1, channels: [4, 8], strides: [2], residual_units: 1, window: 64, batch: 2, lr: "
         "0.002, threads: 1, report_wells: 1, quiet: true}\nrun: '" +
         run + "'\nvary: " + vary + "\n";
}

TEST(Compare, TwoMethodsOnTheSameWells) {
  TemporaryFolder folder;
  const std::string data = folder / "data", a = folder / "a", b = folder / "kernel=5", c = folder / "c";
  synthesize(data);
  run_well(train_arguments(data, a, {"epochs=1"}));
  run_well(train_arguments(data, b, {"epochs=1", "kernel=5"}));
  run_well(train_arguments(data, c, {"epochs=1", "kernel=5", "seed=2"}));
  const Result r = run_well({"wells", "compare", a, b, c, "out=" + (folder / "out"), "report_wells=1"});
  EXPECT_TRUE(contains(r.out, "kernel=3: accuracy")) << r.out;
  EXPECT_TRUE(contains(r.out, "(2 runs)")) << r.out;
  const std::string page = read_file(folder / "out/report.html");
  for (const char* part : {"kernel=5", "±", "logistic regression on windows", "Confusion matrices", "</html>"})
    EXPECT_TRUE(contains(page, part)) << part;
  EXPECT_TRUE(contains(read_file(folder / "out/comparison.csv"), "kernel=5,2,"));
  expect_refusal({"wells", "compare", a, folder / "none", "out=" + (folder / "out2")}, {"there is no run in"});
  expect_refusal({"wells", "compare", a, data, "out=" + (folder / "out2")}, {"is not the folder of a run"});
  expect_refusal({"wells", "compare"}, {"runs must be given"});
  run_well(train_arguments(data, folder / "d", {"epochs=1", "kernel=5", "validation=0.5"}));
  expect_refusal({"wells", "compare", a, folder / "d", "out=" + (folder / "out2")}, {"same validation data"});
  write_file(c + "/run.json", "{\"kern_run\": 1, \"state\": \"running\"}");
  expect_refusal({"wells", "compare", a, c, "out=" + (folder / "out2")}, {"not finished", "resume="});
}

TEST(Study, FoldsOfTwoMethodsThenTheSameAgain) {
  TemporaryFolder folder;
  const std::string data = folder / "data", run = folder / "study", file = folder / "study.yaml";
  synthesize(data);
  write_file(file, study_of(data, run, "{kernel: [3, 5], folds: 2, fold: [0, 1]}"));
  const Result r = run_well({"wells", "study", file});
  EXPECT_TRUE(contains(r.out, "4 of 4 runs finished, 0 failed")) << r.out;
  const std::string table = read_file(run + "/study.csv"),
                    model = read_file(run + "/kernel=3,folds=2,fold=0/model.safetensors");
  EXPECT_TRUE(contains(table, "run,kernel,folds,fold,state,")) << table;
  EXPECT_TRUE(contains(table, "logistic_mean_iou"));
  EXPECT_TRUE(fs::exists(run + "/report.html"));
  const Result again = run_well({"wells", "study", file});
  EXPECT_FALSE(contains(again.out, "run 1 of 4")) << "finished runs are left as they are";
  EXPECT_EQ(table, read_file(run + "/study.csv"));
  EXPECT_TRUE(model == read_file(run + "/kernel=3,folds=2,fold=0/model.safetensors"));
  fs::remove_all(run + "/kernel=5,folds=2,fold=1");  // one of them is made again
  EXPECT_TRUE(contains(run_well({"wells", "study", file}).out, "run 4 of 4"));
  std::string other = read_file(file);
  other.replace(other.find("epochs: 1"), 9, "epochs: 2");
  write_file(file, other);
  expect_refusal({"wells", "study", file}, {"was made with epochs=1, the study now says 2"});
}

TEST(Study, ADivergedRunIsNamedAndTheOthersGoOn) {
  TemporaryFolder folder;
  const std::string data = folder / "data", run_folder = folder / "study", file = folder / "study.yaml";
  synthesize(data, 3);
  write_file(file, study_of(data, run_folder, "{lr: [1.0e+30, 0.002]}"));
  const Result r = run({"wells", "study", file});
  EXPECT_EQ(r.code, 1) << r.out << r.err;
  EXPECT_TRUE(contains(r.err, "diverged")) << r.err;
  EXPECT_TRUE(contains(r.out, "1 of 2 runs finished, 1 failed")) << r.out << r.err;
}

TEST(Study, WhatIsWrongIsSaidBeforeAnythingIsTrained) {
  TemporaryFolder folder;
  const std::string file = folder / "study.yaml", run_folder = folder / "study";
  const auto refused = [&](const std::string& vary, const std::vector<std::string>& words) {
    write_file(file, study_of(folder / "data", run_folder, vary));
    expect_refusal({"wells", "study", file}, words);
  };
  refused("{kernle: [3, 5]}", {"unknown key 'kernle'", "kernel"});
  refused("{kernel: [3, many]}", {"kernel must be a whole number"});
  refused("{kernel: []}", {"vary.kernel must be a list"});
  refused("{kernel: [3, 3]}", {"stands twice"});
  refused("{run: [a]}", {"names the run folders itself"});
  refused("{}", {"varies nothing"});
  expect_refusal({"wells", "study"}, {"base must be given"});
  EXPECT_FALSE(fs::exists(run_folder));
}

}  // namespace
}  // namespace kern::testing
