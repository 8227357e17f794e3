// kern faults inspect and synthesize, run as a person runs them.

#include "engine/atomic_file.h"
#include "tests/apps/json_of.h"
#include "tests/apps/kern_process.h"

namespace kern::testing {
namespace {

TEST(FaultsInput, SynthesizeAndInspect) {
  const TemporaryFolder folder;
  const std::string out = folder / "made";
  const Arguments make = {"faults", "synthesize", "out=" + out,   "volumes=2", "crosslines=40",     "samples=48",
                          "seed=3", "faults=2",   "dip=[60, 80]", "--json",    folder / "made.json"};
  const Result made = run_well(make);
  EXPECT_TRUE(contains(made.out, "2 sections of 1 x 40 x 48 with 4 faults")) << made.out;
  EXPECT_EQ(files_below(out), (std::vector<std::string>{"amplitude_00000.sgy", "amplitude_00001.sgy",
                                                        "faults_00000.sgy", "faults_00001.sgy", "sheet.png"}));
  EXPECT_EQ(json_of(folder / "made.json")["faults"], 4);
  const std::string first = read_file(out + "/amplitude_00001.sgy");
  run_well(make);
  EXPECT_EQ(read_file(out + "/amplitude_00001.sgy"), first);

  const Result seen = run_well({"faults", "inspect", out + "/amplitude_00000.sgy", "--json", folder / "seen.json",
                                "out=" + (folder / "report")});
  for (const char* words : {"C 1 SYNTHETIC SEISMIC BY KERN", "one inline of a 3-D survey, 40 traces",
                            "48 samples every 4 ms, 0 to 188 ms", "nothing is odd"})
    EXPECT_TRUE(contains(seen.out, words)) << words << "\n" << seen.out;
  const auto figures = json_of(folder / "seen.json");
  EXPECT_EQ(figures["traces"], 40);
  EXPECT_EQ(figures["format"], 5);
  EXPECT_EQ(figures["kind"], "3-D cube");
  EXPECT_EQ(files_below(folder / "report"),
            (std::vector<std::string>{"figures/map.svg", "figures/section.svg", "figures/spectrum.svg", "report.html",
                                      "section.png"}));

  // A bad file is named and the rest goes on.
  write_file(out + "/bad.sgy", "no traces");
  const Result all = run({"faults", "inspect", "data=" + out});
  EXPECT_EQ(all.code, 1);
  EXPECT_TRUE(contains(all.out, "bad.sgy is no SEG-Y file: it has 9 bytes"));
  EXPECT_TRUE(contains(all.out, "5 files, 1 of them refused"));
}

TEST(FaultsInput, CubesAndFaultsInOnesOwnSections) {
  const TemporaryFolder folder;
  const Arguments small = {"faults",     "synthesize", "out=" + (folder / "cube"),
                           "volumes=1",  "inlines=6",  "crosslines=40",
                           "samples=40", "format=ibm"};
  run_well(small);
  const std::string cube = folder / "cube/amplitude_00000.sgy";
  const Result seen = run_well({"faults", "inspect", cube, "crossline=7", "out=" + (folder / "report")});
  EXPECT_TRUE(contains(seen.out, "3-D cube, 240 traces")) << seen.out;
  EXPECT_TRUE(contains(seen.out, "4-byte IBM float, big-endian"));
  run_well({"faults", "synthesize", "out=" + (folder / "cut"), "from=" + cube, "volumes=3", "crosslines=32",
            "samples=32", "faults=1"});
  EXPECT_EQ(files_below(folder / "cut").size(), 7u);
  run_well({"faults", "synthesize", "out=" + (folder / "cubes"), "from=" + cube, "volumes=1", "inlines=4",
            "crosslines=32", "samples=32", "faults=1"});
  const Result window = run_well({"faults", "inspect", folder / "cubes/amplitude_00000.sgy"});
  EXPECT_TRUE(contains(window.out, "3-D cube, 128 traces")) << window.out;
  expect_refusal({"faults", "synthesize", "out=" + (folder / "x"), "from=" + cube, "inlines=7"},
                 {"too small for windows of 7 lines x 128 traces", "give smaller inlines=, crosslines="});
  expect_refusal({"faults", "synthesize", "out=" + (folder / "x"), "salt=2"}, {"salt", "1"});
  expect_refusal({"faults", "synthesize", "out=" + (folder / "x"), "from=" + cube, "crosslines=64"},
                 {"too small for windows of 64 traces", "6 inlines x 40 crosslines x 40 samples"});
  expect_refusal({"faults", "inspect", cube, "inline=9"}, {"there is no inline 9", "from 1 to 6"});
}

TEST(FaultsInput, Errors) {
  const TemporaryFolder folder;
  expect_refusal({"faults", "inspect"}, {"data"});
  expect_refusal({"faults", "inspect", folder / "none.sgy"}, {"cannot read", "none.sgy"});
  expect_refusal({"faults", "inspect", "a.sgy", "b.sgy"}, {"two files are given, 'a.sgy' and 'b.sgy'"});
  expect_refusal({"faults", "inspect", "a.sgy", "il=300"}, {"il", "237"});
  expect_refusal({"faults", "inspect", "data=" + folder.path().string()}, {"holds no .sgy"});
  expect_refusal({"faults", "synthesize", "out=" + (folder / "x"), "dip=[80, 60]"},
                 {"dip goes from 80 to 60", "ascending"});
  expect_refusal({"faults", "synthesize", "out=" + (folder / "x"), "throw=[1, 2, 3]"}, {"throw has 3 numbers"});
  expect_refusal({"faults", "synthesize", "out=" + (folder / "x"), "frequency=200"}, {"frequency", "125"});
}

}  // namespace
}  // namespace kern::testing
