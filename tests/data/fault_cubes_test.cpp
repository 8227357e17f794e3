#include "data/fault_cubes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <thread>

#include "data/fault_sections.h"
#include "data/segy_write.h"
#include "kernels/common/error.h"
#include "tests/data/plain_seismic.h"

namespace kern::data {
namespace {

CubeOptions small_cubes() {
  CubeOptions o{.crop = {16, 20, 24}, .uses = 3, .cubes = 11, .batch = 3};
  o.synthetic.inlines = 32, o.synthetic.crosslines = 36, o.synthetic.samples = 40, o.synthetic.seed = 3;
  o.synthetic.faults = {4, 6}, o.synthetic.least_throw = o.synthetic.least_period = 0;
  return o;
}

TEST(FaultCubes, BatchesDependOnEpochAndNumberAlone) {
  const FaultCubes a(small_cubes()), b(small_cubes());
  ASSERT_EQ(a.size(), 4);
  const CubeBatch first = a.batch(a.epoch(1), 0), last = a.batch(a.epoch(1), 3);
  EXPECT_EQ(first.N, 3);
  EXPECT_EQ(last.N, 2);
  EXPECT_EQ(first.D, 16);
  EXPECT_EQ(first.H, 20);
  EXPECT_EQ(first.W, 24);
  EXPECT_EQ(first.inputs.size(), size_t(3 * 16 * 20 * 24));
  EXPECT_EQ(first.labels.size(), first.inputs.size());
  // In another order, and from several threads at once.
  std::vector<CubeBatch> again(4);
  std::vector<std::thread> threads;
  for (int64_t i = 3; i >= 0; --i) threads.emplace_back([&, i] { again[size_t(i)] = b.batch(b.epoch(1), i); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(first.inputs, again[0].inputs);
  EXPECT_EQ(first.labels, again[0].labels);
  EXPECT_EQ(last.inputs, again[3].inputs);
  EXPECT_NE(first.inputs, a.batch(a.epoch(0), 0).inputs);
  EXPECT_NE(first.inputs, a.batch(a.epoch(1), 1).inputs);
  EXPECT_THROW(a.batch(a.epoch(0), 4), Error);
}

TEST(FaultCubes, ScaledAndLabelled) {
  const FaultCubes cubes(small_cubes());
  int64_t faults = 0, all = 0;
  for (int64_t i = 0; i < cubes.size(); ++i) {
    const CubeBatch b = cubes.batch(cubes.epoch(0), i);
    for (const float v : b.inputs) ASSERT_LE(std::abs(v), kLoudest);
    for (const int32_t l : b.labels) ASSERT_TRUE(l == 0 || l == 1);
    faults += std::accumulate(b.labels.begin(), b.labels.end(), int64_t{0}), all += int64_t(b.labels.size());
  }
  EXPECT_GT(faults, all / 200);
  EXPECT_LT(faults, all / 4);
}

TEST(FaultCubes, CropsOfOneCubeAreParts) {
  CubeOptions o = small_cubes();
  o.augment = false, o.batch = 1, o.uses = 3, o.cubes = 6;
  const FaultCubes cubes(o);
  const Block c = o.crop;
  for (int64_t i = 0; i < 6; ++i) {
    SyntheticVolume v = synthetic_seismic(o.synthetic, i / 3);
    scale_amplitudes(v.amplitude, amplitude_scale(v.amplitude));
    const CubeBatch b = cubes.batch(cubes.epoch(0), i);
    int places = 0;
    for (int64_t y = 0; y + c.inlines <= v.inlines; ++y)
      for (int64_t x = 0; x + c.crosslines <= v.crosslines; ++x)
        for (int64_t z = 0; z + c.samples <= v.samples; ++z) {
          const auto from = [&](int64_t l, int64_t t) {
            return size_t(((y + l) * v.crosslines + x + t) * v.samples + z);
          };
          if (v.amplitude[from(3, 5)] != b.inputs[size_t(c.index(3, 5, 0))]) continue;
          bool same = true;
          for (int64_t l = 0; l < c.inlines && same; ++l)
            for (int64_t t = 0; t < c.crosslines && same; ++t)
              for (int64_t k = 0; k < c.samples && same; ++k)
                same = v.amplitude[from(l, t) + size_t(k)] == b.inputs[size_t(c.index(l, t, k))] &&
                       v.label[from(l, t) + size_t(k)] == b.labels[size_t(c.index(l, t, k))];
          places += same;
        }
    EXPECT_EQ(places, 1) << i;
  }
}

TEST(FaultCubes, LinesAreChannelsAndTheMiddleOneIsLabelled) {
  CubeOptions o = small_cubes();
  o.augment = false;
  o.lines = 5;
  const FaultCubes lines(o);
  const CubeBatch b = lines.batch(lines.epoch(0), 0);
  EXPECT_EQ(b.inputs.size(), size_t(3 * 20 * 24 * 5));
  EXPECT_EQ(b.labels.size(), size_t(3 * 20 * 24));
  o.lines = 0, o.crop.inlines = 5;
  const FaultCubes slabs(o);
  const CubeBatch s = slabs.batch(slabs.epoch(0), 0);
  for (int64_t n = 0; n < 3; ++n)
    for (int64_t i = 0; i < 20 * 24; ++i)
      for (int64_t line = 0; line < 5; ++line)
        ASSERT_EQ(b.inputs[size_t((n * 480 + i) * 5 + line)], s.inputs[size_t((n * 5 + line) * 480 + i)]);
  EXPECT_GT(std::accumulate(b.labels.begin(), b.labels.end(), 0), 0);
}

// A survey's share of the pieces is followed from batch to batch, and what is made is what it was.
TEST(FaultCubes, PiecesOfASurveyComeFirstInABatch) {
  const std::string path = (std::filesystem::path(::testing::TempDir()) / "own_pieces.sgy").string();
  SegyWriter writer(path, {.inlines = {.count = 30}, .crosslines = {.count = 30}, .samples = 40, .interval = 4000},
                    SegyFormat::float32);
  std::vector<float> trace(40);
  for (int64_t t = 0; t < 900; ++t) {
    for (size_t k = 0; k < trace.size(); ++k) trace[k] = float((t * 7 + int64_t(k) * 13) % 29) - 14;
    writer.write_trace(t, trace);
  }
  writer.commit();
  CubeOptions o = small_cubes();
  const FaultCubes made(o);
  o.own = {.survey = std::make_shared<SurveyPieces>(SurveyFiles{.survey = path}), .share = 0.4, .labelled = false};
  const FaultCubes mixed(o);
  int64_t own = 0;
  const auto values = size_t(16 * 20 * 24);
  for (int64_t i = 0; i < mixed.size(); ++i) {
    const CubeBatch a = made.batch(made.epoch(0), i), b = mixed.batch(mixed.epoch(0), i);
    bool first = true;
    for (size_t n = 0; n < size_t(b.N); ++n) {
      const bool equal =
          std::equal(a.inputs.begin() + ptrdiff_t(n * values), a.inputs.begin() + ptrdiff_t((n + 1) * values),
                     b.inputs.begin() + ptrdiff_t(n * values));
      own += !equal;
      EXPECT_TRUE(first || equal) << "the survey's come first";
      first = first && !equal;
    }
  }
  EXPECT_EQ(own, 4);  // floor(0.4 * 12), of which the last batch, of two, has one at most

  // The strong view lies where the weak one does, which is bare of changes but for its place.
  o.own.share = 1;
  o.own.strong = SeismicAugmentation{.reverse = false,
                                     .loudness = 0,
                                     .spectrum = 0,
                                     .gamma = 0,
                                     .clip = 0,
                                     .coarse = 1,  // in steps of a quarter at most
                                     .cutout = 0,
                                     .blur = 0};
  const FaultCubes views(o);
  const CubeBatch b = views.batch(views.epoch(0), 0);
  ASSERT_EQ(b.strong.size(), b.inputs.size());
  int64_t changed = 0;
  for (size_t k = 0; k < b.strong.size(); ++k) {
    EXPECT_NEAR(b.strong[k], b.inputs[k], 0.126f);
    changed += b.strong[k] != b.inputs[k];
  }
  EXPECT_GT(changed, 0);
  EXPECT_EQ(std::count(b.labels.begin(), b.labels.end(), 0), int64_t(b.labels.size()));
}

TEST(FaultCubes, OptionsAreChecked) {
  const auto refusal = [](void (*change)(CubeOptions&)) {
    CubeOptions o = small_cubes();
    change(o);
    try {
      FaultCubes cubes(o);
    } catch (const Error& e) {
      return e.sentence();
    }
    return std::string();
  };
  EXPECT_NE(refusal([](CubeOptions& o) { o.crop.samples = 41; }).find("make larger cubes or cut smaller crops"),
            std::string::npos);
  EXPECT_NE(refusal([](CubeOptions& o) { o.lines = 4; }).find("odd number"), std::string::npos);
  EXPECT_NE(refusal([](CubeOptions& o) { o.uses = 0; }), "");
  EXPECT_EQ(refusal([](CubeOptions& o) { o.augmentation.stretch = 9; }), "stretch is 9, expected a factor, 1 to 4");
  EXPECT_EQ(refusal([](CubeOptions& o) { o.augmentation.blur = -1; }), "blur is -1, expected a chance, 0 to 1");
  EXPECT_EQ(refusal([](CubeOptions&) {}), "");
}

// A turned, stretched and bent plane is a plane: of about the thickness it had, and without holes.
TEST(SeismicAugment, FaultsStayThinAndWhole) {
  SyntheticSeismic o = plain_seismic({.inlines = 64, .crosslines = 64, .samples = 64, .faults = {1, 1}});
  o.dip = {70, 70}, o.length = {4, 4}, o.throw_ = {8, 8}, o.label = {1.5, 1.5}, o.folds = {0, 0};
  const SeismicAugmentation geometry{
      .loudness = 0, .spectrum = 0, .gamma = 0, .clip = 0, .coarse = 0, .cutout = 0, .blur = 0};
  const Block size{32, 32, 32};
  int planes = 0;
  for (int64_t i = 0; i < 30; ++i) {
    const SyntheticVolume v = synthetic_seismic(o, i % 6);
    RandomSequence random(9, RandomStream::augment, uint32_t(i));
    const SeismicCrop crop = cut_crop(v, size, true, &geometry, random);
    const auto labelled = std::accumulate(crop.label.begin(), crop.label.end(), int64_t{0});
    if (labelled < 32 * 32 / 2) continue;  // a corner of the plane, or none of it
    ++planes;
    // Along the axis most across the plane, how many are labelled where any is.
    double thinnest = 1e9;
    for (int axis = 0; axis < 3; ++axis) {
      int64_t lines = 0;
      for (int64_t a = 0; a < 32; ++a)
        for (int64_t b = 0; b < 32; ++b) {
          bool any = false;
          for (int64_t c = 0; c < 32; ++c)
            any |= crop.label[size_t(axis == 0   ? size.index(c, a, b)
                                     : axis == 1 ? size.index(a, c, b)
                                                 : size.index(a, b, c))] > 0;
          lines += any;
        }
      thinnest = std::min(thinnest, double(labelled) / double(lines));
    }
    EXPECT_GE(thinnest, 1.0);
    EXPECT_LT(thinnest, 2.3) << i;
    // Every labelled voxel off the crop's sides has labelled neighbours: the plane has no holes or crumbs.
    int64_t alone = 0;
    for (int64_t y = 1; y < 31; ++y)
      for (int64_t x = 1; x < 31; ++x)
        for (int64_t z = 1; z < 31; ++z) {
          if (!crop.label[size_t(size.index(y, x, z))]) continue;
          int around = 0;
          for (int64_t d = 0; d < 27; ++d)
            around += crop.label[size_t(size.index(y + d / 9 - 1, x + d / 3 % 3 - 1, z + d % 3 - 1))];
          alone += around < 7;
        }
    EXPECT_LT(double(alone), 0.01 * double(labelled)) << i;
  }
  EXPECT_GT(planes, 10);
}

TEST(SeismicAugment, FlipsMoveLabelsAndAmplitudesAlike) {
  SyntheticSeismic o = plain_seismic({.inlines = 8, .crosslines = 9, .samples = 10, .faults = {2, 2}});
  o.least_throw = 0;
  SyntheticVolume v = synthetic_seismic(o, 1);
  scale_amplitudes(v.amplitude, 1);
  const SeismicAugmentation flips{.turn = false,
                                  .stretch = 1,
                                  .elastic = 0,
                                  .loudness = 0,
                                  .spectrum = 0,
                                  .gamma = 0,
                                  .clip = 0,
                                  .coarse = 0,
                                  .cutout = 0,
                                  .blur = 0};
  const Block size{8, 9, 10};
  int seen = 0;
  for (uint32_t i = 0; i < 40; ++i) {
    RandomSequence random(1, RandomStream::augment, i);
    const SeismicCrop crop = cut_crop(v, size, true, &flips, random);
    for (int way = 0; way < 8; ++way) {
      bool same = true;
      for (int64_t y = 0; y < 8 && same; ++y)
        for (int64_t x = 0; x < 9 && same; ++x)
          for (int64_t z = 0; z < 10 && same; ++z) {
            const auto to = size_t(size.index(y, x, z)),
                       from = size_t(size.index(way & 1 ? 7 - y : y, way & 2 ? 8 - x : x, z));
            same =
                crop.amplitude[to] == (way & 4 ? -1.0f : 1.0f) * v.amplitude[from] && crop.label[to] == v.label[from];
          }
      if (same) seen |= 1 << way;
    }
  }
  EXPECT_EQ(seen, 255);
}

TEST(SeismicAugment, AmplitudesAloneLeaveLabelsAlone) {
  SyntheticSeismic o = plain_seismic({.inlines = 16, .crosslines = 16, .samples = 24, .faults = {3, 3}});
  o.least_throw = 0;
  SyntheticVolume v = synthetic_seismic(o, 2);
  scale_amplitudes(v.amplitude, 1);
  std::fill_n(v.amplitude.begin() + 24 * 20, 24, 0.0f);  // a dead trace
  const SeismicAugmentation none{.flip = false,
                                 .reverse = false,
                                 .turn = false,
                                 .stretch = 1,
                                 .elastic = 0,
                                 .loudness = 0,
                                 .spectrum = 0,
                                 .gamma = 0,
                                 .clip = 0,
                                 .coarse = 0,
                                 .cutout = 0,
                                 .blur = 0};
  const Block size{16, 16, 24};
  const std::vector<int32_t> labels(v.label.begin(), v.label.end());
  for (double SeismicAugmentation::*change :
       {&SeismicAugmentation::loudness, &SeismicAugmentation::spectrum, &SeismicAugmentation::gamma,
        &SeismicAugmentation::clip, &SeismicAugmentation::coarse, &SeismicAugmentation::blur}) {
    SeismicAugmentation a = none;
    RandomSequence before(4, RandomStream::augment), after(4, RandomStream::augment);
    EXPECT_EQ(cut_crop(v, size, true, &a, before).amplitude, v.amplitude);
    a.*change = 1;
    const SeismicCrop crop = cut_crop(v, size, true, &a, after);
    EXPECT_NE(crop.amplitude, v.amplitude);
    EXPECT_EQ(crop.label, labels);
    for (const float x : crop.amplitude) ASSERT_TRUE(std::isfinite(x));
  }
}

}  // namespace
}  // namespace kern::data
