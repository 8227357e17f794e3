// kern faults compare and study.
#include <cmath>
#include <map>
#include <sstream>

#include "engine/json.h"
#include "tests/apps/faults_run.h"

namespace kern::testing {
namespace {

double figure_of(const std::string& run, const std::string& name) {
  return nlohmann::json::parse(read_file(run + "/result.json")).at(name).get<double>();
}

// The cells of a CSV line, by the names above them.
std::map<std::string, std::string> line_of(const std::string& csv, const std::string& method) {
  std::istringstream lines(csv);
  std::string head, line;
  std::getline(lines, head);
  while (std::getline(lines, line) && line.substr(0, method.size() + 1) != method + ",") {
  }
  std::map<std::string, std::string> cells;
  std::istringstream names(head), values(line);
  for (std::string name, value; std::getline(names, name, ',') && std::getline(values, value, ',');)
    cells[name] = value;
  return cells;
}

TEST(FaultsCompare, NetworksOnTheSameSections) {
  const TemporaryFolder folder;
  const std::string a = folder / "a", b = folder / "b", c = folder / "c";
  run_well(train_faults(a, {"seed=1"}));
  run_well(train_faults(b, {"seed=2"}));
  run_well(train_faults(c, {"seed=1", "model=conv_ae", "epochs=3"}));
  const Result r = run_well({"faults", "compare", a, b, c, "out=" + folder / "out", "report_sections=3", "threads=1"});
  EXPECT_TRUE(contains(r.out, "unet: average precision 0.")) << r.out;
  EXPECT_TRUE(contains(r.out, "(2 runs)")) << r.out;
  EXPECT_TRUE(contains(r.out, "conv_ae: average precision 0.")) << r.out;

  // The same sections validated all of them, so each is evaluated as it evaluated itself.
  const std::string csv = read_file(folder / "out/comparison.csv");
  auto unet = line_of(csv, "unet"), conv = line_of(csv, "conv_ae");
  EXPECT_EQ(unet["runs"], "2");
  for (const char* name : {"average_precision", "tol_iou", "f1", "parameters"}) {
    EXPECT_NEAR(std::stod(unet[name]), (figure_of(a, name) + figure_of(b, name)) / 2, 1e-6) << name;
    EXPECT_NEAR(std::stod(conv[name]), figure_of(c, name), 1e-6) << name;
  }
  EXPECT_NEAR(std::stod(unet["average_precision_deviation"]),
              std::abs(figure_of(a, "average_precision") - figure_of(b, "average_precision")) / std::sqrt(2.0), 1e-6);
  EXPECT_EQ(std::stod(conv["sections_seen"]), 48);
  const std::string report = read_file(folder / "out/report.html");
  for (const char* words : {"average_precision of every run", "From left to right: section, its faults, unet (",
                            "on the 4 sections that validated"})
    EXPECT_TRUE(contains(report, words)) << words;
}

TEST(FaultsCompare, OtherSectionsThanItsOwn) {
  const TemporaryFolder folder;
  run_well(train_faults(folder / "easy", {"synthetic.noise=0.05"}));
  run_well(train_faults(folder / "hard", {"synthetic.noise=0.9", "validation_sections=3"}));
  run_well({"faults", "compare", folder / "easy", folder / "hard", "out=" + folder / "out", "threads=1"});
  const std::string report = read_file(folder / "out/report.html");
  EXPECT_TRUE(contains(report, "synthetic.noise=")) << "methods are named by what tells them apart";
  EXPECT_TRUE(contains(report, "on the 4 sections that validated " + (folder / "easy")));
}

TEST(FaultsCompare, WhatIsWrongIsSaid) {
  const TemporaryFolder folder;
  run_well(train_faults(folder / "a", {"validation_seed=77"}));
  run_well(train_faults(folder / "b", {"seed=77"}));
  expect_refusal({"faults", "compare", folder / "a", folder / "b", "out=" + folder / "out"},
                 {"seed=77", "validation_seed=", "may have seen"});
  expect_refusal({"faults", "compare", folder / "none", "out=" + folder / "out"}, {"there is no run in"});
  expect_refusal({"faults", "compare", folder / "a", "out=" + folder / "a"}, {folder / "a"});
}

TEST(FaultsCompare, AStudyOfNetworks) {
  const TemporaryFolder folder;
  Arguments a = train_faults("unused");
  std::string base;
  for (size_t i = 3; i < a.size(); ++i) base += (base.empty() ? "" : ", ") + a[i].replace(a[i].find('='), 1, ": ");
  write_file(folder / "study.yaml",
             "base: {" + base + "}\nrun: " + (folder / "study") + "\nvary: {model: [unet, vae], seed: [1, 2]}\n");
  const Result r = run_well({"faults", "study", folder / "study.yaml"});
  EXPECT_TRUE(contains(r.out, "vae: average precision")) << r.out;
  EXPECT_TRUE(contains(read_file(folder / "study/study.csv"), "average_precision"))
      << read_file(folder / "study/study.csv");
  EXPECT_TRUE(std::filesystem::exists(folder / "study/report.html"));
}

}  // namespace
}  // namespace kern::testing
