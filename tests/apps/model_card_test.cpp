// What a model file says of itself.
#include <gtest/gtest.h>

#include "engine/model_file.h"
#include "tests/apps/json_of.h"
#include "tests/apps/kern_process.h"

namespace kern::testing {
namespace {

TEST(ModelCard, SaysWhatTheTrainingFoundOut) {
  const TemporaryFolder folder;
  synthesize(folder / "data");
  run_well(train_arguments(folder / "data", folder / "run"));
  const Result r = run_well({"info", "model=" + (folder / "run"), "--json", folder / "card.json"});
  for (const char* part :
       {"task", "wells", "classes", "class 0, class 1", "training_wells", "provenance", "figures.mean_iou"})
    EXPECT_TRUE(contains(r.out, part)) << part << "\n" << r.out;
  const nlohmann::json card = json_of(folder / "card.json"), found = json_of(folder / "run/result.json");
  for (const char* figure : {"accuracy", "mean_iou", "loss", "best_epoch"})
    EXPECT_EQ(card[std::string("figures.") + figure].get<double>(), found[figure].get<double>()) << figure;
  EXPECT_FALSE(contains(r.out, "seconds")) << "of this run alone";
  EXPECT_FALSE(contains(r.out, "figures.run"));
  const Result last = run_well({"info", "model=" + (folder / "run/model_last.safetensors")});
  EXPECT_TRUE(contains(last.out, "no figures")) << last.out;
}

// The card is no reason for two equal trainings to differ.
TEST(ModelCard, EqualTrainingsGiveEqualFiles) {
  const TemporaryFolder folder;
  synthesize(folder / "data");
  run_well(train_arguments(folder / "data", folder / "a"));
  run_well(train_arguments(folder / "data", folder / "b", {"threads=3"}));
  EXPECT_EQ(read_file(folder / "a/model.safetensors"), read_file(folder / "b/model.safetensors"));
}

TEST(ModelCard, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  save_tensors(folder / "other.safetensors", {{"a", Tensor::from({1}, std::vector<float>{1})}}, {});
  save_tensors(folder / "damaged.safetensors", {}, {{"kern.task", "wells"}, {"kern.wells_model", "{"}});
  save_tensors(folder / "list.safetensors", {}, {{"kern.task", "wells"}, {"kern.wells_model", "[1]"}});
  expect_refusal({"info", "model=" + (folder / "none")},
                 {"there is no model", "none", "name the folder of a training"});
  expect_refusal({"info", "model=" + (folder / "other.safetensors")}, {"not a model that Kern saved"});
  expect_refusal({"info", "model=" + (folder / "damaged.safetensors")}, {"description", "damaged"});
  expect_refusal({"info", "model=" + (folder / "list.safetensors")}, {"description", "damaged"});
  expect_refusal({"info", "modell=x"}, {"modell=x"}, 2);
  expect_refusal({"info", "model=a", "model=b"}, {"model=b"}, 2);
  expect_refusal({"info", "model="}, {"names no file"});
}

}  // namespace
}  // namespace kern::testing
