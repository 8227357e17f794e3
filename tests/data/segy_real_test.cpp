// Real and awkward files, and segyio as the second opinion (KERN_PYTHON names a Python that has it).
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "data/segy_inspect.h"
#include "data/segy_write.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "tests/support/source_files.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;

const fs::path kSharedSegy = testing::source_file("../shared/data/segy");

std::vector<fs::path> real_files() {
  std::vector<fs::path> files;
  if (!fs::exists(kSharedSegy)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(kSharedSegy)) {
    const std::string name = entry.path().filename().string();
    const std::string end = entry.path().extension().string();
    if (entry.is_regular_file() && (end == ".sgy" || end == ".su" || end == ".trace" || name.ends_with("_first_trace")))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The files that cannot be read, and why.
struct Refusal {
  const char* name;
  const char* words;
};
constexpr Refusal kRefused[] = {
    {"1.su_first_trace", "looks like Seismic Un*x data of 8000 samples"},
    {"one_trace_year_11.su", "looks like Seismic Un*x data of 8000 samples"},
    {"one_trace_year_99.su", "looks like Seismic Un*x data of 8000 samples"},
    {"small.su", "looks like Seismic Un*x data of 50 samples"},
    {"small-lsb.su", "looks like Seismic Un*x data of 50 samples"},
    {"trace_il1190_xl1155.trace", "which stands for no sample format"},
    {"text.sgy", "holds no trace: the file ends after its headers"},
    {"decrement.sgy", "holds no whole trace"},
    {"decrement-lsb.sgy", "holds no whole trace"},
};

TEST(SegyReal, every_file_is_read_or_refused_in_a_sentence) {
  const std::vector<fs::path> files = real_files();
  if (files.empty()) GTEST_SKIP() << kSharedSegy << " is not there";
  for (const fs::path& path : files) {
    const auto refused = std::find_if(std::begin(kRefused), std::end(kRefused),
                                      [&](const Refusal& r) { return path.filename() == r.name; });
    try {
      const SegyFile file(path);
      const SegySummary summary = inspect_segy(file, SegyGeometry(file));
      EXPECT_EQ(refused, std::end(kRefused)) << path;
      EXPECT_EQ(summary.spectrum.frequency.size(), summary.spectrum.amplitude.size());
    } catch (const Error& e) {
      ASSERT_NE(refused, std::end(kRefused)) << e.what();
      EXPECT_NE(e.sentence().find(refused->words), std::string::npos) << e.sentence();
    }
  }
}

// Headers of a copy are the original's, but for the format code and bytes 169-170; its samples read the same.
TEST(SegyReal, copies_keep_every_header) {
  const std::vector<fs::path> files = real_files();
  if (files.empty()) GTEST_SKIP() << kSharedSegy << " is not there";
  const fs::path to = fs::path(::testing::TempDir()) / "copy.sgy";
  int copied = 0;
  for (const fs::path& path : files) {
    if (std::any_of(std::begin(kRefused), std::end(kRefused),
                    [&](const Refusal& r) { return path.filename() == r.name; }))
      continue;
    const SegyFile file(path);
    std::vector<float> trace(size_t(file.samples())), again(trace.size());
    {
      SegyWriter writer(to, file);
      for (int64_t t = 0; t < file.traces(); ++t) file.read_trace(t, trace), writer.write_trace(t, trace);
      writer.commit();
    }
    std::string before = read_file(path), after = read_file(to);
    before.resize(size_t(file.layout().data_start));
    for (std::string* s : {&before, &after}) (*s)[3224] = (*s)[3225] = 0;
    EXPECT_EQ(before, after.substr(0, before.size())) << path;
    const SegyFile copy(to);
    ASSERT_EQ(copy.traces(), file.traces()) << path;
    for (int64_t t = 0; t < file.traces(); ++t) {
      SegyTraceHeader a = file.trace_header(t);
      a[168] = a[169] = std::byte(0);
      EXPECT_EQ(a, copy.trace_header(t)) << path << " trace " << t;
      file.read_trace(t, trace), copy.read_trace(t, again);
      for (size_t i = 0; i < trace.size(); ++i)
        ASSERT_TRUE(trace[i] == again[i] || (std::isnan(trace[i]) && std::isnan(again[i])) ||
                    std::abs(trace[i] - again[i]) <= 1e-6f * std::abs(trace[i]))
            << path << " trace " << t << " sample " << i << ": " << trace[i] << " and " << again[i];
    }
    ++copied;
  }
  EXPECT_GT(copied, 100);
}

TEST(SegyReal, segyio_reads_the_same) {
  const char* python = std::getenv("KERN_PYTHON");
  if (!python) GTEST_SKIP() << "KERN_PYTHON names no Python with segyio";
  std::vector<fs::path> files;
  for (const fs::path& path : real_files()) {
    // What segyio takes for something else: no counts in the header, unknown formats read as IBM, revision 2 by claims
    // that are not there, files that it does not know where to begin.
    const std::string name = path.filename().string();
    const bool known = name.ends_with(".sgy") && !name.starts_with("mapping") && !name.starts_with("trace-header") &&
                       !name.starts_with("stanzas") && !name.starts_with("increment") &&
                       name.find("mat7") == name.npos && name.find("mat15") == name.npos &&
                       name.find("mat4") == name.npos;
    if (known &&
        std::none_of(std::begin(kRefused), std::end(kRefused), [&](const Refusal& r) { return name == r.name; }))
      files.push_back(path);
  }
  // What we write ourselves, from nothing and as copies.
  const fs::path folder = fs::path(::testing::TempDir()) / "segyio";
  make_folder(folder);
  const SegyGrid grid{.inlines = {.count = 3}, .crosslines = {.first = 20, .count = 4}, .samples = 50};
  for (const SegyFormat format : {SegyFormat::float32, SegyFormat::ibm_float32}) {
    files.push_back(folder / (std::string("new_") + (format == SegyFormat::float32 ? "5" : "1") + ".sgy"));
    SegyWriter writer(files.back(), grid, format);
    for (int64_t t = 0; t < 12; ++t) writer.write_trace(t, std::vector<float>(50, float(t) - 0.5f));
    writer.commit();
  }
  std::string command = std::string("'") + python + "' '" + testing::source_file("tests/data/segy_check.py") + "'";
  for (const fs::path& path : files) command += " '" + path.string() + "'";
  const fs::path answer = folder / "answer.txt";
  const int status = std::system((command + " > '" + answer.string() + "'").c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << python << " has no segyio";
  ASSERT_EQ(status, 0);
  std::istringstream lines(read_file(answer));
  int compared = 0;
  for (const fs::path& path : files) {
    std::string line;
    std::getline(lines, line);
    if (line == "refused") continue;
    std::istringstream words(line);
    int64_t traces = 0, samples = 0;
    std::string first, last;
    words >> traces >> samples >> first >> last;
    const SegyFile file(path);
    EXPECT_EQ(file.traces(), traces) << path;
    EXPECT_EQ(file.samples(), samples) << path;
    if (file.traces() != traces || file.samples() != samples) continue;
    const std::string* sums[] = {&first, &last};
    for (const bool end : {false, true}) {
      std::vector<float> trace(static_cast<size_t>(samples));
      file.read_trace(end ? traces - 1 : 0, trace);
      double sum = 0, size = 0;
      for (const float v : trace) sum += double(v), size += std::abs(double(v));
      EXPECT_TRUE(std::abs(sum - std::stod(*sums[end])) <= 1e-5 * size) << path << ": " << sum << ", " << *sums[end];
    }
    ++compared;
  }
  EXPECT_GE(compared, files.size() > 2 ? 90 : 2);
}

}  // namespace
}  // namespace kern::data
