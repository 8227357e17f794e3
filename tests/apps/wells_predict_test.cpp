// What `kern wells predict` and `evaluate` hand back: the files as they were, with curves added, and the figures of the
// training again.
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "apps/wells/wells_model.h"
#include "data/csv.h"
#include "data/las.h"
#include "engine/atomic_file.h"
#include "engine/json.h"
#include "tests/apps/json_of.h"
#include "tests/apps/kern_process.h"
#include "tests/support/source_files.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string text_of(double v) {
  char out[32];
  std::snprintf(out, sizeof out, "%.6f", v);
  return out;
}

class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    synthesize(data);
    run_well(train_arguments(data, trained, {"epochs=2"}));
  }
  // The prediction of one file; the original must be found in it again, line by line, with something behind some lines
  // and some lines added.
  data::LasFile predicted(const std::string& file, const Arguments& more = {}) {
    const std::string out = folder / ("out" + std::to_string(calls_++));
    Arguments a{"wells", "predict", "model=" + trained, "data=" + file, "out=" + out};
    a.insert(a.end(), more.begin(), more.end());
    run_well(a);
    const std::string result = out + "/" + fs::path(file).filename().string();
    const std::vector<std::string> before = lines_of(read_file(file)), after = lines_of(read_file(result));
    size_t at = 0, added = 0;
    for (const std::string& line : after) {
      if (at < before.size() && line.substr(0, before[at].size()) == before[at]) ++at;
      else ++added;
    }
    EXPECT_EQ(at, before.size()) << "a line of " << file << " is lost or changed";
    const data::LasFile old = data::read_las(file), now = data::read_las(result);
    EXPECT_EQ(added, now.curves.size() - old.curves.size()) << "one declaration a curve";
    for (size_t c = 0; c < old.curves.size(); ++c) {
      EXPECT_EQ(old.curves[c].name, now.curves[c].name);
      for (size_t i = 0; i < old.curves[c].values.size(); ++i)
        EXPECT_TRUE(old.curves[c].values[i] == now.curves[c].values[i] ||
                    (std::isnan(old.curves[c].values[i]) && std::isnan(now.curves[c].values[i])));
    }
    return now;
  }
  std::string copy(const std::string& name, const std::string& content) {
    fs::create_directories(folder / "changed");
    const std::string file = folder / "changed/" + name;
    write_file(file, content);
    return file;
  }
  std::string first() const { return read_file(data + "/synthetic_00000.las"); }
  TemporaryFolder folder;
  const std::string data = folder / "data", trained = folder / "run";
  int calls_ = 0;
};

void expect_sane(const data::LasFile& file, int64_t at_least) {
  const data::LasCurve* label = file.find("FACIES_PRED");
  ASSERT_NE(label, nullptr);
  int64_t predicted = 0;
  for (int64_t i = 0; i < file.length(); ++i) {
    const double k = label->values[size_t(i)];
    if (std::isnan(k)) continue;
    ++predicted;
    ASSERT_TRUE(k >= 0 && k < 5 && k == std::floor(k)) << k;
    double sum = 0, own = 0, most = 0;
    for (int c = 0; c < 5; ++c) {
      const double p = file.find("P_CLASS_" + std::to_string(c))->values[size_t(i)];
      sum += p;
      most = std::max(most, p);
      if (c == int(k)) own = p;
    }
    EXPECT_NEAR(sum, 1, 1e-3);
    EXPECT_EQ(own, most);
  }
  EXPECT_GE(predicted, at_least);
}

TEST_F(Predict, LasKeepsEveryByteAndGetsCurves) {
  const data::LasFile file = predicted(data + "/synthetic_00000.las");
  expect_sane(file, file.length());
  EXPECT_EQ(
      predicted(data + "/synthetic_00000.las", {"probabilities=false", "mnemonic=LITHO", "threads=2"}).curves.size(),
      4u);
}

TEST_F(Predict, DescendingDepthGivesTheSameTurnedOver) {
  const std::string text = first();
  const size_t begin = text.find("~ASCII\n") + 7;
  std::vector<std::string> rows = lines_of(text.substr(begin));
  std::string turned = text.substr(0, begin);
  for (size_t i = rows.size(); i-- > 0;) turned += rows[i] + "\n";
  const data::LasFile up = predicted(data + "/synthetic_00000.las"), down = predicted(copy("down.las", turned));
  const auto& a = up.find("FACIES_PRED")->values;
  const auto& b = down.find("FACIES_PRED")->values;
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i], b[b.size() - 1 - i]) << i;
}

TEST_F(Predict, AnotherStepIsResampledThereAndBack) {
  std::string text = first();
  const size_t begin = text.find("~ASCII\n") + 7;
  const std::vector<std::string> rows = lines_of(text.substr(begin));
  std::string coarse = text.substr(0, begin);
  for (size_t i = 0; i < rows.size(); i += 2) coarse += rows[i] + "\n";
  const data::LasFile file = predicted(copy("coarse.las", coarse));
  EXPECT_EQ(file.length(), int64_t(rows.size() + 1) / 2);
  expect_sane(file, file.length());
}

TEST_F(Predict, RowsWithNull) {
  std::string text = first();
  const size_t begin = text.find("~ASCII\n") + 7;
  std::vector<std::string> rows = lines_of(text.substr(begin));
  std::string gaps = text.substr(0, begin);
  for (size_t i = 0; i < rows.size(); ++i)
    gaps += i >= 20 && i < 40 ? rows[i].substr(0, rows[i].find(' ')) + " -999.25 0\n" : rows[i] + "\n";
  expect_sane(predicted(copy("gaps.las", gaps)), 180);
}

TEST_F(Predict, AFileWithoutTheCurveIsNamedAndSkipped) {
  std::string text = first();
  copy("lacks.las", text.replace(text.find("\nGR."), 4, "\nGX."));
  const std::string path = folder / "changed";
  expect_refusal({"wells", "predict", "model=" + trained, "data=" + path, "out=" + (folder / "o")},
                 {"lacks.las", "GR"});
  copy("good.las", first());
  const Result r = run_well({"wells", "predict", "model=" + trained, "data=" + path, "out=" + (folder / "p")});
  EXPECT_TRUE(contains(r.err, "skipped: " + path + "/lacks.las has no values of GR")) << r.err;
  EXPECT_EQ(files_below(folder / "p"), std::vector<std::string>{"good.las"});
  expect_refusal({"wells", "predict", "model=" + trained, "data=" + path, "out=" + (folder / "q"), "strict=true"},
                 {"lacks.las", "GR"});
}

TEST_F(Predict, LinksGoByTheirOwnNames) {
  const std::string path = folder / "links";
  fs::create_directories(path + "/deep");
  fs::create_symlink(fs::absolute(copy("0017.las", first())), path + "/deep/well.las");
  fs::create_symlink("round.las", path + "/round.las");  // in a circle
  run_well({"wells", "predict", "model=" + trained, "data=" + path, "out=" + (folder / "of_links")});
  EXPECT_EQ(files_below(folder / "of_links"), std::vector<std::string>{"deep/well.las"});
}

TEST_F(Predict, TablesPlainAndPacked) {
  const std::string table = folder / "table";
  run_well({"wells", "synthesize", "out=" + table, "wells=3", "samples=200", "csv=true"});
  run_well({"wells", "predict", "model=" + trained, "data=" + table, "out=" + (folder / "out")});
  const std::string result = folder / "out/wells_predicted.csv";
  const data::CsvTable csv = data::read_csv(result);
  EXPECT_EQ(csv.columns(), 10);
  EXPECT_GE(csv.rows(), 600);
  const int label = csv.column("FACIES_PRED"), p0 = csv.column("P_class 0");
  for (int64_t i = 0; i < csv.rows(); ++i) {
    double sum = 0;
    for (int c = 0; c < 5; ++c) sum += csv.number(i, p0 + c);
    ASSERT_NEAR(sum, 1, 1e-5);
    ASSERT_EQ(csv.cell(i, csv.column("FACIES_PRED_name")), "class " + std::to_string(int(csv.number(i, label))));
  }
  if (std::system(("gzip -c '" + table + "/wells.csv' > '" + (folder / "wells.csv.gz") + "' 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "there is no gzip here";
  run_well({"wells", "predict", "model=" + trained, "data=" + (folder / "wells.csv.gz"), "out=" + (folder / "packed")});
  EXPECT_TRUE(read_file(result) == read_file(folder / "packed/wells_predicted.csv"));
}

TEST_F(Predict, NothingIsOverwrittenUnasked) {
  const Arguments once{"wells", "predict", "model=" + trained, "data=" + data, "out=" + (folder / "out")};
  run_well(once);
  const std::string before = read_file(folder / "out/synthetic_00003.las");
  fs::remove(folder / "out/synthetic_00000.las");
  expect_refusal(once, {"is there already", "overwrite=true"});
  EXPECT_FALSE(fs::exists(folder / "out/synthetic_00000.las")) << "refused before anything is written";
  Arguments again = once;
  again.push_back("overwrite=true");
  run_well(again);
  EXPECT_EQ(before, read_file(folder / "out/synthetic_00003.las"));
  for (const std::string& out : {data, data + "/below", data + "/../data"})
    expect_refusal({"wells", "predict", "model=" + trained, "data=" + data, "out=" + out, "overwrite=true"},
                   {"lies in the folder of the data"});
  expect_refusal({"wells", "predict", "model=" + trained, "data=" + data + "/synthetic_00000.las", "out=" + data,
                  "overwrite=true"},
                 {"would replace"});
  expect_refusal({"wells", "predict", "model=" + trained, "data=" + data, "out=/proc/kern"},
                 {"cannot create the folder /proc/kern"});
  expect_refusal({"wells", "predict", "model=" + trained, "data=" + data, "out=" + (folder / "m"), "mnemonic=GR"},
                 {"GR"});
  EXPECT_TRUE(files_below(folder / "m").empty());
  // A folder without a word is the data.
  expect_refusal({"wells", "predict", data, "data=" + data, "model=" + trained}, {"the data are named twice"});
  expect_refusal({"wells", "predict", data}, {"model must be given", "kern wells train"});
  run_well({"wells", "predict", data, "model=" + trained, "out=" + (folder / "n")});
  EXPECT_EQ(files_below(folder / "n").size(), 6u);
  EXPECT_EQ(files_below(data).size(), 6u);
}

TEST_F(Predict, EvaluationRepeatsTheTrainingsFigures) {
  const std::string evaluated = folder / "evaluated", figures = folder / "figures.json";
  run_well({"wells", "evaluate", "model=" + trained, "data=" + data, "run=" + evaluated, "wells=validation", "--json",
            figures, "threads=2"});
  const nlohmann::json training = json_of(trained + "/result.json"), evaluation = json_of(evaluated + "/result.json");
  EXPECT_EQ(evaluation, json_of(figures));
  for (const char* key :
       {"loss", "accuracy", "macro_f1", "mean_iou", "class_iou", "class_f1", "majority_accuracy", "majority_macro_f1",
        "majority_mean_iou", "logistic_accuracy", "logistic_macro_f1", "logistic_mean_iou"}) {
    ASSERT_TRUE(training.contains(key) && evaluation.contains(key)) << key;
    EXPECT_EQ(training[key], evaluation[key]) << key;
  }
  const Result all =
      run_well({"wells", "evaluate", "model=" + trained, "data=" + data, "run=" + (folder / "all"), "wells=all"});
  EXPECT_EQ(json_of(folder / "all/result.json")["wells"], 6);
  EXPECT_TRUE(contains(all.err, "5 of these 6 wells trained this model")) << all.err;
  // Without a word: what no training step saw, which of its own data is what validated it.
  const Result unseen =
      run_well({"wells", "evaluate", "model=" + trained, "data=" + data, "run=" + (folder / "unseen")});
  EXPECT_EQ(json_of(folder / "unseen/result.json")["accuracy"], evaluation["accuracy"]);
  EXPECT_TRUE(contains(unseen.err + unseen.out, "trained this model and are left out")) << unseen.err;
  const std::string one = folder / "seen";
  fs::create_directories(one);
  const std::vector<std::string> names = apps::load_wells_model(trained + "/model.safetensors").training_wells;
  for (const auto& entry : fs::directory_iterator(data))
    if (contains(read_file(entry.path().string()), names[0])) fs::copy(entry.path(), one);
  expect_refusal({"wells", "evaluate", "model=" + trained, "data=" + one, "run=" + (folder / "x")},
                 {"trained this model", "wells=training"});
  expect_refusal({"wells", "evaluate", "model=" + trained, "data=" + data, "run=" + (folder / "x"), "label=FOO"},
                 {"label FOO"});
  expect_refusal({"wells", "evaluate", "model=" + trained, "data=" + data, "run=" + (folder / "x"), "wells=some"},
                 {"wells", "validation", "training", "all"});
}

// A network that is given the depth: nothing is predicted of depth alone, and min_curves counts what was measured.
TEST_F(Predict, DepthIsAnInputButNoMeasurement) {
  run_well(train_arguments(data, folder / "deep", {"epochs=2", "curves=[GR, depth]", "mask=on"}));
  std::string gap;
  int row = -1;
  for (std::string line : lines_of(first())) {
    if (row >= 0 && row++ < 20) {
      const size_t at = line.find_first_not_of(' ', line.find(' ', line.find_first_not_of(' ')));
      line = line.substr(0, at) + "-999.25" + line.substr(line.find(' ', at));
    }
    if (line.starts_with("~A")) row = 0;
    gap += line + '\n';
  }
  run_well(
      {"wells", "predict", "model=" + folder / "deep", "data=" + copy("gap.las", gap), "out=" + folder / "deeper"});
  const data::LasFile now = data::read_las(folder / "deeper/gap.las");
  const data::LasCurve& found = *now.find("FACIES_PRED");
  for (size_t i = 0; i < 25; ++i) EXPECT_EQ(std::isnan(found.values[i]), i < 20) << i;
}

// The same well with its depths in feet is the same well.
TEST_F(Predict, FeetAreNotMetres) {
  std::string in_feet;
  bool rows = false;
  for (const std::string& line : lines_of(first())) {
    const bool depth = rows || line.starts_with("STRT") || line.starts_with("STOP") || line.starts_with("STEP");
    if (rows) in_feet += text_of(std::stod(line) / 0.3048) + line.substr(line.find(' ', line.find_first_not_of(' ')));
    else if (depth) in_feet += line.substr(0, 4) + ".ft " + text_of(std::stod(line.substr(7)) / 0.3048) + " :";
    else in_feet += line.starts_with("DEPT.m") ? "DEPT.ft" + line.substr(6) : line;
    in_feet += '\n';
    rows = rows || line.starts_with("~A");
  }
  const data::LasFile metres = predicted(data + "/synthetic_00000.las"), feet = predicted(copy("feet.las", in_feet));
  ASSERT_EQ(feet.curves[0].unit, "ft");
  EXPECT_EQ(metres.find("FACIES_PRED")->values, feet.find("FACIES_PRED")->values);
  // Nor for a network that is given the depth. Rounding may turn a sample between two classes.
  run_well(train_arguments(data, folder / "deep", {"epochs=2", "curves=[GR, depth]"}));
  for (const char* name : {"synthetic_00000.las", "feet.las"})
    run_well({"wells", "predict", "model=" + folder / "deep", "out=" + folder / "deeper",
              "data=" + folder / (name[0] == 'f' ? "changed/feet.las" : "data/synthetic_00000.las")});
  const auto p = data::read_las(folder / "deeper/synthetic_00000.las").find("P_CLASS_0")->values,
             q = data::read_las(folder / "deeper/feet.las").find("P_CLASS_0")->values;
  for (size_t i = 0; i < p.size(); ++i) ASSERT_NEAR(p[i], q[i], 2e-3) << i;
}

TEST_F(Predict, WhereNothingWasMeasuredThereIsNoClass) {
  std::string holes;  // samples 20 to 39 have no value, 60 to 69 an undeclared one
  int row = -1;
  for (const std::string& line : lines_of(first())) {
    const size_t value = row >= 0 ? line.find_first_not_of(' ', line.find(' ', line.find_first_not_of(' '))) : 0;
    const size_t end = row >= 0 ? std::min(line.find(' ', value), line.size()) : 0;
    const bool hole = row >= 20 && row < 40, leftover = row >= 60 && row < 70;
    holes += hole || leftover ? line.substr(0, value) + (hole ? "-999.25" : "-9999") + line.substr(end) : line;
    holes += '\n';
    if (row >= 0) ++row;
    if (line.starts_with("~A")) row = 0;
  }
  const std::string file = copy("holes.las", holes);
  const auto classless = [&](const Arguments& more) {
    const std::vector<double> values = predicted(file, more).find("FACIES_PRED")->values;
    std::vector<size_t> out;
    for (size_t i = 0; i < values.size(); ++i)
      if (std::isnan(values[i])) out.push_back(i);
    return out;
  };
  std::vector<size_t> expected;
  for (size_t i = 20; i < 40; ++i) expected.push_back(i);
  EXPECT_EQ(classless({}), expected);
  for (size_t i = 60; i < 70; ++i) expected.push_back(i);
  EXPECT_EQ(classless({"null_values=[-9999]"}), expected);
  const Result said = run_well({"wells", "predict", "model=" + trained, "data=" + file, "out=" + (folder / "said")});
  EXPECT_TRUE(contains(said.err, "10 values of GR look as if nothing was measured there (-9999)")) << said.err;
}

TEST_F(Predict, ANetworkOnTheLogisticRegressionBeginsAsGoodAsItAndComesBack) {
  const std::string based = folder / "based", evaluated = folder / "based_evaluated";
  run_well(train_arguments(data, based, {"epochs=1", "residual_on=logistic", "lr=1e-12"}));
  const nlohmann::json untrained = json_of(based + "/result.json");
  for (const std::string key : {"accuracy", "macro_f1", "mean_iou"})
    EXPECT_EQ(untrained[key], untrained["logistic_" + key]) << key;

  run_well(train_arguments(data, based + "2",
                           {"epochs=4", "residual_on=logistic", "features=windows", "model=mlp", "channels=[8]",
                            "strides=[]", "radius=0", "lr=0.01"}));
  run_well({"wells", "evaluate", "model=" + based + "2", "data=" + data, "run=" + evaluated, "wells=validation"});
  const nlohmann::json training = json_of(based + "2/result.json"), evaluation = json_of(evaluated + "/result.json");
  for (const std::string key : {"loss", "accuracy", "macro_f1"}) EXPECT_EQ(training[key], evaluation[key]) << key;
  EXPECT_NE(training["loss"], untrained["loss"]);
  for (const char* other : {"residual_on=none", "features=windows"})
    expect_refusal({"wells", "train", "resume=" + based, other, "epochs=2"}, {"another model", "residual_on=logistic"});
}

TEST_F(Predict, LabelsFollowTheOrderTheModelWasTrainedWith) {
  const std::string ordered = folder / "ordered";
  run_well(train_arguments(data, ordered, {"epochs=1", "monotone=true", "remove_short=3"}));
  const auto labels = [&](const std::string& name, const Arguments& more) {
    Arguments a{"wells", "predict", "model=" + ordered, "data=" + data + "/synthetic_00000.las",
                "out=" + (folder / name)};
    a.insert(a.end(), more.begin(), more.end());
    run_well(a);
    std::vector<double> values = data::read_las(folder / (name + "/synthetic_00000.las")).find("FACIES_PRED")->values;
    std::erase_if(values, [](double v) { return std::isnan(v); });
    return values;
  };
  const std::vector<double> kept = labels("kept", {}), off = labels("off", {"monotone=off", "remove_short=0"});
  EXPECT_FALSE(kept.empty());
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
  EXPECT_FALSE(std::is_sorted(off.begin(), off.end())) << "the synthetic facies come back, and so should these";
  EXPECT_EQ(labels("on", {"monotone=on"}), kept);

  run_well(
      {"wells", "evaluate", "model=" + ordered, "data=" + data, "run=" + (folder / "evaluated"), "wells=validation"});
  EXPECT_EQ(json_of(folder / "evaluated/result.json")["mean_iou"], json_of(ordered + "/result.json")["mean_iou"]);
}

// lasio reads what we write; KERN_PYTHON names a Python that has it.
TEST_F(Predict, LasioReadsTheFile) {
  const char* python = std::getenv("KERN_PYTHON");
  if (!python) GTEST_SKIP() << "KERN_PYTHON names no Python with lasio";
  run_well({"wells", "predict", "model=" + trained, "data=" + data, "out=" + (folder / "out")});
  const std::string command = std::string("'") + python + "' '" + testing::source_file("tests/apps/lasio_check.py") +
                              "' '" + data + "/synthetic_00000.las' '" + (folder / "out/synthetic_00000.las") +
                              "' FACIES_PRED 5";
  const int status = std::system(command.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << python << " has no lasio";
  EXPECT_EQ(status, 0);
}

TEST_F(Predict, OtherImplementationsGiveNearlyTheSame) {
  run_well(train_arguments(data, folder / "reference", {"epochs=2"}), {{"KERN_IMPL", "conv2d=reference"}});
  const double a = json_of(trained + "/result.json")["loss"], b = json_of(folder / "reference/result.json")["loss"];
  EXPECT_TRUE(std::abs(a - b) <= 0.01 * a) << a << " and " << b;
  for (const Arguments& arguments :
       {train_arguments(data, folder / "x"),
        Arguments{"wells", "predict", "model=" + trained, "data=" + data, "out=" + (folder / "y")}}) {
    const Result r = run(arguments, {{"KERN_IMPL", "conv2d=nonsense"}});
    EXPECT_EQ(r.code, 1);
    EXPECT_TRUE(
        contains(r.err, "error: KERN_IMPL: op 'conv2d' has no implementation 'nonsense'; its implementations are ") &&
        contains(r.err, "reference"))
        << r.err;
    EXPECT_FALSE(contains(r.err, "skipped"));
  }
}

TEST_F(Predict, FiguresAsJson) {
  const std::string file = folder / "f.json";
  run_well({"wells", "inspect", "data=" + data, "label=FACIES", "--json", file});
  for (const char* key : {"wells", "labelled_wells", "samples", "errors", "warnings", "notes"})
    EXPECT_TRUE(json_of(file).contains(key)) << key;
  run_well({"wells", "predict", "model=" + trained, "data=" + data, "out=" + (folder / "out"), "--json", file});
  EXPECT_EQ(json_of(file)["wells"], 6);
  EXPECT_EQ(json_of(file)["skipped"], 0);
  run_well({"wells", "synthesize", "out=" + (folder / "s"), "wells=2", "samples=64", "--json", file});
  EXPECT_EQ(json_of(file)["samples"], 128);
  const Result again = run_well(train_arguments(data, folder / "again", {"epochs=2", "--json", file}));
  for (const char* key : {"ended", "epochs", "best_epoch", "run", "loss", "accuracy", "macro_f1", "mean_iou",
                          "class_iou", "class_f1", "seconds", "foreseen_peak_bytes", "foreseen_reserved_bytes"})
    EXPECT_TRUE(json_of(file).contains(key)) << key;
  EXPECT_EQ(json_of(file), json_of(folder / "again/result.json"));
  const int64_t foreseen = json_of(file)["foreseen_peak_bytes"];
  EXPECT_GT(foreseen, 0);
  EXPECT_LE(foreseen, json_of(file)["peak_tensor_bytes"]) << "validation may need more than a step";
  EXPECT_GE(json_of(file)["foreseen_reserved_bytes"], foreseen);
  EXPECT_TRUE(contains(again.out, "a step needs ")) << again.out;
  EXPECT_TRUE(contains(read_file(folder / "again/report.html"), "Foreseen for a step"));
}

TEST(Help, AtEveryLevel) {
  EXPECT_TRUE(contains(run_well({"--help"}).out, "wells"));
  EXPECT_TRUE(contains(run_well({"wells", "--help"}).out, "synthesize"));
  EXPECT_TRUE(contains(run_well({"--version"}).out, "kern "));
  for (const char* verb : {"inspect", "synthesize", "train", "evaluate", "predict"}) {
    EXPECT_TRUE(contains(run_well({"wells", verb, "--help"}).out, "--help-keys")) << verb;
    const std::string keys = run_well({"wells", verb, "--help-keys"}).out;
    EXPECT_TRUE(contains(keys, std::string(verb) == "synthesize" ? "  samples=" : "  data=")) << keys;
    EXPECT_TRUE(contains(run_well({"wells", verb, "--help-keys", "--markdown"}).out, "| `")) << verb;
  }
  EXPECT_EQ(run({}).code, 2);
  EXPECT_EQ(run({"wells"}).code, 2);
}

}  // namespace
}  // namespace kern::testing
