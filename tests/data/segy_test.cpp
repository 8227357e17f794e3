#include "data/segy.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <limits>

#include "data/segy_geometry.h"
#include "data/segy_write.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "tests/support/error_of.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;

struct Folder {  // a new one, removed at the end
  fs::path path = fs::path(::testing::TempDir()) / text("segy_", counter()++);
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  static int& counter() {
    static int n = 0;
    return n;
  }
};

using kern::testing::error_of;
bool contains(const std::string& all, const std::string& part) { return all.find(part) != all.npos; }
std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& l : lines) all += l + "\n";
  return all;
}

// A small file of any make, each part of which a test can set.
struct SmallSegy {
  ByteOrder order = ByteOrder::big;
  SegyFormat format = SegyFormat::ibm_float32;
  int inlines = 3, crosslines = 4, samples = 5, texts = 0;
  std::vector<std::byte> binary = std::vector<std::byte>(400);
  std::vector<std::pair<SegyField, std::vector<int64_t>>> fields;  // of the traces, one value each
  std::vector<std::vector<float>> values;                          // of the traces
  int traces() const { return inlines * crosslines; }

  SmallSegy& put(const SegyField& field, int64_t value) {
    put_field(binary, field, order, value);
    return *this;
  }
  SmallSegy(ByteOrder o = ByteOrder::big, SegyFormat f = SegyFormat::ibm_float32) : order(o), format(f) {
    put(binary_field::interval, 4000).put(binary_field::samples, samples).put(binary_field::format, int(f));
    std::vector<int64_t> il, xl;
    for (int i = 0; i < traces(); ++i) {
      il.push_back(10 + i / crosslines), xl.push_back(100 + 2 * (i % crosslines));
      for (values.emplace_back(); values.back().size() < size_t(samples);)
        values.back().push_back(float((i * 7 + int(values.back().size()) * 3) % 23) -
                                (f >= SegyFormat::uint32 ? 0 : 9));
    }
    fields = {{trace_field::inline_number, il}, {trace_field::crossline_number, xl}};
  }
  std::string bytes() const {
    std::vector<std::byte> out = write_text_header({"C 1 A SMALL FILE"});
    out.insert(out.end(), binary.begin(), binary.end());
    for (int t = 0; t < texts; ++t) {
      const auto more = write_text_header({text("STANZA ", t)});
      out.insert(out.end(), more.begin(), more.end());
    }
    for (size_t i = 0; i < values.size(); ++i) {
      std::vector<std::byte> trace(240 + values[i].size() * size_t(bytes_of(format)));
      for (const auto& [field, of_trace] : fields) put_field(trace, field, order, of_trace[i]);
      encode_samples(format, order, values[i], trace.data() + 240);
      out.insert(out.end(), trace.begin(), trace.end());
    }
    return {reinterpret_cast<const char*>(out.data()), out.size()};
  }
};

std::vector<float> trace_of(const SegyFile& file, int64_t trace) {
  std::vector<float> samples(size_t(file.samples()));
  file.read_trace(trace, samples);
  return samples;
}

TEST(Segy, reads_every_format_in_both_orders) {
  EXPECT_EQ(segy_formats().size(), 14u);
  for (const SegyFormat format : segy_formats())
    for (const ByteOrder order : {ByteOrder::big, ByteOrder::little}) {
      const SmallSegy s(order, format);
      const std::string bytes = s.bytes();
      const SegyFile file(bytes, "small.sgy");
      EXPECT_EQ(file.layout().order, order) << to_string(format);
      EXPECT_EQ(file.layout().format, format);
      EXPECT_TRUE(file.warnings().empty()) << joined(file.warnings());
      ASSERT_EQ(file.traces(), s.traces());
      for (int64_t t = 0; t < file.traces(); ++t)
        EXPECT_EQ(trace_of(file, t), s.values[size_t(t)]) << to_string(format) << " " << to_string(order);
    }
}

TEST(Segy, ibm_floats_are_exact_where_they_can_be) {
  // Values of the IBM System/370 manual and its limits.
  const std::pair<uint32_t, float> known[] = {{0x41100000, 1},           {0xc2760000, -118}, {0xc276a000, -118.625f},
                                              {0x40800000, 0.5f},        {0x3f000000, 0},    {0x42640000, 100},
                                              {0x60ffffff, 3.402823e38f}};
  for (const auto& [word, value] : known) {
    std::byte bytes[4];
    store_bytes(bytes, 4, ByteOrder::big, word);
    float read;
    decode_samples(SegyFormat::ibm_float32, ByteOrder::big, bytes, {&read, 1});
    EXPECT_FLOAT_EQ(read, value);
  }
  // Every float with at most 21 bits of fraction goes there and back unchanged, whatever its exponent.
  uint32_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 1664525u + 1013904223u;
    const float value = std::bit_cast<float>((state & 0xfffffff8u) % 0x7f000000u | (state & 0x80000000u));
    if (!std::isnormal(value)) continue;
    std::byte bytes[4];
    float read;
    encode_samples(SegyFormat::ibm_float32, ByteOrder::little, {&value, 1}, bytes);
    decode_samples(SegyFormat::ibm_float32, ByteOrder::little, bytes, {&read, 1});
    EXPECT_EQ(read, value);
  }
}

TEST(Segy, what_a_format_cannot_hold) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const auto there_and_back = [](SegyFormat format, float value) {
    std::byte bytes[8];
    float read;
    encode_samples(format, ByteOrder::big, {&value, 1}, bytes);
    decode_samples(format, ByteOrder::big, bytes, {&read, 1});
    return read;
  };
  EXPECT_EQ(there_and_back(SegyFormat::int8, 1e9f), 127);
  EXPECT_EQ(there_and_back(SegyFormat::int8, -inf), -128);
  EXPECT_EQ(there_and_back(SegyFormat::uint8, -3), 0);
  EXPECT_EQ(there_and_back(SegyFormat::uint16, inf), 65535);
  EXPECT_EQ(there_and_back(SegyFormat::int24, 1e9f), 8388607);
  EXPECT_EQ(there_and_back(SegyFormat::int64, -1e30f), -0x1p63f);
  EXPECT_EQ(there_and_back(SegyFormat::uint64, 1e30f), 0x1p64f);
  EXPECT_EQ(there_and_back(SegyFormat::int16, 2.5f), 2);
  EXPECT_EQ(there_and_back(SegyFormat::int32, nan), 0);
  EXPECT_EQ(there_and_back(SegyFormat::ibm_float32, nan), 0);
  EXPECT_TRUE(std::isnan(there_and_back(SegyFormat::float32, nan)));
  EXPECT_TRUE(std::isnan(there_and_back(SegyFormat::float64, nan)));
  EXPECT_EQ(there_and_back(SegyFormat::float64, inf), inf);
  EXPECT_EQ(there_and_back(SegyFormat::ibm_float32, inf), inf);  // IBM's largest is beyond a float
  EXPECT_EQ(there_and_back(SegyFormat::gain_float32, 40000), 40000);
  std::byte huge[8];
  store_bytes(huge, 8, ByteOrder::big, std::bit_cast<uint64_t>(-1e300));
  float read;
  decode_samples(SegyFormat::float64, ByteOrder::big, huge, {&read, 1});
  EXPECT_EQ(read, -inf);
}

TEST(Segy, fields_and_scalars) {
  std::vector<std::byte> header(240);
  for (const ByteOrder order : {ByteOrder::big, ByteOrder::little})
    for (const SegyField& f : trace_fields()) {
      const int64_t value = f.is_signed ? -2 : 65534;
      put_field(header, f, order, value);
      EXPECT_EQ(get_field(header, f, order), value) << f.name;
    }
  std::vector<std::byte> binary(400);
  for (const SegyField& f : binary_fields()) {
    put_field(binary, f, ByteOrder::little, 77);
    EXPECT_EQ(get_field(binary, f, ByteOrder::little), 77) << f.name;
  }
  EXPECT_EQ(scaled(1234, -10), 123.4);
  EXPECT_EQ(scaled(1234, 10), 12340);
  EXPECT_EQ(scaled(1234, 0), 1234);
  EXPECT_TRUE(contains(error_of([] { trace_field_at("il", 238); }), "il=238 is no place in a trace header"));
}

TEST(Segy, text_in_ebcdic_and_ascii) {
  const SegyText text = read_text_header(write_text_header({"C 1 Client: KERN (2026)", "", "50 % [x]"}));
  EXPECT_TRUE(text.ebcdic);
  ASSERT_EQ(text.lines.size(), 40u);
  EXPECT_EQ(text.lines[0], "C 1 Client: KERN (2026)");
  EXPECT_EQ(text.lines[2], "50 % [x]");
  std::string ascii(3200, ' ');
  ascii.replace(80, 5, "C 2 A");
  const SegyText plain = read_text_header(std::as_bytes(std::span(ascii)));
  EXPECT_FALSE(plain.ebcdic);
  EXPECT_EQ(plain.lines[1], "C 2 A");
}

TEST(Segy, a_wrong_number_of_samples_is_mended) {
  SmallSegy s;
  s.put(binary_field::samples, 9);
  s.fields.push_back({trace_field::samples, std::vector<int64_t>(12, 5)});
  const std::string bytes = s.bytes();
  const SegyFile file(bytes, "small.sgy");
  EXPECT_EQ(file.samples(), 5);
  EXPECT_EQ(file.traces(), 12);
  EXPECT_EQ(joined(file.warnings()),
            "bytes 3221-3222 claim 9 samples a trace; 5 (bytes 115-116 of the first trace header) fill the file: 5 are "
            "read\n");
}

TEST(Segy, a_file_cut_short_keeps_its_whole_traces) {
  const std::string bytes = SmallSegy().bytes();
  const std::string_view cut = std::string_view(bytes).substr(0, bytes.size() - 7);
  const SegyFile file(cut, "cut.sgy");
  EXPECT_EQ(file.traces(), 11);
  EXPECT_EQ(joined(file.warnings()),
            "the file ends in the middle of trace 12: 11 whole traces are read, the last 253 bytes are not\n");
}

TEST(Segy, extended_text_headers) {
  SmallSegy s;
  s.texts = 3;
  s.put(binary_field::extended_texts, 3);
  EXPECT_EQ(SegyFile(s.bytes(), "s").layout().data_start, 3600 + 3 * 3200);
  s.put(binary_field::extended_texts, 30000);
  s.texts = 0;
  const std::string bytes = s.bytes();
  const SegyFile file(bytes, "s");
  EXPECT_EQ(file.traces(), 12);
  EXPECT_TRUE(contains(joined(file.warnings()), "claim 30000 extended text headers, which cannot be"));
  s.put(binary_field::extended_texts, -1);
  const std::string open = s.bytes();
  EXPECT_TRUE(contains(joined(SegyFile(open, "s").warnings()), "but there is none"));
}

TEST(Segy, refuses_in_sentences) {
  const auto refusal = [](const std::string& bytes) { return error_of([&] { SegyFile(bytes, "x.sgy"); }); };
  EXPECT_EQ(refusal(""), "x.sgy is no SEG-Y file: it has 0 bytes, the headers of SEG-Y alone take 3600");
  EXPECT_TRUE(
      contains(refusal(std::string(5000, 'x')), "bytes 3225-3226 hold 30840, which stands for no sample format"));
  EXPECT_TRUE(contains(refusal(std::string(5000, '\0')), "names neither a sample format nor a number of samples"));
  EXPECT_TRUE(
      contains(refusal(SmallSegy().bytes().substr(0, 3600)), "holds no trace: the file ends after its headers"));
  EXPECT_TRUE(contains(refusal(SmallSegy().bytes().substr(0, 3700)), "holds no whole trace"));
  SmallSegy none;
  none.put(binary_field::samples, 0);
  EXPECT_TRUE(contains(refusal(none.bytes()), "names no number of samples"));
  SmallSegy uneven;
  uneven.put(binary_field::samples, 6);
  std::vector<int64_t> lengths(12, 5);
  uneven.values[3].resize(9), lengths[3] = 9;
  uneven.fields.push_back({trace_field::samples, lengths});
  EXPECT_TRUE(contains(refusal(uneven.bytes()), "traces of different lengths, 5 to 9 samples"));
  EXPECT_TRUE(contains(error_of([] { SegyFile("/"); }), "is a folder"));
  EXPECT_TRUE(contains(error_of([] { SegyFile("/no/such.sgy"); }), "cannot read /no/such.sgy"));
  EXPECT_TRUE(contains(error_of([] { SegyFile(SmallSegy().bytes(), "x", {.xl = 0}); }), "xl=0 is no place"));
}

TEST(Segy, times_and_positions) {
  SmallSegy s;
  s.put(binary_field::interval, 0).put(binary_field::major_revision, 1);
  const auto all = [&](const SegyField& f, int64_t v) { s.fields.push_back({f, std::vector<int64_t>(12, v)}); };
  all(trace_field::interval, 2000), all(trace_field::delay, 1500), all(trace_field::time_scalar, -10);
  all(trace_field::coordinate_scalar, -100), all(trace_field::ensemble_x, 12345), all(trace_field::ensemble_y, -5000);
  const std::string bytes = s.bytes();
  const SegyFile file(bytes, "s");
  EXPECT_EQ(file.layout().interval, 2000);
  EXPECT_EQ(file.layout().delay, 150);
  EXPECT_TRUE(contains(joined(file.warnings()), "bytes 3217-3218 name no sample interval (0): 2000 microseconds"));
  EXPECT_EQ(file.position(file.trace_header(3)).x, 123.45);
  EXPECT_EQ(file.position(file.trace_header(3)).y, -50);
}

TEST(Segy, revision_2) {
  SmallSegy s(ByteOrder::little, SegyFormat::int24);
  s.put(binary_field::major_revision, 2).put(binary_field::order_constant, 0x01020304).put(binary_field::samples, 0);
  s.put(binary_field::long_samples, 5).put(binary_field::first_trace, 3600 + 3200);
  s.put(binary_field::long_interval, std::bit_cast<int64_t>(1250.5));
  s.texts = 1;
  const std::string bytes = s.bytes();
  const SegyFile file(bytes, "s");
  EXPECT_EQ(file.layout().interval, 1250.5);
  EXPECT_EQ(file.traces(), 12);
  EXPECT_EQ(trace_of(file, 11), s.values[11]);
}

TEST(SegyGeometry, cube_with_gaps_duplicates_and_padding) {
  SmallSegy s;
  auto& il = s.fields[0].second;
  auto& xl = s.fields[1].second;
  std::swap(il[0], il[11]), std::swap(xl[0], xl[11]);  // in no order
  il[5] = il[4], xl[5] = xl[4];                        // a duplicate, and the gap it leaves
  il[6] = xl[6] = il[7] = xl[7] = 0;                   // padding
  const std::string bytes = s.bytes();
  const SegyFile file(bytes, "s");
  const SegyGeometry g(file);
  EXPECT_EQ(g.kind(), SegyKind::cube);
  EXPECT_EQ(g.inlines(), (std::vector<int>{10, 11, 12}));
  EXPECT_EQ(g.crosslines(), (std::vector<int>{100, 102, 104, 106}));
  EXPECT_EQ(g.positions(), 9);
  EXPECT_EQ(g.gaps(), 3);
  EXPECT_EQ(g.duplicates(), 1);
  EXPECT_EQ(g.unnumbered(), 2);
  EXPECT_EQ(g.inline_section(11).traces, (std::vector<int64_t>{4, -1, -1, -1}));
  EXPECT_EQ(g.crossline_section(100).traces, (std::vector<int64_t>{11, 4, 8}));
  EXPECT_EQ(g.inline_section(10).traces, (std::vector<int64_t>{11, 1, 2, 3}));
  const std::vector<float> samples = read_section(file, g.inline_section(11));
  EXPECT_EQ(std::vector<float>(samples.begin(), samples.begin() + 5), s.values[4]);
  EXPECT_EQ(std::vector<float>(samples.begin() + 5, samples.end()), std::vector<float>(15));
  EXPECT_EQ(error_of([&] { g.inline_section(9); }), "there is no inline 9; they go from 10 to 12");
  EXPECT_EQ(error_of([&] { g.crossline_section(101); }), "there is no crossline 101; they go from 100 to 106");
  EXPECT_EQ(joined(g.findings()),
            "2 traces have neither inline nor crossline number (both 0) and are left out\n"
            "1 trace repeats a place that another trace has; the first one counts\n"
            "places of the grid without a trace: 3 of 12\n");
}

TEST(SegyGeometry, a_whole_line_may_be_missing) {
  SmallSegy s;
  for (int64_t& il : s.fields[0].second) il = il == 12 ? 14 : il;
  const std::string bytes = s.bytes();
  const SegyGeometry g{SegyFile(bytes, "s")};
  EXPECT_EQ(g.inlines(), (std::vector<int>{10, 11, 12, 13, 14}));
  EXPECT_EQ(g.inline_section(13).traces, std::vector<int64_t>(4, -1));
}

TEST(SegyGeometry, lines) {
  SmallSegy s;  // no numbers at all
  s.fields.clear();
  s.fields.push_back({trace_field::ensemble, {5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27}});
  const std::string bytes = s.bytes();
  const SegyGeometry g{SegyFile(bytes, "s")};
  EXPECT_EQ(g.kind(), SegyKind::line);
  EXPECT_EQ(g.inlines().size(), 1u);
  EXPECT_EQ(g.crosslines().front(), 5);
  EXPECT_EQ(g.middle_section().traces.size(), 12u);
  EXPECT_TRUE(contains(joined(g.findings()), "never change"));

  SmallSegy path;  // across the grid
  for (int64_t i = 0; i < 12; ++i)
    path.fields[0].second[size_t(i)] = 40 - 2 * i, path.fields[1].second[size_t(i)] = 7 * i;
  const std::string diagonal = path.bytes();
  const SegyGeometry across{SegyFile(diagonal, "s")};
  EXPECT_EQ(across.kind(), SegyKind::line);
  EXPECT_EQ(across.middle_section().traces.front(), 0);
  EXPECT_EQ(across.middle_section().traces.back(), 11);

  SmallSegy one;  // of 3-D data
  one.fields[0].second.assign(12, 4);
  for (int64_t i = 0; i < 12; ++i) one.fields[1].second[size_t(i)] = 900 - i;
  const std::string single = one.bytes();
  const SegyGeometry inline_only{SegyFile(single, "s")};
  EXPECT_EQ(inline_only.kind(), SegyKind::cube);
  EXPECT_EQ(inline_only.inlines(), std::vector<int>{4});
  EXPECT_EQ(inline_only.middle_section().traces.front(), 11);
}

// Field record and trace number change from trace to trace of a 2-D line: they make no grid, and nobody is told to try.
TEST(SegyGeometry, a_line_is_not_told_to_try_other_places) {
  SmallSegy s;
  for (auto& [at, numbers] : s.fields) numbers.assign(numbers.size(), 1);
  std::vector<int64_t> up(12), down(12);
  for (int64_t i = 0; i < 12; ++i) up[size_t(i)] = 500 + i, down[size_t(i)] = 90 - 2 * i;
  s.fields.push_back({{"", 17, 4}, up});
  s.fields.push_back({{"", 13, 4}, down});
  const std::string bytes = s.bytes();
  const std::string findings = joined(SegyGeometry{SegyFile(bytes, "s")}.findings());
  EXPECT_TRUE(contains(findings, "never change")) << findings;
  EXPECT_FALSE(contains(findings, "try il=")) << findings;
}

TEST(SegyGeometry, prestack_is_named) {
  SmallSegy s;
  for (int64_t& xl : s.fields[1].second) xl = 100 + (xl - 100) / 4;
  s.fields.push_back({trace_field::offset, {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2}});
  const std::string bytes = s.bytes();
  const SegyGeometry g{SegyFile(bytes, "s")};
  EXPECT_EQ(g.kind(), SegyKind::prestack);
  EXPECT_EQ(g.positions(), 6);
  EXPECT_TRUE(contains(joined(g.findings()), "of offsets 1 to 2"));
}

TEST(SegyGeometry, other_places_are_found) {
  SmallSegy s;
  s.fields[0].first = trace_field::field_record, s.fields[1].first = trace_field::ensemble;
  const std::string bytes = s.bytes();
  EXPECT_TRUE(contains(joined(SegyGeometry{SegyFile(bytes, "s")}.findings()), "bytes 9 and 21 do: try il=9 xl=21"));
  const SegyGeometry g{SegyFile(bytes, "s", {.il = 9, .xl = 21})};
  EXPECT_EQ(g.crosslines(), (std::vector<int>{100, 102, 104, 106}));
}

TEST(SegyGeometry, numbers_of_any_size) {
  SmallSegy s;
  auto& il = s.fields[0].second;
  il = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, 0, 0, 0, 0, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
  const std::string bytes = s.bytes();
  const SegyGeometry g{SegyFile(bytes, "s")};
  EXPECT_EQ(g.inlines(), (std::vector<int>{INT32_MIN, 0, INT32_MAX}));
  EXPECT_EQ(g.inline_section(INT32_MAX).traces.back(), 11);
}

// Writes every trace as it is read, in another order; returns the file's bytes.
std::string copied(const SegyFile& file, const fs::path& to, std::optional<SegyFormat> format = {}) {
  SegyWriter writer(to, file, format);
  for (int64_t t = file.traces() - 1; t >= 0; --t) writer.write_trace(t, trace_of(file, t));
  writer.commit();
  return read_file(to);
}

TEST(SegyWriter, a_copy_is_the_original_byte_for_byte) {
  const Folder folder;
  for (const SegyFormat format : {SegyFormat::ibm_float32, SegyFormat::float32})
    for (const ByteOrder order : {ByteOrder::big, ByteOrder::little}) {
      SmallSegy s(order, format);
      s.texts = 2;
      s.put(binary_field::extended_texts, 2);
      s.fields.push_back({trace_field::weighting, std::vector<int64_t>(12, 3)});
      for (int b = 1; b <= 169; b += 4)  // whatever stands there
        if (b != 169) s.fields.push_back({{"", b, 4}, std::vector<int64_t>(12, 0x01020304 + b)});
      s.fields.push_back({trace_field::samples, std::vector<int64_t>(12, 5)});
      s.fields.push_back({trace_field::interval, std::vector<int64_t>(12, 4000)});
      std::string expected = s.bytes();
      const std::string bytes = expected;
      const SegyFile file(bytes, "s");
      for (int64_t t = 0; t < 12; ++t)
        expected[size_t(file.layout().trace_start(t)) + 168] = expected[size_t(file.layout().trace_start(t)) + 169] = 0;
      EXPECT_EQ(copied(file, folder.path / "copy.sgy"), expected);
    }
}

TEST(Segy, a_line_is_added_to_the_text_header) {
  const auto with = [](std::vector<std::string> lines) {
    lines.resize(40);
    for (size_t i = 0; i < lines.size(); ++i) lines[i] = text(i < 9 ? "C " : "C", i + 1, " ", lines[i]);
    return write_text_header(lines);
  };
  const auto row_of = [](std::span<const std::byte> header, size_t row) { return read_text_header(header).lines[row]; };
  std::vector<std::string> lines(40);
  lines[0] = "CLIENT", lines[5] = "STACK", lines[38] = "SEG Y REV1", lines[39] = "END TEXTUAL HEADER";
  std::vector<std::byte> header = with(lines), untouched = header;
  EXPECT_TRUE(add_text_line(header, "FAULTS"));
  EXPECT_EQ(row_of(header, 6), "C 7 FAULTS");
  EXPECT_TRUE(add_text_line(header, std::string(200, 'X')));
  EXPECT_EQ(row_of(header, 7).size(), 80u);
  EXPECT_EQ(row_of(header, 8), "C 9");
  for (size_t row = 0; row < 40; ++row) {
    const bool added = row == 6 || row == 7;
    EXPECT_EQ(row_of(header, row) == row_of(untouched, row), !added) << row;
  }
  for (size_t i = 6; i < 38; ++i) lines[i] = "USED";
  header = with(lines);
  EXPECT_TRUE(add_text_line(header, "FAULTS"));  // the last free one above
  EXPECT_EQ(row_of(header, 4), "C 5 FAULTS");
  for (size_t i = 0; i < 38; ++i) lines[i] = "USED";
  header = untouched = with(lines);
  EXPECT_FALSE(add_text_line(header, "FAULTS"));
  EXPECT_EQ(header, untouched);
  std::vector<std::byte> ascii(3200, std::byte(' '));
  ascii[0] = std::byte('C');
  EXPECT_TRUE(add_text_line(ascii, "FAULTS"));
  EXPECT_EQ(row_of(ascii, 0), "C 1 FAULTS");
  EXPECT_FALSE(read_text_header(ascii).ebcdic);
}

// No header has a place for what samples follow each other in; people write it.
TEST(Segy, depth_is_told_from_time_by_the_text_header) {
  const auto path = fs::path(::testing::TempDir()) / "domain.sgy";
  const auto layout_of = [&](const std::string& line, SegyDomain domain, std::vector<std::string>* warnings = nullptr) {
    {
      SegyWriter writer(
          path,
          SegyGrid{
              .inlines = {.count = 1}, .crosslines = {.count = 1}, .samples = 4, .interval = 5000, .text = {line}});
      writer.write_trace(0, std::vector<float>{1, 2, 3, 4});
      writer.commit();
    }
    if (domain == SegyDomain::automatic) {  // the writer's own line says microseconds, of whatever
      std::string bytes = read_file(path);
      std::vector<std::byte> header = write_text_header({"C 1 " + line});
      std::copy(header.begin(), header.end(), reinterpret_cast<std::byte*>(bytes.data()));
      write_file(path, bytes);
    }
    const SegyFile file(path, {.domain = domain});
    if (warnings) *warnings = file.warnings();
    return file.layout();
  };
  for (const char* of_depth : {"DOMAIN: DEPTH", "Final PSDM volume in depth", "DEPTH SAMPLE", "SAMPLE INTERVAL: 5 m",
                               "KIRCHHOFF DEPTH-DOMAIN STACK", "Sampling rate = 10 FT"})
    EXPECT_TRUE(layout_of(of_depth, SegyDomain::automatic).depth) << of_depth;
  for (const char* of_time :
       {"", "SOURCE DEPTH: 6 M", "WATER DEPTH IN HEADERS", "PSDM STRETCHED TO TIME", "DOMAIN: TIME",
        "SAMPLE INTERVAL: 4 MS", "depth migrated, converted from depth domain to TWT", "CABLE DEPTH 8 METRES"})
    EXPECT_FALSE(layout_of(of_time, SegyDomain::automatic).depth) << of_time;
  std::vector<std::string> warnings;
  EXPECT_FALSE(layout_of("KIRCHHOFF PSDM", SegyDomain::automatic, &warnings).depth);
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings.back().find("domain=depth"), std::string::npos) << warnings.back();
  const SegyLayout told = layout_of("", SegyDomain::depth);
  EXPECT_STREQ(told.unit(), "m");
  EXPECT_STREQ(told.frequency_unit(), "cycles/km");
  EXPECT_STREQ(layout_of("DOMAIN: DEPTH", SegyDomain::time).unit(), "ms");
}

TEST(SegyWriter, integers_become_floats) {
  const Folder folder;
  for (const SegyFormat format : segy_formats()) {
    if (format == SegyFormat::ibm_float32 || format == SegyFormat::float32) continue;
    const SmallSegy s(ByteOrder::little, format);
    const std::string bytes = s.bytes();
    copied(SegyFile(bytes, "s"), folder.path / "copy.sgy");
    const SegyFile copy(folder.path / "copy.sgy");
    EXPECT_EQ(copy.layout().format, SegyFormat::float32);
    EXPECT_EQ(copy.layout().order, ByteOrder::little);
    ASSERT_EQ(copy.traces(), 12);
    for (int64_t t = 0; t < 12; ++t) {
      EXPECT_EQ(trace_of(copy, t), s.values[size_t(t)]);
      EXPECT_EQ(copy.header(t, trace_field::crossline_number), s.fields[1].second[size_t(t)]);
    }
  }
}

TEST(SegyWriter, from_nothing) {
  const Folder folder;
  const SegyGrid grid{.inlines = {.first = 100, .step = 2, .count = 3},
                      .crosslines = {.first = 500, .step = 1, .count = 4},
                      .samples = 6,
                      .interval = 2000,
                      .delay = 100,
                      .spacing = 12.5,
                      .x = 1000,
                      .y = 2000,
                      .text = {"SYNTHETIC"}};
  const fs::path path = folder.path / "new.sgy";
  {
    SegyWriter writer(path, grid);
    for (int64_t t = 0; t < 12; ++t) writer.write_trace(t, std::vector<float>(6, float(t)));
    EXPECT_FALSE(fs::exists(path));
    writer.commit();
  }
  const SegyFile file(path);
  EXPECT_TRUE(file.warnings().empty()) << joined(file.warnings());
  EXPECT_EQ(file.layout().revision, 1);
  EXPECT_EQ(file.layout().interval, 2000);
  EXPECT_EQ(file.layout().delay, 100);
  EXPECT_EQ(file.text_header().lines[0], "C 1 SYNTHETIC");
  EXPECT_EQ(file.text_header().lines[38], "C39 SEG Y REV1");
  const SegyGeometry g(file);
  EXPECT_TRUE(g.findings().empty()) << joined(g.findings());
  EXPECT_EQ(g.inlines(), (std::vector<int>{100, 102, 104}));
  EXPECT_EQ(g.crosslines(), (std::vector<int>{500, 501, 502, 503}));
  EXPECT_EQ(file.position(file.trace_header(7)).x, 1037.5);
  EXPECT_EQ(file.position(file.trace_header(7)).y, 2012.5);
  EXPECT_EQ(file.header(7, trace_field::field_record), 102);
  EXPECT_EQ(file.header(7, trace_field::ensemble), 503);
  EXPECT_EQ(trace_of(file, 7), std::vector<float>(6, 7));
  const auto refusal = [&](SegyGrid g2) { return error_of([&] { SegyWriter(folder.path / "x", g2); }); };
  EXPECT_EQ(refusal({.samples = 70000}), "a SEG-Y trace holds 1 to 65535 samples, not 70000");
  EXPECT_TRUE(contains(refusal({.samples = 1, .interval = 0.5}), "1 to 32767 whole microseconds, not 0.5"));
  EXPECT_EQ(fs::directory_iterator(folder.path)->path(), path);  // nothing else is left
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()), 1);
}

TEST(SegyWriter, a_missing_trace_is_noticed_and_nothing_appears) {
  const Folder folder;
  {
    SegyWriter writer(folder.path / "x.sgy", SegyGrid{.crosslines = {.count = 2}, .samples = 1});
    writer.write_trace(1, std::vector<float>(1));
    EXPECT_TRUE(contains(error_of([&] { writer.commit(); }), "1 of 2 traces were never written"));
  }
  EXPECT_TRUE(fs::is_empty(folder.path));
}

TEST(Segy, a_file_larger_than_memory) {
  // 60 GB of hole with one inline written into it.
  const Folder folder;
  const fs::path path = folder.path / "large.sgy";
  constexpr int64_t kSamples = 65000, kStep = 240 + 8 * kSamples, kTraces = 120000, kFirst = 54321, kCount = 20;
  {
    SmallSegy s(ByteOrder::big, SegyFormat::float64);
    s.put(binary_field::samples, kSamples);
    s.values.clear();
    write_file(path, s.bytes());
    fs::resize_file(path, uintmax_t(3600 + kTraces * kStep));
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    for (int64_t i = 0; i < kCount; ++i) {
      std::vector<std::byte> trace(240 + 16);
      put_field(trace, trace_field::inline_number, ByteOrder::big, 7);
      put_field(trace, trace_field::crossline_number, ByteOrder::big, 1000 + i);
      const float values[] = {float(i), -1};
      encode_samples(SegyFormat::float64, ByteOrder::big, values, trace.data() + 240);
      out.seekp(3600 + (kFirst + i) * kStep);
      out.write(reinterpret_cast<const char*>(trace.data()), std::streamsize(trace.size()));
    }
  }
  const SegyFile file(path);
  EXPECT_EQ(file.traces(), kTraces);
  const SegyGeometry g(file);
  EXPECT_EQ(g.unnumbered(), kTraces - kCount);
  const SegySection section = g.inline_section(7);
  ASSERT_EQ(section.traces.size(), size_t(kCount));
  const std::vector<float> samples = read_section(file, section);
  EXPECT_EQ(samples[size_t(5 * kSamples)], 5);
  EXPECT_EQ(samples[size_t(5 * kSamples + 1)], -1);
  EXPECT_EQ(samples[size_t(5 * kSamples + 2)], 0);
}

}  // namespace
}  // namespace kern::data
