#include "data/image_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/groups.h"
#include "data/image_batches.h"
#include "data/image_inspect.h"
#include "data/image_split.h"
#include "kernels/common/error.h"
#include "kernels/common/parallel.h"
#include "tests/support/error_of.h"
#include "tests/support/image_folder.h"
#include "tests/support/source_files.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;
using kern::testing::write_squares;

class ImageFolder : public ::testing::Test {
 protected:
  ImageFolder() {
    root_ = fs::temp_directory_path() /
            ("kern_images_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    make_folder(root_);
  }
  ~ImageFolder() override { fs::remove_all(root_); }
  fs::path root_;
};

using kern::testing::error_of, kern::testing::expect_words;
std::string png(int64_t H, int64_t W, int64_t C = 1, uint8_t value = 0) {
  return encode_png(make_raster(H, W, C, value));
}

const std::vector<ImageClass> kTwo{{"ground", "#000000", {}}, {"square", "#ff0000", {}}};

TEST_F(ImageFolder, PairsByName) {
  write_squares(root_, 3);
  make_folder(root_ / "images/deep/Größe");
  write_file(root_ / "images/deep/Größe/写真.png", png(4, 5));  // no mask: unlabelled
  write_file(root_ / "images/notes.txt", "no image");
  const ImageSet set = load_image_folder({.path = root_});
  ASSERT_EQ(set.images.size(), 4u);
  EXPECT_EQ(set.labelled(), 3);
  EXPECT_EQ(set.images[0].id, "deep/Größe/写真");
  EXPECT_TRUE(set.images[0].mask.empty());
  EXPECT_EQ(set.images[1].H, 24);
  EXPECT_EQ(set.images[1].W, 32);
  EXPECT_TRUE(set.skipped.empty());
}

// A data set that others share is often a folder of links to where the files lie, under other names.
TEST_F(ImageFolder, LinksGoByTheirOwnNames) {
  const fs::path there = root_ / "elsewhere", set_folder = root_ / "set";
  make_folder(there), make_folder(set_folder / "images/deep"), make_folder(set_folder / "masks/deep");
  write_file(there / "0017.png", png(4, 5)), write_file(there / "0017_truth.png", png(4, 5));
  fs::create_symlink(there / "0017.png", set_folder / "images/deep/dog.png");
  fs::create_symlink(there / "0017_truth.png", set_folder / "masks/deep/dog.png");
  fs::create_symlink("round.png", set_folder / "images/round.png");     // in a circle
  fs::create_symlink("nothing.png", set_folder / "images/broken.png");  // nowhere
  fs::create_symlink(set_folder, set_folder / "images/deep/set");       // a folder: not entered
  const fs::path named_twice = root_ / "link";
  fs::create_directory_symlink(set_folder, named_twice);
  for (const fs::path& path : {set_folder, set_folder / "images/..", named_twice, fs::relative(set_folder)}) {
    const ImageSet set = load_image_folder({.path = path});
    ASSERT_EQ(set.images.size(), 1u) << path;
    EXPECT_EQ(set.images[0].id, "deep/dog") << path;
    EXPECT_EQ(set.images[0].mask, path / "masks/deep/dog.png") << path;
    EXPECT_TRUE(set.skipped.empty()) << path << set.skipped[0].sentence;
  }
  // Masks stay masks where the folder of images holds theirs, and where both are named by different ways.
  const ImageSet set = load_image_folder(
      {.path = named_twice, .image_dir = ".", .mask_dir = fs::canonical(set_folder / "masks").string()});
  ASSERT_EQ(set.images.size(), 1u);
  EXPECT_EQ(set.images[0].id, "images/deep/dog");
  EXPECT_EQ(find_images((set_folder / "images/deep/*.png").string()).files.size(), 1u);
  expect_words(error_of([&] { find_images((set_folder / "images/*.png").string()); }), {"no image in", "*.png"});
}

TEST_F(ImageFolder, MasksBesideTheirImages) {
  write_file(root_ / "dog.png", png(3, 4));
  write_file(root_ / "dog_mask.png", png(3, 4));
  write_file(root_ / "cat.png", png(3, 4));
  const ImageSet set = load_image_folder({.path = root_, .mask_suffix = "_mask"});
  ASSERT_EQ(set.images.size(), 2u);
  EXPECT_EQ(set.images[1].mask.filename(), "dog_mask.png");
}

TEST_F(ImageFolder, PagesOfATiffPairWithThoseOfItsMask) {
  const fs::path stack = kern::testing::source_file("tests/data/image/stack.tif");  // 11 pages
  make_folder(root_ / "images/deep");
  make_folder(root_ / "masks/deep");
  fs::copy_file(stack, root_ / "images/deep/cells.tif");
  fs::copy_file(stack, root_ / "masks/deep/cells_mask.TIFF");
  write_file(root_ / "images/other.png", png(9, 13));
  const ImageSet set = load_image_folder({.path = root_, .mask_suffix = "_mask"});
  ASSERT_EQ(set.images.size(), 12u);
  EXPECT_TRUE(set.skipped.empty());
  EXPECT_EQ(set.images[3].id, "deep/cells/page_04");
  EXPECT_EQ(set.images[3].image, root_ / "images/deep/cells.tif/page_04");
  EXPECT_EQ(set.images[3].mask, root_ / "masks/deep/cells_mask.TIFF/page_04");
  EXPECT_EQ(set.images[3].W, 13);
  EXPECT_EQ(find_images((root_ / "images").string()).files.size(), 12u);
  EXPECT_EQ(find_images((root_ / "images/deep/*.tif").string()).files.size(), 11u);
  EXPECT_EQ(find_images((root_ / "images/deep/cells.tif").string()).files.size(), 11u);
  EXPECT_EQ(find_images((root_ / "images/deep/cells.tif/page_02").string()).files.size(), 1u);
}

TEST_F(ImageFolder, NamesWhatItLeavesOut) {
  write_squares(root_, 2);
  write_file(root_ / "images/wrong.png", png(3, 4));
  write_file(root_ / "masks/wrong.png", png(4, 3));
  write_file(root_ / "images/broken.jpg", "\xFF\xD8 no more");
  write_file(root_ / "masks/alone.png", png(2, 2));
  write_file(root_ / "images/image_0.bmp", "BM");
  const ImageSet set = load_image_folder({.path = root_});
  EXPECT_EQ(set.images.size(), 1u);  // of two files of one name the first counts, and it cannot be read
  std::string all;
  for (const Problem& p : set.skipped) all += to_string(p) + "\n";
  expect_words(all, {"wrong.png is 3 x 4", "4 x 3", "broken.jpg", "alone.png has no image alone", "image_0"});
  EXPECT_EQ(set.skipped.size(), 5u);
  expect_words(error_of([&] { load_image_folder({.path = root_, .strict = true}); }), {root_.string()});
}

TEST_F(ImageFolder, RefusesEmptyAndMissingFolders) {
  expect_words(error_of([&] { load_image_folder({.path = root_}); }), {"holds no JPEG, PNG, TIFF, BMP or GIF"});
  expect_words(error_of([&] { load_image_folder({.path = root_ / "none"}); }), {"does not exist"});
  expect_words(error_of([&] { load_image_folder({.path = root_, .image_dir = "x"}); }), {"image_dir=x", "no folder"});
  expect_words(error_of([&] { find_images(root_.string()); }), {"holds no"});
  expect_words(error_of([&] { find_images((root_ / "*.png").string()); }), {"*.png"});
}

TEST_F(ImageFolder, FindsAFileAFolderAndAPattern) {
  for (const char* name : {"a1.png", "a2.png", "b1.png", "a1.txt"}) write_file(root_ / name, png(1, 1));
  EXPECT_EQ(find_images(root_.string()).files.size(), 3u);
  EXPECT_EQ(find_images((root_ / "a*.png").string()).files.size(), 2u);
  EXPECT_EQ(find_images((root_ / "?1.*").string()).files.size(), 2u);
  EXPECT_EQ(find_images((root_ / "b1.png").string()).files.size(), 1u);
}

TEST_F(ImageFolder, MaskValuesBecomeClasses) {
  Image m = make_raster(1, 4, 1);
  m.pixels = {0, 1, 255, 7};
  write_file(root_ / "m.png", encode_png(m));
  const MaskReader mapped({.classes = {{"a", "", {0}}, {"b", "", {1, 7}}}, .ignore = {255}});
  EXPECT_EQ(mapped.read(root_ / "m.png").pixels, (std::vector<uint8_t>{0, 1, kIgnoredPixel, 1}));
  const MaskReader plain({.classes = kTwo});
  expect_words(error_of([&] { plain.read(root_ / "m.png"); }),
               {"m.png holds 7", "2 classes", "masks=nonzero", "ignore=7"});
  MaskReader::Unmapped unmapped;
  plain.read(root_ / "m.png", &unmapped);
  EXPECT_EQ(unmapped, (MaskReader::Unmapped{{"255", 1}, {"7", 1}}));
  EXPECT_EQ(MaskReader({.kind = MaskKind::nonzero}).read(root_ / "m.png").pixels, (std::vector<uint8_t>{0, 1, 1, 1}));
  EXPECT_EQ(MaskReader({.kind = MaskKind::zero}).read(root_ / "m.png").pixels, (std::vector<uint8_t>{1, 0, 0, 0}));
  // A palette's indices are classes; its colours are where masks=colour says so.
  m.pixels = {0, 1, 1, 0};
  const std::vector<Rgb> palette{{255, 0, 0}, {0, 0, 0}};
  write_file(root_ / "p.png", encode_png(m, palette));
  EXPECT_EQ(plain.read(root_ / "p.png").pixels, m.pixels);
  EXPECT_EQ(MaskReader({.kind = MaskKind::colour, .classes = kTwo}).read(root_ / "p.png").pixels,
            (std::vector<uint8_t>{1, 0, 0, 1}));
}

TEST_F(ImageFolder, MasksThatCannotBeMasks) {
  write_file(root_ / "rgb.png", encode_png(Image{1, 1, 3, {1, 2, 3}}));
  write_file(root_ / "grey.png", encode_png(Image{1, 1, 4, {1, 1, 1, 0}}));
  expect_words(error_of([&] { MaskReader({.classes = kTwo}).read(root_ / "rgb.png"); }), {"rgb.png", "masks=colour"});
  EXPECT_EQ(MaskReader({.classes = kTwo}).read(root_ / "grey.png").pixels[0], 1);  // grey saved with colours and alpha
  EXPECT_EQ(MaskReader({.kind = MaskKind::alpha}).read(root_ / "grey.png").pixels[0], 0);
  expect_words(error_of([&] { MaskReader({.kind = MaskKind::alpha}).read(root_ / "rgb.png"); }), {"no alpha"});
  expect_words(error_of([&] { MaskReader({.kind = MaskKind::colour, .classes = kTwo}).read(root_ / "rgb.png"); }),
               {"#010203"});
  expect_words(error_of([&] {
                 MaskReader({.kind = MaskKind::nonzero}).read(testing::source_file("tests/data/image/grey.jpg"));
               }),
               {"is a JPEG", "save masks as PNG"});
  expect_words(error_of([&] {
                 MaskReader({.classes = {{"a", "", {1}}, {"b", "", {1}}}});
               }),
               {"belongs to two classes"});
  expect_words(error_of([&] { MaskReader({.kind = MaskKind::colour, .classes = {{"a", "", {}}}}); }), {"'a' has none"});
  expect_words(error_of([&] { MaskReader({.kind = MaskKind::nonzero, .classes = {{"a", "", {}}}}); }), {"1 classes"});
}

TEST_F(ImageFolder, ClassLists) {
  write_file(root_ / "c.txt", "# name and colour\nroad 128 64 128\r\n\nsky #0000ff\ntree\n");
  const auto c = read_class_list(root_ / "c.txt");
  ASSERT_EQ(c.size(), 3u);
  EXPECT_EQ(c[0].colour, "#804080");
  EXPECT_EQ(c[1].name, "sky");
  write_file(root_ / "bad.txt", "road 1 2\n");
  expect_words(error_of([&] { read_class_list(root_ / "bad.txt"); }), {"bad.txt:1"});
  write_file(root_ / "bad.txt", "road 1 2 300\n");
  expect_words(error_of([&] { read_class_list(root_ / "bad.txt"); }), {"'300'"});
}

TEST_F(ImageFolder, SplitsAreSeededDisjointAndKeepEqualImagesTogether) {
  std::vector<ImageFile> images;
  for (int i = 0; i < 20; ++i) images.push_back({text("p", i), text("p", i, ".png"), i < 18 ? "m" : "", 4, 4});
  std::vector<int64_t> group;
  for (int i = 0; i < 20; ++i) group.push_back(i / 2);  // pairs
  const ImageSplit a = split_images(images, {.validation = 0.3, .seed = 5}, group),
                   b = split_images(images, {.validation = 0.3, .seed = 5}, group);
  EXPECT_EQ(a.training, b.training);
  EXPECT_EQ(a.training.size() + a.validation.size(), 18u);
  EXPECT_EQ(a.unlabelled.size(), 2u);
  for (const int64_t v : a.validation) EXPECT_TRUE(std::count(a.validation.begin(), a.validation.end(), v ^ 1)) << v;
  std::multiset<int64_t> folds;
  for (int f = 0; f < 3; ++f)
    for (const int64_t v : split_images(images, {.folds = 3, .fold = f, .seed = 1}).validation) folds.insert(v);
  EXPECT_EQ(folds.size(), 18u);
  EXPECT_EQ(std::set<int64_t>(folds.begin(), folds.end()).size(), 18u);
  write_file(root_ / "list.txt", "p3\np4.png\n");
  EXPECT_EQ(split_images(images, {.validation_list = root_ / "list.txt"}).validation, (std::vector<int64_t>{3, 4}));
  write_file(root_ / "list.txt", "p33\n");
  expect_words(error_of([&] { split_images(images, {.validation_list = root_ / "list.txt"}); }), {"p33", "no image"});
  expect_words(error_of([&] { split_images(images, {.folds = 40}); }), {"folds=40"});
}

TEST_F(ImageFolder, TheTestIsTheSameWhateverValidatesAndSeenByNothing) {
  std::vector<ImageFile> images;
  for (int i = 0; i < 24; ++i) images.push_back({text("p", i), text("p", i, ".png"), i % 8 ? "m" : "", 4, 4});
  std::vector<int64_t> group;
  for (int i = 0; i < 24; ++i) group.push_back(i / 4);
  const ImageSplit one = split_images(images, {.validation = 0.4, .test = 0.3, .seed = 2}, group);
  EXPECT_NEAR(double(one.test.size()), 0.3 * 21, 2);
  EXPECT_EQ(one.training.size() + one.validation.size() + one.test.size(), 21u);
  for (int fold = 0; fold < 2; ++fold) {
    const ImageSplit s = split_images(images, {.folds = 2, .fold = fold, .test = 0.3, .seed = 2}, group);
    EXPECT_EQ(s.test, one.test);
    for (const int64_t t : s.test)
      for (const auto& other : {s.training, s.validation, s.unlabelled})
        for (const int64_t o : other) ASSERT_NE(group[size_t(t)], group[size_t(o)]);
  }
  // What validates by name or by folder is not kept for the test, and nothing of its groups.
  const std::vector<int64_t> own{one.test[0]};
  const ImageSplit given = split_images(images, {.validating = own, .test = 0.3, .seed = 2}, group);
  for (const int64_t t : given.test) EXPECT_NE(group[size_t(t)], group[size_t(own[0])]);
  EXPECT_TRUE(std::count(given.validation.begin(), given.validation.end(), own[0]));
  std::vector<int64_t> few(24, 0);  // a group that is much too large does not keep a small one from the test
  std::fill(few.begin() + 14, few.end(), 1), few[22] = few[23] = 2;
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_EQ(split_images(images, {.test = 0.1, .seed = seed}, few).test, (std::vector<int64_t>{22, 23})) << seed;
  // Or those of a list, with their groups, whatever else is asked.
  write_file(root_ / "list.txt", "p5\np6.png\n");
  for (const ImageSplitOptions& o : {ImageSplitOptions{.validation = 0.4, .seed = 2}, {.folds = 3, .fold = 1}}) {
    ImageSplitOptions listed = o;
    listed.test_list = root_ / "list.txt";
    const ImageSplit s = split_images(images, listed, group);
    EXPECT_EQ(s.test, (std::vector<int64_t>{4, 5, 6, 7}));
    EXPECT_EQ(s.training.size() + s.validation.size() + s.test.size(), 21u);
  }
  expect_words(error_of([&] { split_images(images, {.test_list = root_ / "list.txt", .test = 0.1}, group); }),
               {"test=", "test_list="});
  expect_words(error_of([&] {
                 split_images(images, {.validation_list = root_ / "list.txt", .test_list = root_ / "list.txt"}, group);
               }),
               {"list.txt", "validates"});
  expect_words(error_of([&] { split_images(images, {.test = 0.001}, group); }), {"test=0.001", "a larger share"});
  expect_words(error_of([&] { split_images(images, {.test = -1}, group); }), {"test=-1"});
}

TEST(Groups, JoinWhatEitherKeepsTogether) {
  using Numbers = std::vector<int64_t>;
  EXPECT_EQ(joined_groups(Numbers{0, 1, 2, 3, 4}, Numbers{7, 7, 8, 9, 8}), (Numbers{0, 0, 1, 2, 1}));
  EXPECT_EQ(joined_groups(Numbers{5, 4, 5, 4, 1}, Numbers{0, 1, 2, 2, 3}), (Numbers{0, 0, 0, 0, 1}));
  EXPECT_TRUE(joined_groups(Numbers{}, Numbers{}).empty());
  expect_words(error_of([] { joined_groups(Numbers{1}, Numbers{}); }), {"1 items"});
}

std::shared_ptr<const ImageStore> store_of(const fs::path& folder, size_t budget = 1 << 20) {
  return std::make_shared<ImageStore>(load_image_folder({.path = folder}).images,
                                      MaskReader({.kind = MaskKind::nonzero}), 3, budget);
}
const ImageAugmentation kAll{.flip_horizontal = true,
                             .flip_vertical = true,
                             .rot90 = true,
                             .rotate = 20,
                             .zoom = 0.2,
                             .shift = 0.1,
                             .crop = 0.5,
                             .brightness = 0.3,
                             .contrast = 0.3,
                             .saturation = 0.3,
                             .hue = 0.2,
                             .noise = 0.05,
                             .blur = 1,
                             .cutout = 0.4};

TEST_F(ImageFolder, BatchesDependOnSeedEpochAndIndexAlone) {
  write_squares(root_, 7);
  const std::vector<int64_t> which{0, 1, 2, 3, 4, 5, 6};
  const ImageBatchOptions o{.batch = 3, .H = 16, .W = 16, .seed = 3, .augmentation = kAll};
  const ImageBatches kept(store_of(root_), which, o), decoded(store_of(root_, 0), which, o);
  EXPECT_EQ(kept.size(), 3);
  const auto e = kept.epoch(4);
  const ImageBatch later = kept.batch(e, 2), a = kept.batch(e, 0), b = decoded.batch(decoded.epoch(4), 0);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(later.N, 1);
  // Two ranks' parts.
  const ImageBatch left = kept.batch(e, 0, {0, 2}), right = kept.batch(e, 0, {1, 2});
  std::vector<float> both = left.inputs;
  both.insert(both.end(), right.inputs.begin(), right.inputs.end());
  EXPECT_EQ(both, a.inputs);
  EXPECT_EQ(left.whole.samples, 3);
  EXPECT_TRUE(kept.batch(e, 2, {0, 2}).whole.lent);
  EXPECT_NE(kept.batch(kept.epoch(5), 0).inputs, a.inputs);
  std::set<int64_t> seen;
  for (int64_t i = 0; i < 3; ++i)
    for (const int64_t p : kept.batch(e, i).images) seen.insert(p);
  EXPECT_EQ(seen.size(), 7u);
  for (const float v : a.inputs) ASSERT_TRUE(v >= 0 && v <= 1);
  for (const int32_t k : a.labels) ASSERT_TRUE(k >= -1 && k <= 1);
}

TEST_F(ImageFolder, GeometryMovesImageAndMaskAlike) {
  write_squares(root_, 1, 32, 32);
  const auto image = store_of(root_)->get(0);
  const ImageAugmentation geometry{.flip_horizontal = true,
                                   .flip_vertical = true,
                                   .rot90 = true,
                                   .rotate = 30,
                                   .zoom = 0.2,
                                   .shift = 0.1,
                                   .crop = 0.3};
  for (uint32_t i = 0; i < 40; ++i) {
    RandomSequence random(9, RandomStream::augment, i);
    const ImageSample s = make_sample(*image, Fit::scale, 40, 40, &geometry, random);
    int64_t wrong = 0, evaluated = 0;
    for (int64_t p = 0; p < 1600; ++p) {
      if (s.labels[size_t(p)] < 0) continue;
      ++evaluated;
      wrong += (s.inputs[size_t(3 * p)] > 0.47f) != (s.labels[size_t(p)] == 1);
    }
    EXPECT_LT(wrong, 110) << i;  // the edge alone, where the image is between bright and dark
    EXPECT_GT(evaluated, 800) << i;
  }
}

TEST_F(ImageFolder, CropsPadWhatIsSmaller) {
  write_squares(root_, 1, 6, 40);
  RandomSequence random(1, RandomStream::augment);
  const ImageSample s = make_sample(*store_of(root_)->get(0), Fit::crop, 10, 20, nullptr, random);
  EXPECT_EQ(s.labels[size_t(20 * 7)], -1);
  EXPECT_GE(s.labels[size_t(20 * 5)], 0);
  EXPECT_EQ(s.inputs[size_t(3 * 20 * 9)], 0);
}

TEST_F(ImageFolder, TheStoreTellsWhatItFound) {
  write_squares(root_, 3);
  fs::copy_file(root_ / "images/image_0.png", root_ / "images/twin.png");
  const std::string whole = read_file(root_ / "images/image_2.png");
  write_file(root_ / "images/image_2.png", whole.substr(0, whole.size() / 2));
  const auto store = store_of(root_);
  EXPECT_EQ(group_equal(store->facts())[0], group_equal(store->facts())[3]);
  EXPECT_EQ(store->facts()[0].class_pixels, (std::vector<int64_t>{24 * 32 - 144, 144}));
  expect_words(store->facts()[2].failure, {"image_2.png", "cut short"});
  expect_words(error_of([&] { store_of(root_, 0)->get(2); }), {"image_2.png"});
  const uint64_t hash = store->hash();
  set_thread_count(3);
  EXPECT_EQ(store_of(root_)->hash(), hash);
  set_thread_count(1);
}

TEST_F(ImageFolder, InspectionNamesValuesTwinsAndSizes) {
  write_squares(root_, 4);
  fs::copy_file(root_ / "images/image_0.png", root_ / "images/twin.png");
  const MaskReader masks({.classes = kTwo});
  const ImageSet set = load_image_folder({.path = root_});
  const ImageStore store(set.images, masks, 3, 1 << 20);
  std::string all;
  for (const Finding& f : inspect_images(store, kTwo, set.skipped, masks))
    all += text(to_string(f.severity), ": ", f.sentence, " -> ", f.remedy, "\n");
  expect_words(all, {"error: the mask value 255", "4 masks", "masks=nonzero", "twin is the same image as image_0",
                     "1 image has no mask"});
  EXPECT_TRUE(all.starts_with("error"));
}

}  // namespace
}  // namespace kern::data
