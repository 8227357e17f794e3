// kern faults fit, and train with a survey: learning from a survey that is interpreted in part, or not at all.
#include <cmath>
#include <thread>

#include "data/survey_map.h"
#include "tests/apps/faults_run.h"
#include "tests/apps/json_of.h"
#include "tests/apps/resumed.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

// A made survey with all of its labels: amplitude_00000.sgy and faults_00000.sgy.
class FaultsFit : public ::testing::Test {
 protected:
  void SetUp() override {
    run_well({"faults", "synthesize", "out=" + (folder / "made"), "volumes=1", "sheet=0", "inlines=40", "crosslines=40",
              "samples=48", "faults=[4,4]", "throw=[6,10]", "noise=[0.1,0.2]", "seed=5"});
    survey = folder / "made/amplitude_00000.sgy", labels = folder / "made/faults_00000.sgy";
  }
  // A training of seconds on what is made; its model is what the others start from.
  std::string start(const Arguments& more) {
    Arguments a = {"faults",
                   "train",
                   "run=" + (folder / "start"),
                   "synthetic.inlines=32",
                   "synthetic.crosslines=32",
                   "crop=16",
                   "uses=2",
                   "sections=8",
                   "validation_sections=4",
                   "batch=2",
                   "epochs=1",
                   "threads=1",
                   "report_sections=0",
                   "quiet=true",
                   "synthetic.samples=32"};
    a.insert(a.end(), more.begin(), more.end());
    run_well(a);
    return folder / "start";
  }
  Arguments fit(const std::string& from, const std::string& out, const Arguments& more = {}) {
    Arguments a = {"faults",
                   "fit",
                   survey,
                   "start=" + from,
                   "run=" + (folder / out),
                   "crop=16",
                   "uses=2",
                   "sections=16",
                   "validation_sections=6",
                   "batch=4",
                   "epochs=3",
                   "threads=1",
                   "report_sections=2",
                   "quiet=true",
                   "synthetic.inlines=32",
                   "synthetic.crosslines=32",
                   "synthetic.samples=32"};
    a.insert(a.end(), more.begin(), more.end());
    return a;
  }
  std::vector<std::string> columns(const std::string& run) const {
    const std::string text = read_file(folder / (run + "/metrics.csv"));
    std::vector<std::string> out;
    std::istringstream in(text.substr(0, text.find('\n')));
    for (std::string c; std::getline(in, c, ',');) out.push_back(c);
    return out;
  }
  TemporaryFolder folder;
  std::string survey, labels;
};

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

TEST_F(FaultsFit, InterpretedLinesOfWhichAFifthValidates) {
  const std::string from = start({"channels=[4,6]"});
  const Result r = run_well(fit(from, "fit", {"labels=" + labels, "--json", folder / "fit.json"}));
  EXPECT_TRUE(contains(r.err + r.out, "interpreted lines train")) << r.err << r.out;
  EXPECT_TRUE(contains(r.out, "of interpreted lines that did not train")) << r.out;
  EXPECT_TRUE(has(columns("fit"), "made_average_precision"));
  // The network is the one it starts from, whatever the defaults of the command are.
  const auto figures = json_of(folder / "fit.json");
  EXPECT_EQ(figures["parameters"], json_of(from + "/result.json")["parameters"]);
  EXPECT_GT(figures["average_precision"], 0);
  EXPECT_LE(figures["average_precision"], 1);
  const Result info = run_well({"info", "model=" + (folder / "fit")});
  EXPECT_TRUE(contains(info.out, "from start fitted to amplitude_00000.sgy with faults_00000.sgy")) << info.out;
  run_well({"faults", "predict", survey, "model=" + (folder / "fit"), "out=" + (folder / "predicted"), "images=false",
            "page=false", "threads=1"});
  EXPECT_TRUE(fs::exists(folder / "predicted/amplitude_00000/faults.sgy"));

  // Killed in the middle and gone on with, it is the same.
  Arguments again = fit(from, "broken", {"labels=" + labels, "checkpoint_every=0s"});
  {
    Process p(again);
    ASSERT_TRUE(wait_until(p, [&] { return has_reached(folder / "broken", 1, 1); }));
    p.send(SIGKILL);
    p.wait();
  }
  fs::remove_all(from);  // what it started from is no longer needed
  run_well({"faults", "fit", "resume=" + (folder / "broken")});
  for (const char* name : {"model.safetensors", "metrics.csv"})
    EXPECT_TRUE(read_file(folder / ("fit/" + std::string(name))) == read_file(folder / ("broken/" + std::string(name))))
        << name;
}

TEST_F(FaultsFit, SticksOfAFewLinesTeachCubes) {
  const std::string from = start({"model=unet3d", "channels=[2,3]"});
  // Two sticks on the tenth and the twentieth inline.
  const data::SegyFile file(survey);
  const data::SurveyMap map(file, data::SegyGeometry(file));
  std::string text;
  for (const double line : {9.0, 19.0})
    for (const double sample : {5.0, 40.0}) {
      const auto at = map({line, 12 + sample / 8, sample});
      text += std::to_string(at[0]) + " " + std::to_string(at[1]) + " " + std::to_string(at[2]) + " " +
              std::to_string(line) + "\n";
    }
  write_file(folder / "sticks.txt", text);
  const Result r = run_well(fit(from, "fit", {"labels=" + (folder / "sticks.txt")}));
  EXPECT_TRUE(contains(r.err + r.out, "2 interpreted lines train, 0 validate")) << r.err << r.out;
  EXPECT_TRUE(contains(r.out, "best epoch 3")) << "the last one counts: " << r.out;
  EXPECT_FALSE(has(columns("fit"), "made_average_precision"));
}

TEST_F(FaultsFit, WithoutLabelsByTheMethodsThatNeedNone) {
  const std::string from = start({"model=unet3d", "channels=[2,3]"});
  run_well(fit(from, "teacher", {"method=mean_teacher", "semi.unlabelled_batch=2"}));
  EXPECT_TRUE(has(columns("teacher"), "loss_consistency"));
  run_well(fit(from, "match", {"method=fixmatch", "semi.threshold=0.6", "labels=" + labels}));
  EXPECT_TRUE(has(columns("match"), "confident"));
  EXPECT_TRUE(has(columns("match"), "made_average_precision"));
}

TEST_F(FaultsFit, WhatIsWrongIsSaid) {
  const auto refused = [&](const Arguments& arguments, const char* words) {
    const Result r = run(arguments);
    EXPECT_EQ(r.code, 1) << words;
    EXPECT_TRUE(contains(r.err, words)) << r.err;
  };
  const std::string from = start({"channels=[4,6]"});
  refused({"faults", "fit"}, "needs a survey to fit to");
  refused(fit(from, "a"), "nothing can be learnt from");
  refused(fit(from, "b", {"labels=" + (folder / "none.txt")}), "there is no file");
  refused(fit(from, "c", {"labels=" + labels, "crop=64"}), "cannot be cut");
  refused(fit(from, "i", {"labels=" + labels, "crop=4"}), "too small to see a fault in");
  refused(fit(folder / "nowhere", "d", {"labels=" + labels}), "nowhere");
  refused(fit(from, "e", {"method=mean_teacher", "ema=0.5"}), "leave ema at 0");
  refused({"faults", "train", "labels=" + labels, "run=" + (folder / "f")}, "need survey=");
  refused({"faults", "train", "survey=" + survey, "labels=" + labels, "run=" + (folder / "g")},
          "synthetic.inlines=128");
  refused({"faults", "train", "method=mean_teacher", "run=" + (folder / "h")}, "give survey=FILE.sgy");
}

}  // namespace
}  // namespace kern::testing
