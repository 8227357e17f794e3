// kern faults predict on real and awkward SEG-Y files: every one that can be read is predicted, and its headers stay.
#include <sys/wait.h>

#include <cstdlib>
#include <sstream>

#include "kernels/common/sanitizer.h"
#include "tests/apps/faults_run.h"
#include "tests/support/source_files.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

// Under AddressSanitizer all of them take minutes.
constexpr const char* kFolder = kAddressSanitizer ? "../shared/data/segy/obspy_segy" : "../shared/data/segy";
constexpr size_t kMin = kAddressSanitizer ? 2 : 130;
const fs::path kShared = testing::source_file(kFolder);

struct Pair {
  fs::path from, to;
};

// Files below a folder with their predictions.
std::vector<Pair> predicted(const fs::path& data, const fs::path& out) {
  std::vector<Pair> pairs;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    if (entry.path().filename() != "faults.sgy") continue;
    const fs::path place = entry.path().parent_path().lexically_relative(out);
    fs::path from = data / place;  // a.sgy beside a.segy: the folder has the whole name
    for (const char* end : {".sgy", ".segy", ".SGY", ".SEGY"})
      if (!fs::is_regular_file(from)) from = data / (place.string() + end);
    EXPECT_TRUE(fs::is_regular_file(from)) << entry.path() << " is of no file";
    pairs.push_back({from, entry.path()});
  }
  return pairs;
}

TEST(FaultsReal, EveryFileIsPredictedOrNamedAndKeepsItsHeaders) {
  if (!fs::exists(kShared)) GTEST_SKIP() << kShared << " is not there";
  const TemporaryFolder folder;
  run_well(train_faults(folder / "model", {"epochs=1", "sections=4"}));
  const Result r = run(
      {"faults", "predict", kShared.string(), "model=" + (folder / "model"), "out=" + (folder / "out"), "quiet=true"});
  EXPECT_TRUE(r.code == 0 || r.code == 1) << r.err;  // 1: some could not be used
  if (r.code == 1) {
    EXPECT_TRUE(contains(r.err, "skipped: ")) << r.err;
  }
  const std::vector<Pair> pairs = predicted(kShared, folder / "out");
  EXPECT_GE(pairs.size(), kMin);
  for (const Pair& p : pairs) {
    SCOPED_TRACE(p.from.string());
    expect_equal_headers(p.from.string(), p.to.string());
  }

  const char* python = std::getenv("KERN_PYTHON");
  if (!python) GTEST_SKIP() << "KERN_PYTHON names no Python with segyio: it has not been asked";
  std::string command = std::string("'") + python + "' '" + testing::source_file("tests/apps/segyio_headers.py") + "'";
  for (const Pair& p : pairs) command += " '" + p.from.string() + "' '" + p.to.string() + "'";
  const int status = std::system((command + " > '" + (folder / "answer.txt") + "'").c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << python << " has no segyio";
  ASSERT_EQ(status, 0);
  std::istringstream lines(read_file(folder / "answer.txt"));
  size_t same = 0;
  for (const Pair& p : pairs) {
    std::string line;
    std::getline(lines, line);
    // segyio counts text headers and samples otherwise where these contradict themselves.
    if (p.from.filename() == "stanzas-unknown-count.sgy" || p.from.filename() == "increment.sgy") continue;
    EXPECT_TRUE(line == "same" || line == "refused") << p.from << ": " << line;
    same += line == "same";
  }
  EXPECT_GE(same, kMin * 9 / 10);
}

}  // namespace
}  // namespace kern::testing
