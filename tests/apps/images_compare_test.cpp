// Comparing trainings on images, and the epochs until they were good enough.
#include "engine/atomic_file.h"
#include "tests/apps/kern_process.h"
#include "tests/support/image_folder.h"

namespace kern::testing {
namespace {

Arguments training(const std::string& data, const std::string& run, const Arguments& more = {}) {
  Arguments a{"images",  "train",    "data=" + data, "masks=nonzero", "channels=4,8", "batch=3",        "epochs=2",
              "lr=0.01", "panels=1", "quiet=true",   "threads=1",     "run=" + run,   "report_images=1"};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

TEST(ImagesCompare, TwoMethodsOnTheSameImages) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 9);
  const std::string data = folder / "data", a = folder / "a", b = folder / "b", c = folder / "c";
  run_well(training(data, a));
  run_well(training(data, b, {"grey=true"}));
  run_well(training(data, c, {"grey=true", "seed=2", "loss={ce: 1}"}));
  const Result r = run_well({"images", "compare", a, b, c, "out=" + folder / "out", "report_images=2",
                             "epochs_to={mean_iou: 0.01, val_loss: 1e-9}"});
  EXPECT_TRUE(contains(r.out, "grey=false: accuracy")) << r.out;
  EXPECT_TRUE(contains(r.out, "(2 runs)")) << r.out;
  const std::string page = read_file(folder / "out/report.html");
  for (const char* part : {"grey=true", "±", "mean_iou &gt;= 0.01", "never", "The same images under each method",
                           "image, truth, 1 (mean IoU", "binary_iou of every run", "</html>"})
    EXPECT_TRUE(contains(page, part)) << part;
  EXPECT_TRUE(contains(read_file(folder / "out/comparison.csv"), "grey=true,2,"));
  expect_refusal({"images", "compare", a, folder / "none", "out=" + folder / "o2"}, {"there is no run in"});
  run_well(training(data, folder / "d", {"split_seed=2"}));
  expect_refusal({"images", "compare", a, folder / "d", "out=" + folder / "o2"}, {"same validation data"});
  write_squares(folder.path() / "data2", 4);
  expect_refusal({"images", "compare", a, "data=" + folder / "data2", "out=" + folder / "o2"}, {"any more", "data="});
}

TEST(ImagesCompare, EpochsUntilAFigureReachesAValue) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 6);
  const std::string data = folder / "data";
  run_well(training(data, folder / "run", {"epochs_to={accuracy: 0.001, binary_iou: 1.5}"}));
  const std::string figures = read_file(folder / "run/result.json"), page = read_file(folder / "run/report.html");
  EXPECT_TRUE(contains(figures, "\"accuracy >= 0.001\": 1")) << figures;
  EXPECT_TRUE(contains(figures, "\"binary_iou >= 1.5\": null")) << figures;
  EXPECT_TRUE(contains(page, "Epochs until it was good enough"));
  expect_refusal(training(data, folder / "b", {"epochs_to={mean_uio: 0.5}"}), {"'mean_uio'", "mean_iou"});
}

TEST(ImagesCompare, AStudyOfSeeds) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 6);
  write_file(folder / "study.yaml", "base: {data: '" + folder / "data" +
                                        "', masks: nonzero, channels: [4, 8], batch: 3, epochs: 1, panels: 0, threads: "
                                        "1, quiet: true}\nrun: '" +
                                        folder / "study" + "'\nvary: {seed: [1, 2]}\n");
  const Result r = run_well({"images", "study", folder / "study.yaml"});
  EXPECT_TRUE(contains(r.out, "2 of 2 runs finished, 0 failed")) << r.out;
  EXPECT_TRUE(contains(read_file(folder / "study/report.html"), "these runs"));
}

}  // namespace
}  // namespace kern::testing
