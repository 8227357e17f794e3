// `kern TASK init`: a configuration made from the data, which trains as it stands.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/atomic_file.h"
#include "tests/apps/kern_process.h"

namespace kern::testing {
namespace init {
namespace fs = std::filesystem;

TEST(WellsInit, TrainsAsItStands) {
  const TemporaryFolder folder;
  synthesize(folder / "data", 8, 400);
  const std::string config = folder / "my.yaml";
  const Result r = run_well({"wells", "init", folder / "data", "out=" + config});
  EXPECT_TRUE(contains(r.out, "kern wells train " + config)) << r.out;
  const std::string text = read_file(config);
  for (const char* line : {"curves: [GR]", "label: FACIES", "8 of them with labels", "folds: 5", "codes: [\"3\"]"})
    EXPECT_TRUE(contains(text, line)) << line << "\n" << text;
  run_well({"wells", "train", config, "epochs=1", "quiet=true", "run=" + folder / "run"});
  EXPECT_TRUE(fs::exists(folder / "run/report.html"));
  expect_refusal({"wells", "init", folder / "data", "out=" + config}, {"is there already", "overwrite=true"});
  run_well({"wells", "init", folder / "data", "out=" + config, "overwrite=true"});
}

// A table of two curves under the names of a logging company, one that spans decades, words as labels, two wells of
// another step, a curve that few wells have, and coordinates that no family of curves knows.
TEST(WellsInit, FindsCurvesUnitsStepsAndLabels) {
  const TemporaryFolder folder;
  make_folder(folder / "data");
  const char* const words[] = {"sand", "shale", "coal"};
  for (int w = 0; w < 6; ++w) {
    const double step = w < 4 ? 0.5 : 0.25;
    std::string las = "~V\nVERS. 2.0 :\nWRAP. NO :\n~W\nSTRT.M 100 :\nSTOP.M 200 :\nSTEP.M " + std::to_string(step) +
                      " :\nNULL. -999.25 :\nWELL. W" + std::to_string(w) +
                      " :\n~C\nDEPT.M :\nSGR.API :\nILD.OHMM :\nX_LOC.M :\n" + (w == 0 ? "RHOB.G/CC :\n" : "") +
                      "FACIES_CONFIDENCE. :\nLITHO_CODE. :\n~A\n";
    for (int i = 0; i < 200; ++i) {
      const int k = i / 40 % 3;
      las += std::to_string(100 + i * step) + " " + std::to_string(30 + w + 40 * k + i % (7 + w)) + " " +
             std::to_string(k == 0 ? 1 + i % 5 : 1000 + i) + " 431000.5 " + (w == 0 ? "2.3 " : "") + "1 " +
             std::to_string(k == 2 ? 74000 : 30000 + 35000 * k) + "\n";
    }
    write_file(folder / ("data/w" + std::to_string(w) + ".las"), las);
  }
  const std::string config = folder / "my.yaml";
  run_well({"wells", "init", "data=" + folder / "data", "out=" + config});
  const std::string text = read_file(config);
  for (const char* line : {"curves: [SGR, ILD]", "log10: [ILD]", "label: LITHO_CODE", "step: 0.5", "name: sandstone",
                           "name: dolomite", "those of the FORCE 2020", "2 of 6 wells are sampled otherwise"})
    EXPECT_TRUE(contains(text, line)) << line << "\n" << text;
  run_well({"wells", "train", config, "epochs=1", "quiet=true", "run=" + folder / "run"});

  std::string table = "well,depth_m,GAMMA,zone\n";
  for (int w = 0; w < 4; ++w)
    for (int i = 0; i < 120; ++i)
      table += "A" + std::to_string(w) + "," + std::to_string(1000 + i) + "," + std::to_string(20 + 50 * (i / 40)) + "," +
               words[i / 40] + "\n";
  write_file(folder / "table.csv", table);
  run_well({"wells", "init", "data=" + folder / "table.csv", "out=" + folder / "t.yaml"});
  const std::string of_table = read_file(folder / "t.yaml");
  for (const char* line : {"curves: [GAMMA]", "label: zone", "{name: coal, codes: [coal]}", "validation: 0.25"})
    EXPECT_TRUE(contains(of_table, line)) << line << "\n" << of_table;
  run_well({"wells", "train", folder / "t.yaml", "epochs=1", "quiet=true", "run=" + folder / "run2"});
}

TEST(WellsInit, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  std::string table = "well,depth_m,GR\n";
  for (int i = 0; i < 60; ++i) table += "A," + std::to_string(i) + "," + std::to_string(i % 13) + ".5\n";
  write_file(folder / "t.csv", table);
  expect_refusal({"wells", "init", folder / "t.csv", "out=" + folder / "a.yaml"}, {"looks like labels", "label=", "GR"});
  expect_refusal({"wells", "init", folder / "t.csv", "label=GR", "out=" + folder / "a.yaml"}, {"one well has", "two"});
  expect_refusal({"wells", "init", folder / "none", "out=" + folder / "a.yaml"}, {"does not exist"});
  EXPECT_FALSE(fs::exists(folder / "a.yaml"));
}

}  // namespace init
}  // namespace kern::testing
