// test=: labelled data that no training looks at, whatever is in them, and that `evaluate` finds again by name.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "apps/images/images_model.h"
#include "apps/wells/wells_model.h"
#include "data/image.h"
#include "engine/atomic_file.h"
#include "tests/apps/json_of.h"
#include "tests/apps/kern_process.h"
#include "tests/support/image_folder.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

// Everything that a training measured.
std::string measured(const std::string& run) { return read_file(run + "/metrics.csv"); }

TEST(KeptForTest, ImagesAreSeenByNothingButTheirEvaluation) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 12);
  const auto train = [&](const std::string& run) {
    return run_well({"images", "train", "data=" + folder / "data", "masks=nonzero", "channels=4,8", "batch=3",
                     "epochs=2", "test=0.25", "threads=1", "panels=0", "run=" + folder / run});
  };
  EXPECT_TRUE(contains(train("run").err, "3 of the labelled images are kept for the test, at which no training looks"));
  const auto evaluate = [&](const std::string& run, const std::string& which) {
    run_well({"images", "evaluate", "model=" + folder / "run", "data=" + folder / "data", "images=" + which,
              "run=" + folder / run});
    return json_of(folder / run + "/result.json");
  };
  const auto test = evaluate("test", "test");
  EXPECT_EQ(test["images"], 3);
  EXPECT_EQ(evaluate("unseen", "unseen")["mean_iou"], test["mean_iou"]);  // the validation chose the epoch

  // Empty masks for the three: the training is the same to the digit, their evaluation is not.
  const std::vector<std::string> kept = apps::load_images_model(folder / "run/model.safetensors").test_images;
  ASSERT_EQ(kept.size(), 3u);
  for (const std::string& name : kept)
    write_file(folder.path() / "data/masks" / (name + ".png"), data::encode_png(data::make_raster(24, 32, 1)));
  train("again");
  EXPECT_EQ(measured(folder / "run"), measured(folder / "again"));
  EXPECT_NE(evaluate("other", "test")["mean_iou"], test["mean_iou"]);
}

TEST(KeptForTest, WellsAreSeenByNothingButTheirEvaluation) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  synthesize(data);
  const auto train = [&](const std::string& run) {
    return run_well(train_arguments(data, folder / run, {"epochs=2", "test=0.3"}));
  };
  EXPECT_TRUE(contains(train("run").err, "labelled wells are kept for the test, at which no training looks"));
  const auto evaluate = [&](const std::string& run) {
    run_well({"wells", "evaluate", "model=" + folder / "run", "data=" + data, "wells=test", "report_wells=0",
              "run=" + folder / run});
    return json_of(folder / run + "/result.json");
  };
  const auto test = evaluate("test");
  EXPECT_EQ(test["wells"], 2);

  // Without labels in the two, but for one sample each: the training is the same to the digit, their evaluation is not.
  const std::vector<std::string> kept = apps::load_wells_model(folder / "run/model.safetensors").test_wells;
  ASSERT_EQ(kept.size(), 2u);
  for (const auto& entry : fs::directory_iterator(data)) {
    const std::string content = read_file(entry.path());
    if (std::ranges::none_of(kept, [&](const std::string& id) { return contains(content, id); })) continue;
    std::istringstream lines(content);
    std::string changed;
    bool values = false;
    int row = 0;
    for (std::string line; std::getline(lines, line);) {
      if (values && row++ > 0) line.replace(line.find_last_of(' ') + 1, line.npos, "-999.25");
      values = values || line.starts_with("~A");
      changed += line + "\n";
    }
    write_file(entry.path(), changed);
  }
  train("again");
  EXPECT_EQ(measured(folder / "run"), measured(folder / "again"));
  EXPECT_NE(evaluate("other")["accuracy"], test["accuracy"]);
  expect_refusal({"wells", "train", "data=" + data, "label=FACIES", "test=1", "run=" + folder / "none"}, {"test"});
}

}  // namespace
}  // namespace kern::testing
