// kern-opendtect as OpendTect meets it: the protocol's parts, tiles against whole sections, and the program itself over
// pipes with next to no environment.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <thread>

#include "apps/faults/faults_model.h"
#include "apps/faults/opendtect/tiles.h"
#include "engine/atomic_file.h"
#include "engine/json.h"
#include "engine/random.h"
#include "kernels/common/error.h"
#include "tests/apps/kern_process.h"
#include "tests/support/log_capture.h"
#include "tests/support/source_files.h"

namespace kern::apps::opendtect {
namespace {
using nlohmann::json;
using testing::contains;
using testing::TemporaryFolder;
using Bytes = std::vector<std::byte>;

template <class... T>
Bytes bytes_of(T... values) {
  Bytes out;
  auto put = [&](auto v) {
    static_assert(sizeof v == 4);
    const auto at = out.size();
    out.resize(at + 4);
    std::memcpy(out.data() + at, &v, 4);
  };
  (put(values), ...);
  return out;
}

// A survey that is asked for trace by trace, as OpendTect does it.
struct Survey {
  int inlines = 3, crosslines = 130, samples = 40, first_inline = 100, first_crossline = 300, step = 1;
  int stepout = kStepOut, margin = kMargin;
  std::vector<float> values;
  std::vector<int> missing;  // crosslines by index, of every inline

  explicit Survey(uint32_t seed = 1) : seed_(seed) { fill(); }
  void fill() {
    RandomSequence random(seed_, RandomStream::noise);
    values.resize(size_t(inlines * crosslines * samples));
    for (float& v : values) v = random.normal();
  }
  float* trace(int i, int x) { return values.data() + int64_t(i * crosslines + x) * samples; }
  bool is_there(int x) const {
    return x >= 0 && x < crosslines && std::find(missing.begin(), missing.end(), x) == missing.end();
  }
  SeisInfo info() const {
    return {2 * stepout + 1, 1, kOutputs, 1, 2 * stepout + 1, 0.004f, 25, 25, 1000, 1e6f, samples};
  }
  // `slice`: that sample alone, with the margins.
  Request request(int i, int x, int slice = -1) const {
    return {(slice < 0 ? samples : 1) + 2 * margin, 1 + std::max(0, slice), first_inline + i,
            first_crossline + step * x};
  }
  std::vector<float> window(int i, int x, int slice = -1) {
    const int n = request(i, x, slice).samples, top = std::max(0, slice) - margin;
    std::vector<float> out(size_t(n * (2 * stepout + 1)), 0.0f);
    for (int d = -stepout; d <= stepout; ++d)
      for (int z = 0; z < n; ++z)
        if (top + z >= 0 && top + z < samples)
          out[size_t((d + stepout) * n + z)] = trace(i, is_there(x + d) ? x + d : x)[top + z];
    return out;
  }

 private:
  uint32_t seed_;
};

using Answer = std::vector<float>;
bool same(const Answer& a, const Answer& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}
Answer ask(SectionTiles& tiles, Survey& s, int i, int x, int slice = -1) {
  const Request r = s.request(i, x, slice);
  Answer out(size_t(values_out(r, s.info())), -1.0f);
  tiles.answer(r, s.window(i, x, slice), out);
  return out;
}

// Looks one column to either side.
std::vector<float> neighbours(std::span<const float> x, int64_t columns, int64_t samples) {
  std::vector<float> p(x.size());
  auto at = [&](int64_t c, int64_t z) { return c < 0 || c >= columns ? 0.0f : x[size_t(c * samples + z)]; };
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t z = 0; z < samples; ++z)
      p[size_t(c * samples + z)] = 1 / (1 + std::exp(-at(c, z) - 0.5f * at(c - 1, z) + 0.25f * at(c + 1, z)));
  return p;
}
Settings plain() {
  Settings s;
  s.amplitude = 1;
  return s;
}

TEST(OpendtectProtocol, PercentCoding) {
  EXPECT_EQ(percent_encoded("a b{\"0.5\"}"), "a%20b%7B%220%2E5%22%7D");
  std::string every;
  for (int c = 0; c < 256; ++c) every += char(c);
  EXPECT_EQ(percent_decoded(percent_encoded(every)), every);
  EXPECT_EQ(percent_decoded("a+b%2b%2B"), "a+b++");
  EXPECT_EQ(percent_decoded("%3*%10"), "?\x10");
  for (const char* damaged : {"%", "abc%4", "%4", "%zz", "%-1"})
    EXPECT_EQ(percent_decoded(damaged).find('%'), std::string::npos);
  EXPECT_EQ(unquoted("\"/a b/model\""), "/a b/model");
  EXPECT_EQ(unquoted("/a/model"), "/a/model");
  EXPECT_EQ(unquoted("\""), "\"");
}

TEST(OpendtectProtocol, SettingsInBothForms) {
  Settings defaults;
  defaults.threshold = 0.25;
  const std::string text =
      R"({"Threshold":{"Type":"Number","Value":0.75},"Velocity":{"Value":3000},"StepOut":{"Value":[0,63]},)"
      R"("SurveyDiskLocation":"/data/F3 Demo","Unknown":[1,{"a":null}]})";
  for (const std::string& argument : {text, percent_encoded(text)}) {
    const Settings s = read_settings(argument, defaults);
    EXPECT_EQ(s.threshold, 0.75);
    EXPECT_EQ(s.velocity, 3000);
    EXPECT_EQ(s.amplitude, 0);
    EXPECT_EQ(s.survey, "/data/F3 Demo");
  }
  EXPECT_EQ(read_settings("{}", defaults).threshold, 0.25);
  // A path of the other world: a backslash of JSON, doubled by OpendTect.
  EXPECT_EQ(read_settings(percent_encoded(R"({"SurveyDiskLocation":"C:\\\\F3"})"), defaults).survey, R"(C:\\F3)");
  for (const std::string& unreadable :
       {std::string(), std::string("{"), std::string("[]"), std::string("%7B%"), std::string(100000, '[')}) {
    const testing::LogCapture said;
    EXPECT_EQ(read_settings(unreadable, defaults).threshold, 0.25) << unreadable.substr(0, 40);
    EXPECT_TRUE(said.contains("cannot be read"));
  }
  // The very bytes of OpendTect 7.0.5 and later for a survey called "F3 Démo" and an input called 6" cube: of a byte
  // above 127 come a % and two characters that are no digits, and a backslash of JSON is doubled after the quote was
  // escaped by it.
  const std::string parameters = R"({"Threshold":{"Type":"Number","Value":0.75},"Velocity":{"Value":3000})";
  for (const char* more : {"%2C%22Survey%22%3A%22F3%20D%3*%10mo%22%2C%22SurveyDiskLocation%22%3A%22%2Fdata%2FF3%20D%3*%"
                           "10mo%22%2C%22InputNames%22%3A%5B%22Seismic%22%5D%7D",
                           "%2C%22Survey%22%3A%22F3%22%2C%22SurveyDiskLocation%22%3A%22%2Fdata%2FF3%22%2C%22InputNames%"
                           "22%3A%5B%226%5C%5C%22%20cube%22%5D%7D",
                           "%2C%22Survey%22%3A%22F%5C%5C%22%7B%7B3%22%2C%22SurveyDiskLocation%22%3A%22%2Fdata%22%2C%"
                           "22InputNames%22%3A%5B%22%22%5D%7D"}) {
    const Settings s = read_settings(percent_encoded(parameters) + more, defaults);
    EXPECT_EQ(s.threshold, 0.75) << more;
    EXPECT_EQ(s.velocity, 3000) << more;
  }
  for (const std::string& wrong :
       {std::string(R"({"Threshold":{"Value":2}})"), std::string(R"({"Threshold":{"Value":"much"}})"),
        std::string(R"({"Velocity":0})"), std::string(R"({"Threshold":{}})")})
    EXPECT_THROW(read_settings(wrong, defaults), Error) << wrong.substr(0, 40);
}

TEST(OpendtectProtocol, StepOfASurvey) {
  EXPECT_EQ(crossline_step("dTect V7\nIn-line range: 100`750`1\nCross-line range: 300`1250`4\nZ range: 0`1`0.004`T\n"),
            4);
  EXPECT_EQ(crossline_step("Cross-line range: 300`1250`2\r\n"), 2);
  for (const char* silent : {"", "Cross-line range:", "Cross-line range: 300`1250", "Cross-line range: 1`2`x",
                             "Cross-line range: 1`2`-3", "Cross-line range: 1`2`99999999999999"})
    EXPECT_EQ(crossline_step(silent), 0) << silent;
}

FirstBytes first_of(const Bytes& bytes) {
  return read_first_bytes(std::span<const std::byte, kFirstBytes>(bytes.data(), kFirstBytes));
}

TEST(OpendtectProtocol, BothSizesOfTheFirstBlock) {
  const Bytes older =
      bytes_of(127, 1, 3, 1, 127, 0.004f, 25.0f, 12.5f, 1000.0f, 1e6f, /*request*/ 500, 0, 100, 300, 0.25f);
  const FirstBytes a = first_of(older);
  EXPECT_EQ(a.used, 40u);
  EXPECT_EQ(a.info, (SeisInfo{127, 1, 3, 1, 127, 0.004f, 25, 12.5f, 1000, 1e6f, 0}));
  EXPECT_TRUE(a.info.in_time());
  const Bytes newer = bytes_of(127, 1, 3, 1, 127, 0.004f, 25.0f, 12.5f, 1.0f, 1e3f, 463, /*request*/ 500, 0, 100, 300);
  const FirstBytes b = first_of(newer);
  EXPECT_EQ(b.used, 44u);
  EXPECT_EQ(b.info.samples, 463);
  EXPECT_FALSE(b.info.in_time());
  // Samples of zero, negative ones and NaN are no crosslines, whatever z0 is.
  for (const float first : {0.0f, -1.0f, NAN, -NAN, 1e-30f, 1e30f}) {
    const Bytes o = bytes_of(127, 1, 3, 1, 127, 0.004f, 25.0f, 12.5f, 1000.0f, 1e6f, 500, 7, 100, 300, first);
    EXPECT_EQ(first_of(o).used, 40u) << first;
  }
  for (const auto& [traces, inputs, outputs, inlines, crosslines] :
       std::vector<std::array<int, 5>>{{126, 1, 3, 1, 127},
                                       {126, 1, 3, 1, 126},
                                       {0, 1, 3, 0, 0},
                                       {127, 0, 3, 1, 127},
                                       {127, 1, -3, 1, 127},
                                       {1 << 30, 1, 3, 1, 1 << 30}})
    EXPECT_THROW(first_of(bytes_of(traces, inputs, outputs, inlines, crosslines, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1)), Error);
  auto request = [&](int samples) {
    const Bytes r = bytes_of(samples, 0, 100, 300);
    return read_request(std::span<const std::byte, kRequestBytes>(r.data(), kRequestBytes), a.info);
  };
  EXPECT_EQ(request(500), (Request{500, 0, 100, 300}));
  EXPECT_EQ(request(0).samples, 0);
  EXPECT_THROW(request(-1), Error);
  EXPECT_THROW(request(std::numeric_limits<int>::max()), Error);
}

TEST(OpendtectTiles, EqualTheWholeSectionWhateverTheOrder) {
  for (const int step : {1, 3}) {
    Survey s;
    s.step = step;
    s.first_crossline = -17;  // tiles begin anywhere
    SectionTiles forward(neighbours, s.info(), plain(), step), shuffled(neighbours, s.info(), plain(), step);
    std::vector<std::pair<int, int>> order;
    std::map<std::pair<int, int>, Answer> answers;
    for (int i = 0; i < s.inlines; ++i)
      for (int x = 0; x < s.crosslines; ++x) {
        order.emplace_back(i, x);
        answers[{i, x}] = ask(forward, s, i, x);
      }
    // 130 columns lie in four or five tiles of 40.
    EXPECT_LE(forward.computed(), s.inlines * 5);
    for (int i = 0; i < s.inlines; ++i) {
      // The section with one mirrored column at either end.
      std::vector<float> section;
      for (const int x : {1}) section.insert(section.end(), s.trace(i, x), s.trace(i, x) + s.samples);
      section.insert(section.end(), s.trace(i, 0), s.trace(i, 0) + s.crosslines * s.samples);
      for (const int x : {s.crosslines - 2}) section.insert(section.end(), s.trace(i, x), s.trace(i, x) + s.samples);
      const auto p = neighbours(section, s.crosslines + 2, s.samples);
      for (int x = 0; x < s.crosslines; ++x)
        ASSERT_EQ(std::memcmp(answers[{i, x}].data() + s.margin, p.data() + (x + 1) * s.samples,
                              size_t(s.samples) * sizeof(float)),
                  0)
            << i << " " << x;
    }
    RandomSequence random(5, RandomStream::shuffle);
    for (size_t n = order.size(); n > 1; --n) std::swap(order[n - 1], order[size_t(random.uniform() * float(n))]);
    for (const auto& [i, x] : order)
      ASSERT_TRUE(same(ask(shuffled, s, i, x), answers[std::make_pair(i, x)])) << i << " " << x;
  }
}

TEST(OpendtectTiles, OutputsAreThinnedAndDipping) {
  // A fault that falls 2 samples a column; the network knows it.
  Survey s;
  s.inlines = 1;
  const SectionNetwork ramp = [&](std::span<const float> v, int64_t columns, int64_t samples) {
    std::vector<float> p(v.size(), 0.01f);
    for (int64_t c = 0; c < columns; ++c)
      for (int64_t z = 0; z < samples; ++z)
        p[size_t(c * samples + z)] = float(std::exp(-0.5 * std::pow((double(z) - 2 * double(c - 34)) / 3, 2)));
    return p;
  };
  Settings settings = plain();
  settings.velocity = 2500;  // 0.004 s * 2500 / 2 = 5 m a sample, 25 m a column: 10 m down in 25 m
  SectionTiles tiles(ramp, s.info(), settings);
  ASSERT_EQ(s.first_crossline % kKept, 20);  // in the middle of a tile: column 24 + 20
  const Answer a = ask(tiles, s, 0, 0);
  const int n = s.samples + 2 * s.margin, on_it = 2 * (24 + 20 - 34);
  const float *p = a.data() + s.margin, *thin = p + n, *slope = thin + n;
  EXPECT_NEAR(p[on_it], 1, 1e-5);
  EXPECT_EQ(thin[on_it], p[on_it]);
  for (int z = 0; z < s.samples; ++z) {
    if (std::abs(z - on_it) > 1) {
      EXPECT_EQ(thin[z], 0) << z;
    }
    EXPECT_EQ(std::isnan(slope[z]), p[z] < 0.5) << z;
  }
  EXPECT_NEAR(slope[on_it], std::atan2(10, 25) * 180 / M_PI, 2);
}

// A trace that has an equal one near it was once taken for the end of the section: every trace had a run of its own.
TEST(OpendtectTiles, MirroredAndRepeatedTracesAreTraces) {
  for (const bool mirror : {true, false}) {
    Survey s;
    s.inlines = 1;
    for (int x = 65; x < 130; ++x) std::copy_n(s.trace(0, mirror ? 129 - x : x - 20), s.samples, s.trace(0, x));
    SectionTiles tiles(neighbours, s.info(), plain());
    std::vector<Answer> answers;
    for (int x = 0; x < s.crosslines; ++x) answers.push_back(ask(tiles, s, 0, x));
    EXPECT_LE(tiles.computed(), 5) << mirror;
    const auto p = neighbours(std::vector<float>(s.trace(0, 0), s.trace(0, 0) + s.crosslines * s.samples), s.crosslines,
                              s.samples);
    for (int x = 1; x + 1 < s.crosslines; ++x)
      ASSERT_EQ(std::memcmp(answers[size_t(x)].data() + s.margin, p.data() + x * s.samples,
                            size_t(s.samples) * sizeof(float)),
                0)
          << mirror << " " << x;
  }
}

TEST(OpendtectTiles, SectionsEndAtGaps) {
  Survey s;
  s.inlines = 1;
  s.missing = {0, 1, 2, 60, 61, 129};
  SectionTiles forward(neighbours, s.info(), plain()), backward(neighbours, s.info(), plain());
  std::map<int, Answer> answers;
  for (int x = 0; x < s.crosslines; ++x)
    if (s.is_there(x)) answers[x] = ask(forward, s, 0, x);
  for (int x = s.crosslines - 1; x >= 0; --x)
    if (s.is_there(x)) {
      ASSERT_TRUE(same(ask(backward, s, 0, x), answers[x])) << x;
    }
  // Beside the gap stands the mirror image.
  std::vector<float> three;
  for (const int x : {58, 59, 58}) three.insert(three.end(), s.trace(0, x), s.trace(0, x) + s.samples);
  const auto p = neighbours(three, 3, s.samples);
  for (int z = 0; z < s.samples; ++z) ASSERT_EQ(answers[59][size_t(s.margin + z)], p[size_t(s.samples + z)]);
}

TEST(OpendtectTiles, TheStepIsLearntFromWhatTracesShare) {
  Survey s;
  s.inlines = 1;
  s.step = 4;
  SectionTiles told(neighbours, s.info(), plain(), 4), learning(neighbours, s.info(), plain());
  EXPECT_EQ(learning.step(), 1);
  ask(learning, s, 0, 64);
  ask(learning, s, 0, 66);
  EXPECT_EQ(learning.step(), 4);
  for (int x = 0; x < s.crosslines; ++x) ASSERT_TRUE(same(ask(told, s, 0, x), ask(learning, s, 0, x))) << x;
  EXPECT_LE(learning.computed(), told.computed() + 2);
  // Even a wrong belief never gives another trace's answer.
  SectionTiles wrong(neighbours, s.info(), plain());
  std::vector<int> far{0, 65, 5, 129, 20, 90};
  for (const int x : far) {
    const Answer a = ask(wrong, s, 0, x), b = ask(told, s, 0, x);
    ASSERT_EQ(std::memcmp(a.data(), b.data(), size_t(s.samples) * sizeof(float)), 0) << x;
  }
}

TEST(OpendtectTiles, OddRequests) {
  Survey s;
  s.inlines = 2;
  std::fill_n(s.trace(0, 50), s.samples, 0.0f);
  s.trace(0, 52)[7] = NAN;
  s.trace(0, 52)[8] = std::numeric_limits<float>::infinity();
  s.trace(0, 52)[9] = 1e30f;
  SectionTiles tiles(neighbours, s.info(), plain());
  const Answer dead = ask(tiles, s, 0, 50);
  EXPECT_EQ(tiles.computed(), 0);
  const auto n = dead.size() / kOutputs;
  for (size_t i = 0; i < n; ++i) ASSERT_TRUE(dead[i] == 0 && dead[n + i] == 0 && std::isnan(dead[2 * n + i]));
  for (const int x : {51, 52, 53})
    for (const float v : ask(tiles, s, 0, x)) ASSERT_TRUE(std::isnan(v) || (v >= 0 && v <= 90));
  const Answer odd = ask(tiles, s, 0, 52);
  for (size_t i = 0; i < 2 * n; ++i) ASSERT_FALSE(std::isnan(odd[i])) << i;
  // Other numbers of samples between: one-sample slices, which see their margins, and the whole again.
  const Answer before = ask(tiles, s, 1, 70);
  for (const int slice : {0, 20, 39}) {
    const Answer a = ask(tiles, s, 1, 70, slice);
    ASSERT_EQ(a.size(), size_t(kOutputs * (1 + 2 * s.margin)));
    EXPECT_EQ(a[size_t(s.margin)], before[size_t(s.margin + slice)]);
  }
  EXPECT_TRUE(same(ask(tiles, s, 1, 70), before));
  // No samples: no answer. No neighbours: still one.
  tiles.answer({0, 0, 1, 1}, {}, {});
  for (const int stepout : {0, 1, 10, 100}) {
    s.stepout = stepout;
    SectionTiles other(neighbours, s.info(), plain());
    const Answer a = ask(other, s, 1, 70);
    ASSERT_TRUE(a[size_t(s.margin)] > 0 && a[size_t(s.margin)] < 1);
    if (stepout > 0) {
      EXPECT_EQ(a[size_t(s.margin)], before[size_t(s.margin)]);
    }
  }
  EXPECT_THROW(SectionTiles(neighbours, s.info(), plain(), 0), Error);
  // A window of several inlines and inputs: its middle, of the first input. An output more than we have: undefined.
  s.stepout = kStepOut;
  SeisInfo wide = s.info();
  wide.inlines = 3, wide.inputs = 2, wide.outputs = 4, wide.traces *= 3;
  SectionTiles middle(neighbours, wide, plain());
  const Request r = s.request(1, 70);
  std::vector<float> window(size_t(values_in(r, wide)), 3.0f), out(size_t(values_out(r, wide)));
  const std::vector<float> row = s.window(1, 70);
  std::copy(row.begin(), row.end(), window.begin() + int64_t(row.size()));
  middle.answer(r, window, out);
  EXPECT_EQ(std::memcmp(out.data(), before.data(), before.size() * sizeof(float)), 0);
  EXPECT_TRUE(std::isnan(out.back()));
}

// ---- The program itself.

class Program {
 public:
  Program(const std::vector<std::string>& arguments, const std::string& folder = "/") {
    int to[2], from[2], said[2];
    if (::pipe2(to, O_CLOEXEC) || ::pipe2(from, O_CLOEXEC) || ::pipe2(said, O_CLOEXEC)) throw Error("no pipe is left");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(to[0], 0), ::dup2(from[1], 1), ::dup2(said[1], 2);
      for (int fd = 3; fd < 256; ++fd) ::close(fd);
      if (::chdir(folder.c_str()) != 0) ::_exit(126);
      run(arguments);
    }
    ::close(to[0]), ::close(from[1]), ::close(said[1]);
    in_ = to[1], out_ = from[0], err_ = said[0];
  }
  [[noreturn]] static void run(const std::vector<std::string>& arguments) {
    std::vector<char*> argv{const_cast<char*>(testing::opendtect_program())};
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    const char* environment[] = {"IFS= \t\n", "PATH=/usr/bin:/bin:/usr/sbin:/sbin", nullptr};
    ::signal(SIGPIPE, SIG_DFL);
    ::execve(argv[0], argv.data(), const_cast<char**>(environment));
    ::_exit(127);
  }
  ~Program() {
    hang_up();
    if (pid_ > 0) ::kill(pid_, SIGKILL), ::waitpid(pid_, nullptr, 0);
    ::close(out_), ::close(err_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  void say(const void* data, size_t bytes) {
    const char* p = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t n = ::write(in_, p, bytes);
      if (n <= 0) throw Error("kern-opendtect listens no more");
      p += n, bytes -= size_t(n);
    }
  }
  void say(const Bytes& bytes) { say(bytes.data(), bytes.size()); }
  void hang_up() {
    if (in_ >= 0) ::close(in_);
    in_ = -1;
  }
  Answer hear(size_t values) {
    Answer out(values);
    size_t have = 0;
    while (have < values * sizeof(float)) {
      const ssize_t n = ::read(out_, reinterpret_cast<char*>(out.data()) + have, values * sizeof(float) - have);
      if (n <= 0) throw Error("kern-opendtect ended early");
      have += size_t(n);
    }
    return out;
  }
  testing::Result wait() {
    testing::Result r;
    auto all = [](int fd, std::string& to) {
      char buffer[4096];
      for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;) to.append(buffer, size_t(n));
    };
    all(out_, r.out), all(err_, r.err);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    if (WIFEXITED(status)) r.code = WEXITSTATUS(status);
    else r.signal = WTERMSIG(status);
    return r;
  }

 private:
  int pid_ = -1, in_ = -1, out_ = -1, err_ = -1;
};

class Opendtect : public ::testing::Test {
 protected:
  Opendtect() {
    FaultsModel m;
    m.architecture = "unet";
    m.network.channels = {4, 8};
    m.threshold = 0.3;
    set_seed(4);
    m.build();
    ::signal(SIGPIPE, SIG_IGN);
    model_ = folder_ / "model with blanks.kern";
    save_faults_model(model_, m);
    survey_.inlines = 2;
    survey_.crosslines = 90;
    survey_.samples = 33;
    survey_.fill();
  }
  static Bytes first_block(const SeisInfo& i, bool newer) {
    Bytes b = bytes_of(i.traces, i.inputs, i.outputs, i.inlines, i.crosslines, i.z_step, i.inline_distance,
                       i.crossline_distance, i.z_factor, i.dip_factor);
    if (newer)
      b = bytes_of(i.traces, i.inputs, i.outputs, i.inlines, i.crosslines, i.z_step, i.inline_distance,
                   i.crossline_distance, i.z_factor, i.dip_factor, i.samples);
    return b;
  }
  static Bytes head_of(const Request& r) { return bytes_of(r.samples, r.z0, r.inline_, r.crossline); }
  Answer ask(Program& program, int i, int x, int slice = -1) {
    const Request r = survey_.request(i, x, slice);
    const std::vector<float> window = survey_.window(i, x, slice);
    program.say(head_of(r));
    program.say(window.data(), window.size() * sizeof(float));
    return program.hear(size_t(values_out(r, survey_.info())));
  }
  std::string parameters(double threshold = 0.3) const {
    return percent_encoded(json{
        {"Threshold", {{"Type", "Number"}, {"Value", threshold}}},
        {"StepOut", {{"Value", {0, kStepOut}}}},
        {"Survey", "F3_Demo"},
        {"SurveyDiskLocation",
         "/nowhere"}}.dump());
  }
  std::string quoted() const { return '"' + model_ + '"'; }

  TemporaryFolder folder_;
  std::string model_;
  Survey survey_;
};

TEST_F(Opendtect, DescribesItselfSilentlyAndAtOnce) {
  double best = 1e9;
  std::string out;
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    Program program({quoted(), "-g"});
    const auto r = program.wait();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    out = r.out;
  }
  EXPECT_LT(best, 0.25);  // 50 ms are asked for; a machine under load, or a sanitizer, takes its time
  for (const char c : out)
    ASSERT_TRUE((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%') << out;
  const std::string plain = percent_decoded(out);
  EXPECT_FALSE(contains(plain, "\\"));
  const auto j = nlohmann::ordered_json::parse(plain);
  EXPECT_EQ(j.at("Inputs").size(), 1u);
  EXPECT_EQ(j.at("Output").size(), size_t(kOutputs));
  EXPECT_EQ(j.at("StepOut").dump(), R"({"Value":[0,63],"Hidden":true})");
  EXPECT_EQ(j.at("ZSampMargin").dump(), R"({"Value":[-32,32],"Hidden":true})");
  EXPECT_EQ(j.at("Parallel"), false);
  EXPECT_EQ(j.at("Threshold").dump(), R"({"Type":"Number","Value":0.3})");
}

TEST_F(Opendtect, AnswersAsTheLibraryDoesInAllDialects) {
  const FaultsModel loaded = load_faults_model(model_);
  std::map<std::pair<int, int>, Answer> first;
  const std::string raw = percent_decoded(parameters());
  int way = 0;
  for (const auto& [newer, argument] : std::vector<std::pair<bool, std::string>>{
           {false, parameters()}, {true, parameters()}, {true, raw}, {false, "{}"}}) {
    Program program({quoted(), "-c", argument});
    program.say(first_block(survey_.info(), newer));
    std::vector<std::pair<int, int>> order;
    for (int i = 0; i < survey_.inlines; ++i)
      for (int x = 0; x < survey_.crosslines; ++x) order.emplace_back(i, x);
    RandomSequence random(uint64_t(way), RandomStream::shuffle);
    for (size_t n = order.size(); n > 1 && way > 0; --n)
      std::swap(order[n - 1], order[size_t(random.uniform() * float(n))]);
    for (const auto& at : order) {
      const Answer a = ask(program, at.first, at.second);
      if (way == 0) first[at] = a;
      ASSERT_TRUE(same(a, first[at])) << way << " " << at.first << " " << at.second;
    }
    program.hang_up();
    const auto r = program.wait();
    EXPECT_EQ(r.code, 0);
    EXPECT_EQ(r.err, "");
    EXPECT_EQ(r.out, "");
    ++way;
  }
  float least = 1, most = 0;
  const auto n = int64_t(survey_.request(0, 0).samples);
  for (const auto& [at, a] : first)
    for (int64_t z = 0; z < survey_.samples; ++z)
      least = std::min(least, a[size_t(kMargin + z)]), most = std::max(most, a[size_t(kMargin + z)]);
  EXPECT_GE(least, 0);
  EXPECT_LE(most, 1);
  EXPECT_LT(least, most);
  EXPECT_EQ(first.begin()->second.size(), size_t(n * kOutputs));
}

TEST_F(Opendtect, TakesWhateverComes) {
  std::fill_n(survey_.trace(0, 20), survey_.samples, 0.0f);
  for (int z = 0; z < survey_.samples; ++z) survey_.trace(0, 21)[z] = NAN;
  Program program({model_, "-c", parameters()});
  program.say(first_block(survey_.info(), true));
  const Answer before = ask(program, 0, 40);
  for (const int x : {20, 21, 22}) {
    const Answer a = ask(program, 0, x);
    for (int z = 0; z < survey_.samples; ++z)
      ASSERT_TRUE(a[size_t(kMargin + z)] >= 0 && a[size_t(kMargin + z)] <= 1) << x;
  }
  for (const int slice : {0, 16, 32}) ask(program, 0, 40, slice);
  EXPECT_TRUE(same(ask(program, 0, 40), before));
  // A block of more than 2 MB.
  survey_.samples = 4100;
  survey_.fill();
  EXPECT_EQ(ask(program, 1, 45).size(), size_t(kOutputs * (4100 + 2 * kMargin)));
  survey_.samples = 33;
  survey_.fill();
  const Request nothing{0, 0, 100, 300};
  program.say(head_of(nothing));
  EXPECT_EQ(ask(program, 1, 45).size(), size_t(kOutputs * (33 + 2 * kMargin)));
  program.hang_up();
  const auto r = program.wait();
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(r.err, "");
}

TEST_F(Opendtect, EndsQuietlyWhereverTheStreamEnds) {
  const Request r = survey_.request(0, 40);
  const std::vector<float> window = survey_.window(0, 40);
  Bytes all = first_block(survey_.info(), true);
  const Bytes head = head_of(r);
  all.insert(all.end(), head.begin(), head.end());
  const auto* values = reinterpret_cast<const std::byte*>(window.data());
  all.insert(all.end(), values, values + window.size() * sizeof(float));
  for (const size_t cut :
       {size_t{0}, size_t{1}, size_t{44}, size_t{50}, size_t{60}, size_t{61}, all.size() / 2, all.size() - 1}) {
    Program program({model_, "-c", parameters()});
    program.say(all.data(), cut);
    program.hang_up();
    const auto result = program.wait();
    EXPECT_EQ(result.code, 0) << cut;
    EXPECT_EQ(result.err + result.out, "") << cut;
  }
  // Nobody hears the answer any more.
  Program program({model_, "-c", parameters()});
  program.say(all);
  program.hear(1);
}

TEST_F(Opendtect, WhatIsWrongIsSaidOnceAndAnsweredWithNan) {
  write_file(folder_ / "text.kern", "no model at all, and long enough to be one");
  for (const auto& [arguments, word] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{folder_ / "none.kern", "-c", "{}"}, "none.kern"},
           {{folder_ / "text.kern", "-c", "{}"}, "is text, not a model"},
           {{model_, "-c", parameters(7)}, "Threshold"}}) {
    Program program(arguments);
    program.say(first_block(survey_.info(), false));
    for (const int x : {40, 41})
      for (const float v : ask(program, 0, x)) ASSERT_TRUE(std::isnan(v));
    program.hang_up();
    const auto r = program.wait();
    EXPECT_EQ(r.code, 0);
    EXPECT_TRUE(contains(r.err, word)) << r.err;
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  }
  const std::string whole = read_file(model_);
  write_file(folder_ / "cut.kern", whole.substr(0, whole.size() - 100));
  for (const auto& [arguments, word, code] : std::vector<std::tuple<std::vector<std::string>, std::string, int>>{
           {{folder_ / "none.kern", "-g"}, "none.kern", 1},
           {{folder_ / "text.kern", "-g"}, "is text, not a model", 1},
           {{folder_ / "cut.kern", "-g"}, "cut short", 1},
           {{}, "usage", 2},
           {{model_}, "usage", 2},
           {{"-g"}, "usage", 2}}) {
    Program program(arguments);
    const auto r = program.wait();
    EXPECT_EQ(r.code, code);
    EXPECT_EQ(r.out, "");
    EXPECT_TRUE(contains(r.err, word)) << r.err;
  }
  // A stream that makes no sense cannot be answered.
  for (Bytes nonsense : {bytes_of(-1, 1, 3, 1, -1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1), [&] {
                           Bytes b = first_block(survey_.info(), false);
                           const Bytes r = head_of({-5, 1, 100, 300});
                           b.insert(b.end(), r.begin(), r.end());
                           return b;
                         }()}) {
    nonsense.resize(100);
    Program program({model_, "-c", parameters()});
    program.say(nonsense);
    const auto r = program.wait();
    EXPECT_EQ(r.code, 1);
    EXPECT_TRUE(contains(r.err, "OpendTect")) << r.err;
  }
}

TEST_F(Opendtect, NothingIsLeftWhenItsParentIsKilled) {
  // This process adopts it, and holds the ends of its pipes: they never close, and still it must end.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  TemporaryFolder place;
  const Request r = survey_.request(0, 40);
  const std::vector<float> window = survey_.window(0, 40);
  for (const bool midway : {false, true}) {
    int to[2], from[2], number[2];
    ASSERT_EQ(::pipe(to) + ::pipe(from) + ::pipe(number), 0);
    const int parent = ::fork();
    if (parent == 0) {
      const int child = ::fork();
      if (child == 0) {
        ::dup2(to[0], 0), ::dup2(from[1], 1);
        for (int fd = 3; fd < 256; ++fd) ::close(fd);
        if (::chdir(place.path().c_str()) != 0) ::_exit(126);
        Program::run({model_, "-c", parameters()});
      }
      if (::write(number[1], &child, sizeof child) != sizeof child) ::_exit(1);
      ::pause();
      ::_exit(0);
    }
    int child = -1;
    ASSERT_EQ(::read(number[0], &child, sizeof child), ssize_t(sizeof child));
    const Bytes first = first_block(survey_.info(), true), head = head_of(r);
    ASSERT_EQ(::write(to[1], first.data(), first.size()), ssize_t(first.size()));
    ASSERT_EQ(::write(to[1], head.data(), head.size()), ssize_t(head.size()));
    const size_t bytes = window.size() * sizeof(float);
    ASSERT_EQ(::write(to[1], window.data(), bytes), ssize_t(bytes));
    char c;
    ASSERT_EQ(::read(from[0], &c, 1), 1);  // it is at work
    if (midway) {
      ASSERT_EQ(::write(to[1], head.data(), head.size()), ssize_t(head.size()));
      ASSERT_EQ(::write(to[1], window.data(), bytes / 2), ssize_t(bytes / 2));
    }
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    int status = 0, ended = 0;
    for (int i = 0; i < 1000 && ended == 0; ++i) {
      ended = ::waitpid(child, &status, WNOHANG);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (ended == 0) ::kill(child, SIGKILL), ::waitpid(child, nullptr, 0);
    EXPECT_EQ(ended, child) << "it outlived its parent by ten seconds";
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (const int fd : {to[0], to[1], from[0], from[1], number[0], number[1]}) ::close(fd);
  }
  EXPECT_TRUE(testing::files_below(place.path()).empty());
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

// OpendTect's side once more, written apart from ours.
TEST_F(Opendtect, TheEmulatorIsContent) {
  if (std::system("python3 -c '' >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no python3 to run od_emul.py with";
  const std::string log = folder_ / "log", command = "python3 '" + testing::source_file("tests/apps/od_emul.py") +
                                                     "' '" + testing::opendtect_program() + "' '" + model_ + "' >'" +
                                                     log + "' 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << read_file(log);
}

}  // namespace
}  // namespace kern::apps::opendtect
