// logger=tensorboard, read by TensorBoard itself where KERN_PYTHON or .venv in the project's folder has it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/apps/json_of.h"
#include "tests/apps/kern_process.h"
#include "tests/support/source_files.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

TEST(TensorBoardLogger, IsReadByTensorBoard) {
  const TemporaryFolder folder;
  synthesize(folder / "data");
  const Arguments logged{"logger=tensorboard", "log_histograms=gradients", "epochs=3"};
  run_well(train_arguments(folder / "data", folder / "run", logged));
  ASSERT_TRUE(fs::is_directory(folder / "run/tensorboard"));
  // It changes nothing of the training.
  run_well(train_arguments(folder / "data", folder / "plain", {"epochs=3"}));
  EXPECT_FALSE(fs::exists(folder / "plain/tensorboard"));
  EXPECT_EQ(read_file(folder / "run/metrics.csv"), read_file(folder / "plain/metrics.csv"));
  EXPECT_EQ(read_file(folder / "run/model.safetensors"), read_file(folder / "plain/model.safetensors"));

  const char* given = std::getenv("KERN_PYTHON");
  const std::string python = given ? given : source_file(".venv/bin/python");
  if (!fs::exists(python))
    GTEST_SKIP() << "neither KERN_PYTHON nor .venv is there: the files were not read by TensorBoard";
  const std::string command = "'" + python + "' '" + source_file("tests/apps/tensorboard_check.py") + "' '" +
                              (folder / "run/tensorboard") + "' > '" + (folder / "found.json") + "' 2> /dev/null";
  const int status = std::system(command.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << python << " has no TensorBoard";
  ASSERT_EQ(status, 0);
  const nlohmann::json found = json_of(folder / "found.json");
  const nlohmann::json loss = found["scalars"]["train/loss"], iou = found["scalars"]["validation/mean_iou"];
  ASSERT_EQ(loss.size(), 3u);
  ASSERT_EQ(iou.size(), 3u);
  const std::string metrics = read_file(folder / "run/metrics.csv");
  double first = 0;
  ASSERT_EQ(std::sscanf(metrics.c_str() + metrics.find('\n') + 1, "1,%lf", &first), 1) << metrics;
  EXPECT_EQ(loss[0][0].get<int>(), 1);
  EXPECT_FLOAT_EQ(loss[0][1].get<float>(), float(first));
  int weights = 0, gradients = 0;
  for (const auto& [tag, events] : found["histograms"].items()) {
    ASSERT_EQ(events.size(), 3u) << tag;
    (tag.starts_with("weights/") ? weights : gradients)++;
    for (const auto& e : events) {
      EXPECT_GT(e[1].get<double>(), 0) << tag;
      EXPECT_LE(e[2].get<double>(), e[3].get<double>()) << tag;
      EXPECT_EQ(e[1].get<double>(), e[4].get<double>()) << tag << ": every value is in a bucket";
    }
  }
  EXPECT_GT(weights, 5);
  EXPECT_EQ(weights, gradients);
}

TEST(TensorBoardLogger, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  synthesize(folder / "data");
  expect_refusal(train_arguments(folder / "data", folder / "run", {"logger=wandb"}), {"logger", "tensorboard"});
}

}  // namespace
}  // namespace kern::testing
