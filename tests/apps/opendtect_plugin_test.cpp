// What the OpendTect plugin exchanges with `kern faults predict`, held against Kern's own reader and writer of SEG-Y.
// The rest of the plugin needs OpendTect.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <thread>

#include "apps/faults/opendtect_plugin/plugins/uiKernFaults/exchange.h"
#include "data/segy_geometry.h"
#include "data/segy_write.h"
#include "engine/atomic_file.h"
#include "tests/apps/faults_run.h"

namespace kern::opendtect_plugin {
namespace {
using testing::contains;
using testing::TemporaryFolder;

constexpr int kInlines = 4, kCrosslines = 5, kSamples = 7;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

ExchangePlace place_of(int trace) {
  const int i = trace / kCrosslines, x = trace % kCrosslines;
  return {100 + 2 * i, 900 + 3 * x, 612345.6 + 25.0 * x, 6078901.2 + 12.5 * i};
}
std::vector<float> values_of(int trace) {
  std::vector<float> v;
  for (int s = 0; s < kSamples; ++s) v.push_back(float(trace) * 1000.5f - float(s) / 3);
  return v;
}
void write_cube(const std::string& path) {
  ExchangeWriter out(path, {kSamples, 4000, 1200});
  for (int t = 0; t < kInlines * kCrosslines; ++t) out.write(place_of(t), values_of(t));
  out.close();
  EXPECT_EQ(out.traces(), kInlines * kCrosslines);
}

template <class F>
void expect_sentence(F f, const std::vector<std::string>& words) {
  try {
    f();
    ADD_FAILURE() << "nothing was refused";
  } catch (const std::runtime_error& e) {
    for (const std::string& word : words) EXPECT_TRUE(contains(e.what(), word)) << e.what() << "\nlacks: " << word;
  }
}

TEST(OpendTectPlugin, kern_reads_what_it_writes) {
  const TemporaryFolder folder;
  write_cube(folder / "cube.sgy");
  const data::SegyFile file(folder / "cube.sgy");
  EXPECT_TRUE(file.warnings().empty()) << file.warnings().front();
  const data::SegyLayout& l = file.layout();
  EXPECT_EQ(l.revision, 1);
  EXPECT_EQ(l.order, data::ByteOrder::big);
  EXPECT_EQ(l.format, data::SegyFormat::float32);
  EXPECT_EQ(l.samples, kSamples);
  EXPECT_EQ(l.traces, kInlines * kCrosslines);
  EXPECT_EQ(l.interval, 4000);
  EXPECT_EQ(l.delay, 1200);
  EXPECT_EQ(file.binary(data::binary_field::fixed_length), 1);
  EXPECT_EQ(file.binary(data::binary_field::sorting), 4);
  EXPECT_TRUE(contains(file.text_header().lines.at(38), "SEG Y REV1"));
  std::vector<float> got(kSamples);
  for (int t = 0; t < l.traces; ++t) {
    const ExchangePlace place = place_of(t);
    const auto number = [&](const data::SegyField& f) { return file.header(t, f); };
    EXPECT_EQ(number(data::trace_field::inline_number), place.inline_number);
    EXPECT_EQ(number(data::trace_field::field_record), place.inline_number);
    EXPECT_EQ(number(data::trace_field::crossline_number), place.crossline_number);
    EXPECT_EQ(number(data::trace_field::ensemble), place.crossline_number);
    EXPECT_EQ(number(data::trace_field::file_sequence), t + 1);
    EXPECT_EQ(number(data::trace_field::identification), 1);
    EXPECT_EQ(number(data::trace_field::coordinate_units), 1);
    EXPECT_EQ(number(data::trace_field::weighting), 0);
    EXPECT_EQ(number(data::trace_field::interval), 4000);
    EXPECT_EQ(number(data::trace_field::samples), kSamples);
    EXPECT_EQ(number(data::trace_field::source_x), number(data::trace_field::ensemble_x));
    EXPECT_EQ(number(data::trace_field::source_y), number(data::trace_field::ensemble_y));
    const data::SegyFile::Position at = file.position(file.trace_header(t));
    EXPECT_NEAR(at.x, place.x, 0.051);
    EXPECT_NEAR(at.y, place.y, 0.051);
    file.read_trace(t, got);
    EXPECT_EQ(got, values_of(t));
  }
  const data::SegyGeometry geometry(file);
  EXPECT_EQ(geometry.kind(), data::SegyKind::cube);
  EXPECT_EQ(geometry.inlines(), (std::vector<int>{100, 102, 104, 106}));
  EXPECT_EQ(geometry.crosslines(), (std::vector<int>{900, 903, 906, 909, 912}));
  EXPECT_EQ(geometry.gaps(), 0);
}

TEST(OpendTectPlugin, what_is_not_a_number_or_not_a_place_is_written_as_zero) {
  const TemporaryFolder folder;
  const double undefined = 1e30;  // OpendTect's
  ExchangeWriter out(folder / "cube.sgy", {2, 4000, 0});
  out.write({1, 1, undefined, undefined}, {kNaN, 1});
  out.write({1, 2, double(kNaN), 3e8}, {-std::numeric_limits<float>::infinity(), 2});
  out.write({1, 3, -3e8, 5.4}, {3, 4});  // decimetres would not fit
  out.close();
  const data::SegyFile file(folder / "cube.sgy");
  std::vector<float> got(6);
  file.read_traces(std::vector<int64_t>{0, 1, 2}, got);
  EXPECT_EQ(got, (std::vector<float>{0, 1, 0, 2, 3, 4}));
  EXPECT_EQ(file.position(file.trace_header(0)).x, 0);
  EXPECT_EQ(file.position(file.trace_header(1)).y, 0);
  EXPECT_EQ(file.position(file.trace_header(2)).x, -3e8);
  EXPECT_EQ(file.position(file.trace_header(2)).y, 5);
}

TEST(OpendTectPlugin, reads_back_what_kern_writes) {
  const TemporaryFolder folder;
  write_cube(folder / "cube.sgy");
  const data::SegyFile file(folder / "cube.sgy");
  data::SegyWriter writer(folder / "faults.sgy", file);
  for (int t = 0; t < kInlines * kCrosslines; ++t)
    writer.write_trace(t, std::vector<float>(size_t(kSamples), float(t) / 20));
  writer.commit();
  ExchangeReader in(folder / "faults.sgy", kSamples, kInlines * kCrosslines);
  std::vector<float> got;
  for (int t = 0; t < kInlines * kCrosslines; ++t) {
    in.read(place_of(t), got);
    EXPECT_EQ(got, std::vector<float>(size_t(kSamples), float(t) / 20));
  }
  expect_sentence([&] { in.read(place_of(0), got); }, {"holds 20 traces", "one more"});
}

TEST(OpendTectPlugin, names_what_is_wrong_with_a_result) {
  const TemporaryFolder folder;
  const std::string path = folder / "cube.sgy";
  write_cube(path);
  const auto open = [&](int samples, int64_t traces) { return [=] { ExchangeReader(path, samples, traces); }; };
  expect_sentence(open(kSamples, 21), {path, "21 traces", "disk full"});
  expect_sentence(open(kSamples + 1, 20), {path, "8 samples"});
  expect_sentence([&] { ExchangeReader(folder / "none.sgy", 1, 1); }, {"left no file", "none.sgy"});
  std::vector<float> got;
  ExchangeReader in(path, kSamples, 20);
  expect_sentence([&] { in.read(place_of(1), got); }, {"trace 1", "crossline 903", "Run it again"});
  const std::string bytes = read_file(path);
  write_file(path, std::string_view(bytes).substr(0, bytes.size() - 1));
  expect_sentence(open(kSamples, 20), {"20 traces of 7 samples take"});
  std::string other = bytes;
  other[3225] = 1;  // IBM floats
  write_file(path, other);
  expect_sentence(open(kSamples, 20), {"format 1", "expected were 7"});
}

TEST(OpendTectPlugin, names_what_does_not_fit_into_segy) {
  const TemporaryFolder folder;
  const auto writer = [&](ExchangeSampling s) { return [&folder, s] { ExchangeWriter(folder / "x.sgy", s); }; };
  expect_sentence(writer({65536, 4000, 0}), {"65536", "1 to 65535"});
  expect_sentence(writer({0, 4000, 0}), {"1 to 65535"});
  expect_sentence(writer({10, 0.4, 0}), {"0.4", "1 to 32767"});
  expect_sentence(writer({10, double(kNaN), 0}), {"1 to 32767"});
  expect_sentence(writer({10, 4000, 40000}), {"40000", "-32768 to 32767"});
  expect_sentence([&] { ExchangeWriter(folder / "no/such/x.sgy", {1, 1, 0}); }, {"cannot be written"});
  ExchangeWriter out(folder / "x.sgy", {3, 4000, 0});
  expect_sentence([&] { out.write({12, 34, 0, 0}, {1, 2}); }, {"inline 12, crossline 34", "2 samples", "3 were"});
}

TEST(OpendTectPlugin, a_full_disk_is_said) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  expect_sentence(
      [] {
        ExchangeWriter out("/dev/full", {1000, 4000, 0});
        for (int t = 0; t < 100; ++t) out.write({1, t, 0, 0}, std::vector<float>(1000));
        out.close();
      },
      {"/dev/full", "disk full"});
}

TEST(OpendTectPlugin, understands_what_kern_says) {
  EXPECT_EQ(progress_of(""), 0);
  EXPECT_EQ(progress_of("cube.sgy: reading\n"), 0);
  EXPECT_EQ(progress_of("cube.sgy   7%  9.31 lines/s  12m05s left\n"), 0.07);
  EXPECT_EQ(progress_of("cube.sgy   7%  9 lines/s\ncube.sgy  52%  9 lines/s\n"), 0.52);
  EXPECT_EQ(progress_of("cube.sgy 100%\nnothing%\n%"), 1);
  EXPECT_EQ(progress_of("12345678901234567890%"), 0);
  EXPECT_EQ(error_of("warning: a\nerror: there is no model x; make one\nmore\n"), "there is no model x; make one");
  EXPECT_EQ(error_of("Illegal instruction\n\n"), "Illegal instruction");
  EXPECT_EQ(error_of(""), "");
}

void wait_for(ExchangeChild& child) {
  while (child.running()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

TEST(OpendTectPlugin, runs_a_child_and_hears_it) {
  const TemporaryFolder folder;
  ExchangeChild child({"sh", "-c", "echo out; echo 'error: no' >&2; exit 3"}, folder / "log");
  wait_for(child);
  EXPECT_EQ(child.exit_code(), 3);
  EXPECT_EQ(text_of(folder / "log"), "out\nerror: no\n");
  EXPECT_EQ(error_of(text_of(folder / "log")), "no");
  expect_sentence([&] { ExchangeChild({folder / "no_kern"}, folder / "log"); }, {"no_kern", "cannot be started"});
}

TEST(OpendTectPlugin, kills_a_child_that_is_not_wanted_any_more) {
  const TemporaryFolder folder;
  const auto start = std::chrono::steady_clock::now();
  {
    ExchangeChild child({"sleep", "100"}, folder / "log");
    EXPECT_TRUE(child.running());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(50));
}

// The command that the plugin gives.
int predict(const TemporaryFolder& folder, const std::string& model) {
  ExchangeChild child({testing::kern_program(), "faults", "predict", "model=" + model, "data=" + (folder / "cube.sgy"),
                       "out=" + folder.path().string(), "thin=false", "sticks=0", "images=false"},
                      folder / "kern.log");
  wait_for(child);
  return child.exit_code();
}

TEST(OpendTectPlugin, goes_the_whole_way_with_kern) {
  const TemporaryFolder folder;
  testing::run_well(testing::train_faults(folder / "run"));
  write_cube(folder / "cube.sgy");
  ASSERT_EQ(predict(folder, folder / "run/model.safetensors"), 0) << text_of(folder / "kern.log");
  ExchangeReader in(folder / "cube/faults.sgy", kSamples, kInlines * kCrosslines);
  std::vector<float> got;
  for (int t = 0; t < kInlines * kCrosslines; ++t) {
    in.read(place_of(t), got);
    for (const float p : got) EXPECT_TRUE(p >= 0 && p <= 1) << p;
  }
}

TEST(OpendTectPlugin, hears_why_kern_refuses) {
  const TemporaryFolder folder;
  write_cube(folder / "cube.sgy");
  EXPECT_EQ(predict(folder, folder / "none.safetensors"), 1);
  EXPECT_TRUE(contains(error_of(text_of(folder / "kern.log")), "none.safetensors")) << text_of(folder / "kern.log");
}

}  // namespace
}  // namespace kern::opendtect_plugin
