#include "data/anomaly_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/image.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "tests/support/source_files.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;

class AnomalySetTest : public ::testing::Test {
 protected:
  AnomalySetTest() : root(fs::path(::testing::TempDir()) / "anomalies") { fs::remove_all(root); }
  ~AnomalySetTest() override { fs::remove_all(root); }
  void image(const std::string& name, int64_t h = 4, int64_t w = 5) const {
    fs::create_directories((root / name).parent_path());
    write_file(root / name, encode_png(make_raster(h, w, 1)));
  }
  AnomalySet load(AnomalySetOptions o = {}) const {
    o.path = root;
    return load_anomaly_set(o);
  }
  static const AnomalyImage& find(const AnomalySet& set, const std::string& id) {
    for (const auto& p : set.images)
      if (p.id == id) return p;
    throw Error("no image " + id);
  }
  fs::path root;
};
std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing";
}

TEST_F(AnomalySetTest, FoldersAreKindsAndMasksArePaired) {
  image("good/a.png"), image("Normal/b.png"), image("crack/a.png"), image("hole/x.png");
  image("ground_truth/crack/a_mask.png"), image("ground_truth/hole/x.png", 9, 9);
  const AnomalySet set = load();
  ASSERT_EQ(set.images.size(), 4u);
  EXPECT_EQ(set.count(Truth::normal), 2);
  EXPECT_EQ(find(set, "crack/a.png").kind, "crack");
  EXPECT_EQ(find(set, "crack/a.png").mask, root / "ground_truth/crack/a_mask.png");
  EXPECT_TRUE(find(set, "good/a.png").mask.empty());
  EXPECT_TRUE(find(set, "hole/x.png").mask.empty());  // another size
  ASSERT_EQ(set.skipped.size(), 1u);
  EXPECT_NE(set.skipped[0].sentence.find("is 9 x 9, its image"), std::string::npos);
  EXPECT_THROW(load({.strict = true}), Error);
}

TEST_F(AnomalySetTest, LinksGoByTheirOwnNames) {
  image("real/1.png"), image("real/2.png"), image("real/3.png");
  for (const char* folder : {"set/train/good", "set/test/crack", "set/ground_truth/crack"})
    fs::create_directories(root / folder);
  fs::create_symlink(root / "real/1.png", root / "set/train/good/a.png");
  fs::create_symlink(root / "real/2.png", root / "set/test/crack/b.png");
  fs::create_symlink(root / "real/3.png", root / "set/ground_truth/crack/b_mask.png");
  fs::create_symlink("round.png", root / "set/train/good/round.png");  // in a circle
  for (const char* mask_dir : {"", "ground_truth", "test/../ground_truth"}) {
    const AnomalySet set = load_anomaly_set({.path = root / "set", .mask_dir = mask_dir});
    ASSERT_EQ(set.images.size(), 2u) << mask_dir;
    EXPECT_EQ(find(set, "train/good/a.png").part, "train") << mask_dir;
    EXPECT_EQ(find(set, "test/crack/b.png").kind, "crack") << mask_dir;
    EXPECT_EQ(find(set, "test/crack/b.png").mask.filename(), "b_mask.png") << mask_dir;
    EXPECT_TRUE(set.skipped.empty()) << mask_dir;
  }
}

TEST_F(AnomalySetTest, APngBesideAJpegOfItsNameIsItsMask) {
  image("MT_Free/1.png"), image("MT_Crack/2.png");
  fs::copy_file(root / "MT_Crack/2.png", root / "MT_Crack/2.jpg");  // the header decides, not the name
  const AnomalySet set = load();
  ASSERT_EQ(set.images.size(), 2u);
  EXPECT_EQ(find(set, "MT_Crack/2.jpg").mask, root / "MT_Crack/2.png");
  EXPECT_EQ(find(set, "MT_Free/1.png").truth, Truth::normal);
}

TEST_F(AnomalySetTest, MaskNamesCanBeTranslated) {
  image("good/P_ND_1.png"), image("defect/P_D_2.png"), image("ground_truth/P_GT_2.png");
  EXPECT_TRUE(find(load(), "defect/P_D_2.png").mask.empty());
  EXPECT_EQ(find(load({.mask_from = "_D_", .mask_to = "_GT_"}), "defect/P_D_2.png").mask,
            root / "ground_truth/P_GT_2.png");
}

// It was silent: "masks 0" beside a folder of them.
TEST_F(AnomalySetTest, MasksThatNoImageTakesAreNamedWithWhatWouldPairThem) {
  image("good/P_S_ND_1.png");
  for (const char* n : {"01_1", "01_2", "02_1"})
    image(text("defect/P_S_D_", n, ".png")), image(text("ground_truth/P_S_GT_", n, ".png"));
  const AnomalySet set = load();
  ASSERT_EQ(set.skipped.size(), 1u);
  EXPECT_NE(set.skipped[0].sentence.find("3 masks belong to no image"), std::string::npos) << set.skipped[0].sentence;
  EXPECT_EQ(set.skipped[0].remedy, "set mask_from=_D_ mask_to=_GT_, which pairs 3");
  EXPECT_TRUE(load({.mask_from = "_D_", .mask_to = "_GT_"}).skipped.empty());
  image("ground_truth/other.png");
  fs::remove_all(root / "ground_truth"), image("ground_truth/quite/another.png");
  EXPECT_NE(load().skipped[0].remedy.find("name a mask as its image"), std::string::npos);
  // Masks of good images, as the magnetic tiles have them, are nobody's fault.
  fs::remove_all(root), image("MT_Free/1.png"), image("MT_Crack/2.png"), image("MT_Crack/3.png");
  for (const char* n : {"MT_Free/1.jpg", "MT_Crack/2.jpg"})
    fs::copy_file(testing::source_file("tests/data/image/grey.jpg"), root / n);
  for (const data::Problem& p : load().skipped) EXPECT_EQ(p.sentence.find("belong to no image"), std::string::npos);
}

TEST_F(AnomalySetTest, AFolderWithoutFoldersIsNormal) {
  image("a.png"), image("b.png");
  const AnomalySet set = load();
  EXPECT_EQ(set.count(Truth::normal), 2);
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_NE(set.notes[0].find("count as normal"), std::string::npos);
}

TEST_F(AnomalySetTest, AListSaysWhatIsWhat) {
  image("a b.png"), image("c.png"), image("d.png");
  write_file(root / "list.txt", "# file label\na b.png good\nc.png, spill\nabsent.png good\n\n");
  const AnomalySet set = load({.list = root / "list.txt"});
  ASSERT_EQ(set.images.size(), 2u);
  EXPECT_EQ(find(set, "a b.png").truth, Truth::normal);
  EXPECT_EQ(find(set, "c.png").kind, "spill");
  ASSERT_EQ(set.skipped.size(), 1u);
  EXPECT_NE(set.skipped[0].sentence.find("line 4 names absent.png, which is not in"), std::string::npos);
  write_file(root / "list.txt", "lonely\n");
  EXPECT_NE(message_of([&] { load({.list = root / "list.txt"}); }).find("is not a file and its label"),
            std::string::npos);
}

TEST_F(AnomalySetTest, WhatCannotBeReadIsNamed) {
  image("good/a.png");
  write_file(root / "good/b.png", "no image");
  const AnomalySet set = load();
  EXPECT_EQ(set.images.size(), 1u);
  ASSERT_EQ(set.skipped.size(), 1u);
  EXPECT_NE(set.skipped[0].sentence.find("b.png"), std::string::npos);
  fs::remove(root / "good/a.png");
  EXPECT_NE(message_of([&] { load(); }).find("can be used; the first reason"), std::string::npos);
  EXPECT_NE(message_of([&] { load_anomaly_set({.path = root / "nowhere"}); }).find("does not exist"),
            std::string::npos);
}

TEST_F(AnomalySetTest, SplitsKeepAnomaliesOutOfTheTrainingAndHalveEveryKind) {
  for (int i = 0; i < 40; ++i) image("good/" + std::to_string(i) + ".png");
  for (int i = 0; i < 10; ++i) image("crack/" + std::to_string(i) + ".png");
  for (int i = 0; i < 5; ++i) image("hole/" + std::to_string(i) + ".png");
  const AnomalySet set = load();
  const AnomalySplit split = split_anomalies(set, {.validation = 0.25, .test = 0.1, .seed = 3});
  auto count = [&](const std::vector<int64_t>& part, const char* kind) {
    return std::count_if(part.begin(), part.end(), [&](int64_t i) { return set.images[size_t(i)].kind == kind; });
  };
  EXPECT_EQ(split.training.size(), 26u);
  EXPECT_EQ(count(split.training, "good"), 26);
  EXPECT_EQ(count(split.validation, "good"), 10);
  EXPECT_EQ(count(split.test, "good"), 4);
  EXPECT_EQ(count(split.validation, "crack"), 5);
  EXPECT_EQ(count(split.test, "crack"), 5);
  EXPECT_EQ(count(split.validation, "hole") + count(split.test, "hole"), 5);
  std::set<int64_t> all(split.training.begin(), split.training.end());
  all.insert(split.validation.begin(), split.validation.end());
  all.insert(split.test.begin(), split.test.end());
  EXPECT_EQ(all.size(), 55u);
  EXPECT_EQ(split_anomalies(set, {.validation = 0.25, .test = 0.1, .seed = 3}).test, split.test);
  EXPECT_NE(split_anomalies(set, {.validation = 0.25, .test = 0.1, .seed = 4}).test, split.test);
  EXPECT_THROW(split_anomalies(set, {.validation = 0.6, .test = 0.4}), Error);
}

TEST_F(AnomalySetTest, GroupsAreNeverParted) {
  for (int sheet = 0; sheet < 12; ++sheet)
    for (int i = 0; i < 5; ++i) image("good/s" + std::to_string(sheet) + "_" + std::to_string(i) + ".png");
  for (int i = 0; i < 8; ++i) image("crack/c" + std::to_string(i / 4) + "_" + std::to_string(i) + ".png");
  const AnomalySet set = load();
  for (const uint64_t seed : {1, 2, 3}) {
    const AnomalySplit split =
        split_anomalies(set, {.validation = 0.25, .test = 0.25, .seed = seed, .groups = {.by = Grouping::name}});
    std::map<int64_t, std::set<int>> parts;
    int part = 0;
    for (const auto* images : {&split.training, &split.validation, &split.test}) {
      for (const int64_t i : *images) parts[split.group[size_t(i)]].insert(part);
      ++part;
    }
    EXPECT_EQ(parts.size(), 14u);
    for (const auto& [group, of] : parts) EXPECT_EQ(of.size(), 1u) << group;
    EXPECT_EQ(split.training.size(), 30u);  // shares are multiples of a group
    EXPECT_EQ(split.validation.size(), 19u);
    EXPECT_EQ(split.test.size(), 19u);
  }
}

TEST_F(AnomalySetTest, ValidationMayTrain) {
  for (int i = 0; i < 40; ++i) image("good/" + std::to_string(i) + ".png");
  for (int i = 0; i < 10; ++i) image("crack/" + std::to_string(i) + ".png");
  const AnomalySet set = load();
  AnomalySplitOptions o{.validation = 0.25, .test = 0.1, .seed = 3};
  const AnomalySplit apart = split_anomalies(set, o);
  o.validation_trains = true;
  const AnomalySplit split = split_anomalies(set, o);
  EXPECT_EQ(split.test, apart.test);
  EXPECT_EQ(split.training.size(), 36u);
  EXPECT_EQ(split.validation.size(), 5u);  // the cracks
}

TEST(ImageGroups, ByNameAndByNumber) {
  const std::vector<std::string> ids{"a/x_1.png", "a/x_2.png", "a/y_2.png", "b/x_3.png", "b/plain.png"};
  EXPECT_EQ(group_images(ids, {}), (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(group_images(ids, {.by = Grouping::name}), (std::vector<int64_t>{0, 0, 1, 2, 3}));
  EXPECT_EQ(group_images(ids, {.by = Grouping::number}), (std::vector<int64_t>{0, 0, 0, 1, 2}));
  const std::vector<std::string> exposures{"e1_num_100.jpg", "e2_num_113.jpg", "e3_num_500.jpg", "e1_num_125.jpg",
                                           "none.jpg"};
  EXPECT_EQ(group_images(exposures, {.by = Grouping::number, .gap = 13}), (std::vector<int64_t>{0, 0, 1, 0, 2}));
  EXPECT_EQ(group_images(exposures, {.by = Grouping::number, .gap = 12}), (std::vector<int64_t>{0, 1, 2, 1, 3}));
  // A number that fits no integer is not an end.
  EXPECT_EQ(group_images({"9999999999999999999999999999.png", "1.png"}, {.by = Grouping::number}).size(), 2u);
  EXPECT_THROW(group_images(ids, {.by = Grouping::number, .gap = -1}), Error);
}

TEST_F(AnomalySetTest, FoldersOfTheSplitAreRespected) {
  for (int i = 0; i < 8; ++i) image("train/good/" + std::to_string(i) + ".png");
  image("validation/good/a.png"), image("validation/spill/b.png"), image("test/good/c.png"), image("test/spill/d.png");
  const AnomalySet set = load();
  const AnomalySplit split = split_anomalies(set, {});
  EXPECT_EQ(split.training.size(), 8u);
  ASSERT_EQ(split.validation.size(), 2u);
  ASSERT_EQ(split.test.size(), 2u);
  EXPECT_EQ(set.images[size_t(split.test[1])].id, "test/spill/d.png");
  fs::remove_all(root / "validation");  // as MVTec's sets come
  const AnomalySet without = load();
  const AnomalySplit drawn = split_anomalies(without, {.validation = 0.25});
  EXPECT_EQ(drawn.training.size(), 6u);
  EXPECT_GE(drawn.validation.size(), 2u);
}

TEST_F(AnomalySetTest, NothingNormalIsAnError) {
  image("crack/a.png");
  EXPECT_NE(message_of([&] { split_anomalies(load(), {}); }).find("name theirs with good="), std::string::npos);
}

}  // namespace
}  // namespace kern::data
