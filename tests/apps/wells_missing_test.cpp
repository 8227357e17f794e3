// Wells that lack a curve, classifiers beside the network, and what mistakes cost.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <sstream>

#include "engine/atomic_file.h"
#include "engine/json.h"
#include "engine/random.h"
#include "tests/apps/json_of.h"
#include "tests/apps/kern_process.h"

namespace kern::testing {
namespace {

constexpr int kWells = 12, kSamples = 240, kValidating = 4;

// A table of wells with three curves that all tell the three classes, each with noise of its own. Well 0 lacks C and has
// nearly nothing but class 2, so that a missing C seems to say class 2; those that validate (the last ones) lack `blanked`, which the others have.
std::string table(const std::string& blanked) {
  std::string csv = "well_id,depth,A,B,C,FACIES\n";
  for (int w = 0; w < kWells; ++w) {
    RandomSequence random(17, RandomStream::synthesize, uint32_t(w));
    int facies = 0, left = 0;
    for (int i = 0; i < kSamples; ++i) {
      if (left-- <= 0) facies = w == 0 && random.below(10) ? 2 : int(random.below(3)), left = random.between(8, 30);
      const double of[] = {50 + 25 * facies + random.normal(0, 10), 2.6 - 0.2 * facies + random.normal(0, 0.08),
                           std::pow(10, 1 - facies + random.normal(0, 0.4))};
      csv += "w" + std::to_string(w) + "," + std::to_string(1000 + i);
      for (int c = 0; c < 3; ++c) {
        const bool missing =
            (w == 0 && c == 2) || (w >= kWells - kValidating && blanked == std::string(1, char('A' + c)));
        csv += missing ? "," : "," + std::to_string(of[c]);
      }
      csv += "," + std::to_string(facies) + "\n";
    }
  }
  return csv;
}

Arguments training(const TemporaryFolder& folder, const std::string& run, const Arguments& more) {
  Arguments a{"wells",
              "train",
              "data=" + folder / "data/wells.csv",
              "label=FACIES",
              "curves=[A, B, C]",
              "log10=[C]",
              "validation_wells=[w8, w9, w10, w11]",
              "step=1",
              "model=mlp",
              "channels=[16]",
              "strides=[]",
              "radius=0",
              "features=windows",
              "window=60",
              "batch=8",
              "epochs=30",
              "lr=0.01",
              "threads=1",
              "report_wells=0",
              "quiet=true",
              "run=" + folder / run};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

nlohmann::json evaluated(const TemporaryFolder& folder, const std::string& run, const std::string& blanked) {
  const std::string file = folder / ("blanked/without_" + blanked + ".csv");
  write_file(file, table(blanked));
  run_well({"wells", "evaluate", "model=" + folder / run, "data=" + file, "report_wells=0", "overwrite=true",
            "run=" + folder / "evaluated"});
  return json_of(folder / "evaluated/result.json");
}

std::vector<std::string> words_of(const std::string& line, char separator) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  for (std::string word; std::getline(stream, word, separator);) words.push_back(word);
  return words;
}

nlohmann::json evaluated_alone(const TemporaryFolder& folder, const std::string& csv) {
  write_file(folder / "alone.csv", csv);
  run_well({"wells", "evaluate", "model=" + folder / "run", "data=" + folder / "alone.csv", "report_wells=0",
            "run=" + folder / "evaluated_alone"});
  return json_of(folder / "evaluated_alone/result.json");
}

class MissingCurves : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder / "data");
    std::filesystem::create_directories(folder / "blanked");
    write_file(folder / "data/wells.csv", table(""));
  }
  TemporaryFolder folder;
};

// Each curve in turn is taken from the wells that are evaluated. The two others still tell the classes: no more than
// 0.12 of the accuracy may be lost, by the network, the regression and the trees alike.
TEST_F(MissingCurves, EachInTurnCostsLittle) {
  run_well(training(folder, "run", {}));
  const nlohmann::json whole = json_of(folder / "run/result.json");
  for (const std::string prefix : {"", "logistic_", "boosting_"}) EXPECT_GT(whole[prefix + "accuracy"], 0.9) << prefix;
  for (const std::string curve : {"A", "B", "C"}) {
    const nlohmann::json j = evaluated(folder, "run", curve);
    for (const std::string prefix : {"", "logistic_", "boosting_"})
      EXPECT_GT(j[prefix + "accuracy"].get<double>(), whole[prefix + "accuracy"].get<double>() - 0.12)
          << curve << " " << prefix;
  }
}

// Files of which none has a curve are no error: the model knows what a missing curve is. Of the others one must be there.
TEST_F(MissingCurves, WellsOfWhichNoneHasACurveAreEvaluated) {
  run_well(training(folder, "run", {}));
  const auto last_well = [](const std::string& csv, const std::set<std::string>& taken) {
    std::istringstream lines(csv);
    std::string out, line;
    std::getline(lines, line);
    const std::vector<std::string> names = words_of(line, ',');
    for (bool head = true; head || std::getline(lines, line); head = false) {
      const std::vector<std::string> words = words_of(line, ',');
      if (!head && words[0] != "w11") continue;
      std::string kept;
      for (size_t i = 0; i < words.size(); ++i)
        if (!taken.contains(names[i])) kept += (kept.empty() ? "" : ",") + words[i];
      out += kept + "\n";
    }
    return out;
  };
  write_file(folder / "one.csv", last_well(table(""), {"B"}));
  const Result r = run_well({"wells", "evaluate", "model=" + folder / "run", "data=" + folder / "one.csv",
                             "report_wells=0", "run=" + folder / "one"});
  EXPECT_TRUE(contains(r.err, "no well has the curve B")) << r.err;
  EXPECT_EQ(json_of(folder / "one/result.json")["accuracy"],
            evaluated_alone(folder, last_well(table("B"), {}))["accuracy"]);
  write_file(folder / "none.csv", last_well(table(""), {"A", "B", "C"}));
  expect_refusal(
      {"wells", "evaluate", "model=" + folder / "run", "data=" + folder / "none.csv", "run=" + folder / "none"},
      {"no well of", "curve A"});
}

TEST_F(MissingCurves, WithoutHidingARegressionFalls) {
  run_well(training(folder, "run", {"augment.hide_curve=0"}));
  double lost = 0;
  const nlohmann::json whole = json_of(folder / "run/result.json");
  for (const std::string curve : {"A", "B", "C"}) {
    const nlohmann::json j = evaluated(folder, "run", curve);
    lost = std::max(lost, whole["logistic_accuracy"].get<double>() - j["logistic_accuracy"].get<double>());
  }
  EXPECT_GT(lost, 0.12);  // what the test above would have found
}

TEST_F(MissingCurves, ANetworkOnTreesBeginsAsGoodAsTheyAreAndComesBackToTheBit) {
  const Arguments more{"residual_on=boosting", "boosting.rounds=10", "baseline=[]", "schedule=constant"};
  Arguments untrained = more;
  untrained.insert(untrained.end(), {"epochs=1", "lr=1e-12"});
  run_well(training(folder, "based", untrained));
  const nlohmann::json based = json_of(folder / "based/result.json");
  for (const std::string key : {"accuracy", "macro_f1", "mean_iou"}) EXPECT_EQ(based[key], based["boosting_" + key]);
  EXPECT_FALSE(based.contains("logistic_accuracy"));
  Arguments whole = more, parts = more;
  whole.push_back("epochs=4"), parts.push_back("epochs=2");
  run_well(training(folder, "whole", whole));
  run_well(training(folder, "parts", parts));
  run_well({"wells", "train", "resume=" + folder / "parts", "epochs=4", "threads=2"});
  for (const char* file : {"model.safetensors", "model_last.safetensors"})
    EXPECT_TRUE(read_file(folder / ("whole/" + std::string(file))) ==
                read_file(folder / ("parts/" + std::string(file))))
        << file;
  run_well({"wells", "evaluate", "model=" + folder / "whole", "data=" + folder / "data/wells.csv", "report_wells=0",
            "run=" + folder / "again"});
  EXPECT_EQ(json_of(folder / "again/result.json")["accuracy"], json_of(folder / "whole/result.json")["accuracy"]);
  expect_refusal({"wells", "train", "resume=" + folder / "parts", "residual_on=logistic", "epochs=6"},
                 {"another model", "residual_on=boosting"});
}

TEST_F(MissingCurves, MistakesHaveTheirPrice) {
  // Calling class 1 where 0 is true costs ten times what anything else does.
  write_file(folder / "costs.csv", "0,10,1\n1,0,1\n1,1,0\n");
  const std::string penalty = "penalty=" + folder / "costs.csv";
  const Arguments rough{"epochs=2", "lr=0.002", penalty};
  Arguments careful = rough;
  careful.push_back("decision=least_penalty");
  const Result plain = run_well(training(folder, "plain", rough));
  EXPECT_TRUE(contains(plain.out, "penalty score -")) << plain.out;
  run_well(training(folder, "careful", careful));
  const nlohmann::json a = json_of(folder / "plain/result.json"), b = json_of(folder / "careful/result.json");
  EXPECT_LT(a["penalty_score"], 0);
  EXPECT_GT(b["penalty_score"], a["penalty_score"]);
  EXPECT_LT(a["logistic_penalty_score"], 0);
  EXPECT_EQ(evaluated(folder, "careful", "")["penalty_score"], b["penalty_score"]);  // the model file knows it
  expect_refusal(training(folder, "r", {"decision=least_penalty"}), {"penalty=force2020"});
  expect_refusal(training(folder, "r", {"monitor=penalty"}), {"needs to know what mistakes cost"});
  expect_refusal(training(folder, "r", {"penalty=force2020"}), {"no class of the code '0'"});
  expect_refusal(training(folder, "r", {penalty, "decision=least_penalty", "monotone=true"}), {"keep one of them"});
  expect_refusal(training(folder, "r", {"penalty=nowhere.csv"}), {"nowhere.csv"});
}

TEST_F(MissingCurves, WeightsThatMakeTheCommonestClassTheBetterAnswerAreSaid) {
  // Nearly all one class, told by noise alone; weights by inverse counts call the rare ones everywhere.
  std::string csv = "well_id,depth,A,B,C,FACIES\n";
  RandomSequence random(3, RandomStream::noise);
  for (int w = 0; w < kWells; ++w)
    for (int i = 0; i < 100; ++i)
      csv += "w" + std::to_string(w) + "," + std::to_string(i) + "," + std::to_string(random.normal()) + "," +
             std::to_string(random.normal()) + "," + std::to_string(1 + double(random.uniform())) + "," +
             (random.below(10)  ? "0"
              : random.below(2) ? "1"
                                : "2") +
             "\n";
  write_file(folder / "data/wells.csv", csv);
  const Result r = run_well(training(folder, "run", {"class_weights=inverse", "epochs=3", "baseline=[]"}));
  EXPECT_TRUE(contains(r.err, "than always the commonest class (")) << r.err;
  EXPECT_TRUE(contains(r.err, "class_weights= buys rare classes with the common ones")) << r.err;
  EXPECT_TRUE(contains(read_file(folder / "run/report.html"), "right less often"));
}

TEST_F(MissingCurves, WellsByTheirOwnScaleAreTheSameInAnyUnits) {
  run_well(training(folder, "run", {"per_well=true"}));
  const nlohmann::json whole = json_of(folder / "run/result.json");
  EXPECT_GT(whole["accuracy"], 0.7);
  EXPECT_EQ(evaluated(folder, "run", "")["accuracy"], whole["accuracy"]);
}

}  // namespace
}  // namespace kern::testing
