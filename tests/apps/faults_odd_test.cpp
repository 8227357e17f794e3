// What a fault prediction says and does where the data are not what they seem: mutes in images, prestack files,
// velocities.
#include <algorithm>
#include <cmath>

#include "data/image.h"
#include "data/segy_write.h"
#include "tests/apps/faults_run.h"

namespace kern::testing {
namespace odd {
namespace fs = std::filesystem;

// Every trace of a file, changed.
template <class F>
void rewrite(const std::string& from, const std::string& to, F&& change) {
  const data::SegyFile file(from);
  data::SegyWriter writer(to, file);
  std::vector<float> trace(size_t(file.samples()));
  for (int64_t t = 0; t < file.traces(); ++t) {
    for (size_t i = 0; i < trace.size(); ++i) trace[i] = change(t, i);
    writer.write_trace(t, trace);
  }
  writer.commit();
}

TEST(FaultsOdd, MutesOfImagesAndOddFiles) {
  const TemporaryFolder folder;
  run_well(train_faults(folder / "run"));
  const std::string model = "model=" + folder / "run";
  // The upper part of an image is paper: no fault is found there, nor close to it.
  data::Image image = data::make_raster(80, 60, 1, uint8_t(200));
  for (int64_t y = 40; y < 80; ++y)
    for (int64_t x = 0; x < 60; ++x)
      *image.at(y, x) =
          uint8_t(128 + 100 * std::sin(0.9 * double(y + (x > 30 ? 4 : 0))) + double((7 * x + 13 * y) % 11));
  write_file(folder / "section.png", data::encode_png(image));
  run_well({"faults", "predict", folder / "section.png", model, "out=" + folder / "out"});
  const data::Image p = data::read_image(folder / "out/section/probability.png", 1);
  int found = 0;
  for (int64_t y = 0; y < 80; ++y)
    for (int64_t x = 0; x < 60; ++x) {
      if (y < 44) EXPECT_EQ(*p.at(y, x), 0) << y << " " << x;
      else found += *p.at(y, x) > 0;
    }
  EXPECT_GT(found, 0);

  run_well({"faults", "synthesize", "out=" + folder / "sgy", "volumes=1", "sheet=0", "crosslines=30", "samples=40"});
  const std::string amplitude = folder / "sgy/amplitude_00000.sgy";
  run_well({"faults", "inspect", amplitude, "threads=1"});
  rewrite(amplitude, folder / "velocity.sgy",
          [](int64_t t, size_t i) { return 1800.0f + 25.0f * float(i) + float(t); });
  const Result fast =
      run_well({"faults", "predict", folder / "velocity.sgy", model, "out=" + folder / "v", "images=false"});
  EXPECT_TRUE(contains(fast.err, "are these velocities")) << fast.err;
  const Result usual = run_well({"faults", "predict", amplitude, model, "out=" + folder / "a", "images=false"});
  EXPECT_FALSE(contains(usual.err, "velocities")) << usual.err;

  // What was done stands in the text header, and that samples are floats now.
  const data::SegyFile before(amplitude), after(folder / "a/amplitude_00000/faults.sgy");
  const std::vector<std::string> old_lines = before.text_header().lines, lines = after.text_header().lines;
  const auto ours = std::find_if(lines.begin(), lines.end(),
                                 [](const std::string& l) { return contains(l, "FAULT PROBABILITY 0 TO 1 BY KERN"); });
  ASSERT_NE(ours, lines.end());
  EXPECT_TRUE(contains(*ours, "SAMPLES ARE IEEE FLOATS")) << *ours;
  for (size_t i = 0; i < lines.size(); ++i)
    EXPECT_TRUE(lines[i] == old_lines[i] || i == size_t(ours - lines.begin())) << i;

  // Samples that are depths: metres and cycles a kilometre, and no velocity in the dips.
  const std::string depth = "domain=depth";
  const Result looked = run_well({"faults", "inspect", amplitude, depth});
  EXPECT_TRUE(contains(looked.out, "every 4 m, 0 to")) << looked.out;
  EXPECT_TRUE(contains(looked.out, "cycles/km")) << looked.out;
  EXPECT_TRUE(contains(looked.out, "amplitudes are divided by")) << looked.out;
  const auto dips = [&](const std::string& name, const Arguments& more) {
    Arguments a{"faults",       "predict",  amplitude,       model, "out=" + folder / name,
                "images=false", "dip=true", "threshold=0.01"};
    a.insert(a.end(), more.begin(), more.end());
    run_well(a);
    return read_file(folder / (name + "/amplitude_00000/dip.sgy"));
  };
  EXPECT_TRUE(dips("d1", {depth}) == dips("d2", {depth, "velocity=5000"}));
  EXPECT_FALSE(dips("t1", {}) == dips("t2", {"velocity=5000"}));
  EXPECT_TRUE(dips("d3", {depth}) == dips("t3", {"velocity=2000"})) << "4 ms at 2000 m/s are 4 m";

  // Prestack: every place has three traces, of other offsets. Refused before anything is written.
  std::string bytes = read_file(amplitude);
  const data::SegyFile file(amplitude);
  for (int64_t t = 0; t < file.traces(); ++t) {
    const size_t at = size_t(file.layout().trace_start(t));
    const auto put = [&](size_t byte, uint32_t v) {
      for (int i = 0; i < 4; ++i) bytes[at + byte - 1 + size_t(i)] = char(v >> (24 - 8 * i));
    };
    put(193, uint32_t(1 + t / 3));
    put(37, uint32_t(100 * (t % 3)));
  }
  write_file(folder / "prestack.sgy", bytes);
  expect_refusal({"faults", "predict", folder / "prestack.sgy", model, "out=" + folder / "p"},
                 {"prestack", "stack it first"});
  EXPECT_FALSE(fs::exists(folder / "p/prestack"));
}

}  // namespace odd
}  // namespace kern::testing
