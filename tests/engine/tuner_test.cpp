#include "engine/tuner.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "engine/atomic_file.h"
#include "engine/autograd.h"
#include "engine/capture.h"
#include "engine/memory.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/conv_transpose2d.h"
#include "engine/ops/linear.h"
#include "kernels/common/op_list.h"
#include "kernels/common/precision.h"
#include "tests/support/log_capture.h"

namespace kern {
namespace {

// --- an op whose rows' speeds and mistakes are planted -------------------------------------------------------------

struct PlantedSpec {
  int64_t n = 1, c = 1;
  bool operator==(const PlantedSpec&) const = default;
};
struct PlantedImpl {
  const char* name;
  Device device;
  bool (*supports)(const PlantedSpec&);
  size_t (*workspace)(const PlantedSpec&);
  void (*forward)(const kernels::Exec&, const PlantedSpec&, const float* x, float* y);
  void (*backward)(const kernels::Exec&, const PlantedSpec&, const float* dy, float* dx);
};

int calls[10];  // of each row's entries

// y = 2 x, no sooner than after so many microseconds.
template <int row, int microseconds>
void twice(const kernels::Exec& exec, const PlantedSpec& g, const float* x, float* y) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(microseconds);
  ++calls[row];
  std::memset(exec.scratch, row, size_t(64 * (row + 1)));
  for (int64_t i = 0; i < g.n * g.c; ++i) y[i] = 2 * x[i];
  while (std::chrono::steady_clock::now() < end) {
  }
}
template <int row>
void wrong(const kernels::Exec&, const PlantedSpec& g, const float* x, float* y) {
  ++calls[row];
  for (int64_t i = 0; i < g.n * g.c; ++i) y[i] = i + 1 < g.n * g.c ? 2 * x[i] : x[i] + 3;
}
template <int row>
void unfinished(const kernels::Exec&, const PlantedSpec& g, const float* x, float* y) {
  ++calls[row];
  for (int64_t i = 0; i + 1 < g.n * g.c; ++i) y[i] = 2 * x[i];
}
template <int row>
size_t scratch_of(const PlantedSpec&) {
  return 64 * (row + 1);
}
// c says which rows there are: 1 all that are right, 2 the equal ones, 3 with those that are wrong; 5 and 6 are too
// much work for the reference, and in 6 the plain implementation is wrong and a library is there, in 7 the plain implementation alone is
// right.
template <int... c>
bool of(const PlantedSpec& g) {
  return ((g.c == c) || ...);
}

constexpr PlantedImpl kRows[] = {
    {"wrong", Device::cpu, of<3, 5>, scratch_of<0>, wrong<0>, wrong<0>},
    {"unfinished", Device::cpu, of<3, 5, 7>, scratch_of<1>, unfinished<1>, unfinished<1>},
    {"a", Device::cpu, of<1, 3, 5, 6>, scratch_of<2>, twice<2, 1600>, twice<2, 400>},
    {"b", Device::cpu, of<1, 3, 5, 7>, scratch_of<3>, twice<3, 400>, twice<3, 1600>},
    {"c", Device::cpu, of<2>, scratch_of<4>, twice<4, 2000>, twice<4, 2000>},
    {"d", Device::cpu, of<2>, scratch_of<5>, twice<5, 1980>, twice<5, 1980>},
    {"alone", Device::cpu, of<4>, scratch_of<6>, twice<6, 0>, twice<6, 0>},
    {"plain", Device::cpu, of<6>, scratch_of<8>, wrong<8>, wrong<8>},
    {"cudnn_planted", Device::cpu, of<6>, scratch_of<9>, twice<9, 3200>, twice<9, 3200>},
    {"reference", Device::cpu, kernels::supports_all, scratch_of<7>, twice<7, 0>, twice<7, 0>},
};
const kernels::Registry<PlantedImpl> kPlanted{"planted", kRows};

}  // namespace

template <>
struct BenchmarkCases<PlantedImpl> {
  using Spec = PlantedSpec;
  static const kernels::Registry<PlantedImpl>& registry() { return kPlanted; }
  static constexpr std::tuple entries{BenchmarkEntry{"forward", &PlantedImpl::forward},
                                      BenchmarkEntry{"backward", &PlantedImpl::backward}};
  static CaseName name(const Spec& g) { return {text("n=", g.n), text("c=", g.c)}; }
  static std::vector<BenchmarkCase<PlantedImpl>> of(const Spec& g) {
    const auto prepare = [g](auto entry) {
      return [=](BenchmarkArrays& a) -> BenchmarkCall<PlantedImpl> {
        const float* x = a.input(g.n * g.c);
        float* y = a.output(g.n * g.c);
        return {[=](const PlantedImpl& impl, const kernels::Exec& e) { (impl.*entry)(e, g, x, y); },
                {y, g.n, g.c, g.c}};
      };
    };
    const double flops = g.c >= 5 ? 1e9 : double(g.n * g.c), bytes = 8 * flops;
    return {{"forward", flops, bytes, prepare(&PlantedImpl::forward)},
            {"backward", flops, bytes, prepare(&PlantedImpl::backward)}};
  }
};

namespace {

std::vector<TunedCase> cases_in(const std::filesystem::path& file) { return TuningFile(file).cases(); }

// A cache of its own, which is read anew whenever its folder changes.
class Tuner : public ::testing::Test {
 protected:
  void SetUp() override {
    use_cache("first");
    std::fill(std::begin(calls), std::end(calls), 0);
  }
  void TearDown() override {
    set_tuning("off", Device::cpu);
    tune_op<PlantedImpl>(false, Device::cpu);
    setenv("XDG_CACHE_HOME", ::testing::TempDir().c_str(), 1);
  }
  std::filesystem::path use_cache(const std::string& name) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    const auto folder = std::filesystem::path(::testing::TempDir()) / test->name() / name;
    setenv("XDG_CACHE_HOME", folder.c_str(), 1);
    return folder / "kern" / "tuned.txt";
  }
  void tune(std::string_view setting = "on") {
    set_tuning(setting, Device::cpu);
    tune_op<PlantedImpl>(true, Device::cpu);
  }
  // The implementations that served: of forward, of backward.
  std::pair<std::string, std::string> run(const PlantedSpec& g) {
    const PlantedImpl& impl = kernels::select(kPlanted, Device::cpu, g);
    std::vector<std::byte> scratch(impl.workspace(g));
    std::vector<float> x(size_t(g.n * g.c), 1.5f), y(x.size());
    std::string served[2];
    for (int i = 0; i < 2; ++i) {
      (i ? impl.backward : impl.forward)({.scratch = scratch.data()}, g, x.data(), y.data());  // measures, if need be
      int before[10];
      std::copy(std::begin(calls), std::end(calls), before);
      (i ? impl.backward : impl.forward)({.scratch = scratch.data()}, g, x.data(), y.data());
      for (int r = 0; r < 10; ++r)
        if (calls[r] != before[r]) served[i] += kRows[r].name;
      for (const float v : y) EXPECT_EQ(v, 3);
    }
    return {served[0], served[1]};
  }
};
using Served = std::pair<std::string, std::string>;

TEST_F(Tuner, off_is_the_tables_order) {
  set_tuning("off", Device::cpu);
  EXPECT_FALSE(tuning(Device::cpu));
  EXPECT_EQ(run({100, 1}), (Served{"a", "a"}));
  EXPECT_EQ(run({100, 2}), (Served{"c", "c"}));
  EXPECT_EQ(calls[7], 0);
  EXPECT_EQ(kernels::tuned_impl<kernels::Conv2dImpl>[0], nullptr);
}

TEST_F(Tuner, each_entry_is_served_by_its_fastest_row) {
  tune();
  EXPECT_TRUE(tuning(Device::cpu));
  EXPECT_EQ(run({100, 1}), (Served{"b", "a"}));
  EXPECT_EQ(run({100, 4}), (Served{"alone", "alone"})) << "where there is no choice nothing is measured";
  bool noted = false;
  for (const auto& [op, row] : kernels::impls_used()) {
    noted |= op == "planted" && row == "b";
    EXPECT_NE(row, "tuned");
  }
  EXPECT_TRUE(noted);
  {
    const int before = calls[2] + calls[3];
    EXPECT_EQ(run({100, 1}), (Served{"b", "a"}));
    EXPECT_EQ(calls[2] + calls[3], before + 4) << "measured once";
  }
}

TEST_F(Tuner, a_tie_goes_to_the_first) {
  tune();
  EXPECT_EQ(run({100, 2}).first, "c");
}

TEST_F(Tuner, a_row_that_is_wrong_is_refused_and_named) {
  tune();
  testing::LogCapture log;
  EXPECT_EQ(run({100, 3}), (Served{"b", "a"}));
  ASSERT_EQ(log.lines.size(), 4u);
  EXPECT_TRUE(log.contains("tuning planted forward n=100 c=3: implementation wrong is off by "));
  EXPECT_TRUE(log.contains(
      "implementation unfinished is off by inf of the largest value from implementation reference; it does not serve"));
}

// The table's first implementation once the oracle where the reference was too slow, and so on a GPU always: had it been wrong there,
// it would have refused all that were right.
TEST_F(Tuner, the_plain_row_is_the_oracle_where_the_reference_is_too_slow) {
  tune();
  testing::LogCapture log;
  EXPECT_EQ(run({100, 5}), (Served{"b", "a"}));
  EXPECT_TRUE(log.contains("planted forward n=100 c=5: implementation wrong is off by ")) << log.lines.front();
  EXPECT_TRUE(log.contains(
      "implementation unfinished is off by inf of the largest value from implementation b; it does not serve"));
  EXPECT_EQ(calls[7], 0) << "the reference";
  EXPECT_EQ(run({100, 7}), (Served{"b", "b"})) << "against a row that it alone contradicts";
}

TEST_F(Tuner, two_rows_that_have_nothing_in_common_check_the_plain_one) {
  tune();
  testing::LogCapture log;
  EXPECT_EQ(run({100, 6}), (Served{"a", "a"}));
  ASSERT_EQ(log.lines.size(), 2u);
  EXPECT_TRUE(log.contains("implementation plain is off by ")) << log.lines.front();
  EXPECT_TRUE(log.contains("of the largest value from implementation cudnn_planted; it does not serve"))
      << log.lines.front();
}

TEST_F(Tuner, what_was_measured_is_found_by_the_next_process) {
  const auto file = use_cache("kept");
  tune();
  run({100, 1});
  const std::string kept = read_file(file);
  const TuningFile read(file);
  ASSERT_EQ(read.cases().size(), 2u);
  const TunedCase forward = read.cases()[0];
  EXPECT_EQ(forward.entry, "planted forward");
  EXPECT_EQ(forward.spec, "n=100 c=1");
  EXPECT_EQ(forward.impl, "b");
  EXPECT_EQ(forward.impls, "a,b");
  EXPECT_EQ(forward.precision, "f32");
  EXPECT_GE(forward.microseconds, 100);
  EXPECT_EQ(forward.kernels, kernels::kernels_id());
  EXPECT_EQ(line_of(forward) + line_of(read.cases()[1]), kept);

  // Another cache says otherwise, for this machine, for another, for another build and for other implementations.
  const auto other = use_cache("other");
  TuningFile lines(other);
  TunedCase c = forward;
  c.impl = "b", c.machine = "cpu: another", lines.add(c);
  c = forward, c.impl = "b", c.kernels = "00000000", lines.add(c);
  c = forward, c.impl = "b", c.impls = "b", lines.add(c);
  c = forward, c.impl = "a", lines.add(c);
  c = forward, c.impl = "b", lines.add(c);
  c = read.cases()[1], c.impl = "gone", lines.add(c);
  tune();
  EXPECT_EQ(run({100, 1}), (Served{"a", "a"})) << "the first line holds; a row that is gone is measured again";
  EXPECT_EQ(tuned_cases().size(), 3u);  // of this machine and build, one for a case

  use_cache("kept");
  tune();
  const int before = calls[2] + calls[3];
  EXPECT_EQ(run({100, 1}), (Served{"b", "a"}));
  EXPECT_EQ(calls[2] + calls[3], before + 4);
  EXPECT_EQ(read_file(file), kept);
}

TEST_F(Tuner, broken_lines_are_named_once_and_passed_over) {
  const auto file = use_cache("broken");
  const TunedCase whole{"planted forward", "n=100 c=1", "a",         812.44, "f32", "a,b",
                        "cpu: x | y",      "3fa94c12",  "2026-11-21"};
  const std::string line = line_of(whole);
  EXPECT_EQ(line, "planted forward | n=100 c=1 | a | 812.4 us | f32 | a,b | cpu: x / y | 3fa94c12 | 2026-11-21\n");
  for (size_t n = 0; n + 1 < line.size(); ++n) EXPECT_FALSE(tuned_case_of(line.substr(0, n))) << n;
  for (const char* bad :
       {"", "|", " | | | | | | | | ", "a | b | c | x us | e | f | g | h | 2026-11-21",
        "a | b | c | inf us | e | f | g | h | 2026-11-21", "a | b | c | 1 us | e | f | g | h | today"})
    EXPECT_FALSE(tuned_case_of(bad)) << bad;
  make_folder(file.parent_path());
  std::ofstream(file, std::ios::binary) << "\xff\xfe nonsense\n\n"
                                        << line << line.substr(0, 30) << "\n"
                                        << line.substr(0, 40);
  testing::LogCapture log;
  TuningFile read(file);
  EXPECT_EQ(read.cases().size(), 1u);
  EXPECT_EQ(
      log.lines,
      (std::vector<std::string>{text("tuning: line 1 of ", file.string(), " is broken, and 2 more: passed over")}));
  read.add(whole);  // behind the one that was cut short
  EXPECT_EQ(cases_in(file).size(), 2u);
}

TEST_F(Tuner, processes_add_lines_at_a_time) {
  const auto file = use_cache("shared");
  std::vector<pid_t> children;
  for (int p = 0; p < 4; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      TuningFile mine(file);
      for (int i = 0; i < 200; ++i)
        mine.add({text("op", p), text("n=", i), "row", 1, "f32", std::string(size_t(50 + 13 * p), 'r'), "cpu: m", "id",
                  "2026-11-21"});
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) waitpid(child, nullptr, 0);
  int of[4] = {};
  for (const TunedCase& c : cases_in(file)) {
    const int p = c.entry.back() - '0';
    ASSERT_TRUE(p >= 0 && p < 4);
    EXPECT_EQ(c.spec, text("n=", of[p]++));
  }
  for (const int n : of) EXPECT_EQ(n, 200);
}

TEST_F(Tuner, goes_on_where_nothing_can_be_kept) {
  const auto file = use_cache("unwritable");
  make_folder(file.parent_path().parent_path());
  std::ofstream(file.parent_path()) << "a file where the folder should be";
  testing::LogCapture log;
  tune();
  EXPECT_EQ(run({100, 1}), (Served{"b", "a"}));
  EXPECT_EQ(run({50, 1}), (Served{"b", "a"}));
  ASSERT_EQ(log.lines.size(), 1u);
  EXPECT_TRUE(log.contains("cannot be kept in " + file.string()));
  tune();
  const int before = calls[2] + calls[3];
  EXPECT_EQ(run({100, 1}), (Served{"b", "a"}));
  EXPECT_EQ(calls[2] + calls[3], before + 4) << "this process remembers";
}

TEST_F(Tuner, a_resumed_training_keeps_its_choices) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "tuned_run";
  make_folder(folder);
  const auto file = folder / "tuned.txt";
  tune();
  keep_tuned_choices(file, Device::cpu);
  EXPECT_EQ(run({100, 1}), (Served{"b", "a"}));
  const std::string kept = read_file(file);
  ASSERT_EQ(cases_in(file).size(), 2u);

  // The cache has changed its mind.
  TuningFile lines(use_cache("contrary"));
  for (TunedCase c : cases_in(file)) c.impl = c.impl == "a" ? "b" : "a", lines.add(c);
  tune();
  EXPECT_EQ(run({100, 1}), (Served{"a", "b"}));
  tune();
  keep_tuned_choices(file, Device::cpu);
  EXPECT_EQ(run({100, 1}), (Served{"b", "a"}));
  EXPECT_EQ(read_file(file), kept) << "what is there is not written again";
  // And without tuning.
  set_tuning("off", Device::cpu);
  keep_tuned_choices(file, Device::cpu);
  tune_op<PlantedImpl>(true, Device::cpu);
  EXPECT_EQ(run({100, 1}), (Served{"b", "a"}));
  EXPECT_EQ(run({30, 1}), (Served{"a", "a"})) << "a case that was not met before takes the table's order, for good";
  EXPECT_EQ(cases_in(file).size(), 4u);

  // A row that this build has no longer.
  std::ofstream(file) << line_of(
      {"planted forward", "n=100 c=1", "gone", 1, "f32", "gone", "cpu: m", "id", "2026-11-21"});
  tune();
  keep_tuned_choices(file, Device::cpu);
  testing::LogCapture log;
  EXPECT_EQ(run({100, 1}), (Served{"a", "b"}));
  EXPECT_TRUE(log.contains(
      "the training chose implementation gone for planted forward n=100 c=1, which is not to be had here"));
}

TEST_F(Tuner, measures_some_sizes_of_a_layer_and_no_more) {
  const auto file = use_cache("sizes");
  tune();
  for (int n = 1; n <= 20; ++n) run({n, 1});
  EXPECT_EQ(cases_in(file).size(), 32u) << "16 of forward, 16 of backward";
  EXPECT_EQ(run({20, 1}), (Served{"a", "a"}));
  EXPECT_EQ(run({3, 1}), (Served{"b", "a"}));
}

TEST_F(Tuner, nothing_is_measured_for_empty_work) {
  const auto file = use_cache("empty");
  tune();
  const PlantedSpec g{0, 1};
  const PlantedImpl& impl = kernels::select(kPlanted, Device::cpu, g);
  std::vector<std::byte> scratch(impl.workspace(g));
  impl.forward({.scratch = scratch.data()}, g, nullptr, nullptr);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(Tuner, a_preferred_row_goes_before) {
  tune();
  const kernels::PreferImpl conv("conv2d=reference");
  EXPECT_EQ(std::string_view(kernels::select(kernels::conv2d_registry(), Device::cpu, kernels::Conv2dSpec{}).name),
            "reference");
}

TEST_F(Tuner, settings_are_checked) {
  const auto sentence = [](std::string_view setting) -> std::string {
    try {
      set_tuning(setting, Device::cpu);
    } catch (const Error& e) {
      return e.sentence();
    }
    return "accepted";
  };
  EXPECT_EQ(sentence("maybe"), "tune=maybe: use auto, off, on, or only: with ops, as only:conv2d,linear");
  EXPECT_EQ(sentence("only:relu"),
            "tune=only:relu: 'relu' is no op that can be tuned; those are conv2d, conv_transpose2d, linear");
  EXPECT_EQ(sentence("only:"), "tune=only:: '' is no op that can be tuned; those are conv2d, conv_transpose2d, linear");
  EXPECT_EQ(sentence("only:linear,conv2d"), "accepted");
  EXPECT_TRUE(detail::tunes("linear", Device::cpu));
  EXPECT_FALSE(detail::tunes("conv_transpose2d", Device::cpu));
  EXPECT_EQ(kernels::tuned_impl<kernels::ConvTranspose2dImpl>[0], nullptr);
  EXPECT_NE(kernels::tuned_impl<kernels::LinearImpl>[0], nullptr);
  EXPECT_EQ(sentence("auto"), "accepted");
  EXPECT_FALSE(tuning(Device::cpu)) << "KERN_TUNE is off in tests";
  setenv("KERN_TUNE", "on", 1);
  EXPECT_EQ(sentence("auto"), "accepted");
  EXPECT_TRUE(tuning(Device::cpu));
  setenv("KERN_TUNE", "yes", 1);
  EXPECT_THROW(check_tuning(), Error);
  setenv("KERN_TUNE", "off", 1);
}

// --- the ops themselves --------------------------------------------------------------------------------------------

Tensor random(const Shape& shape, Device device, float at = 0) {
  Tensor t = Tensor::empty(shape);
  float* p = t.mutate();
  for (int64_t i = 0; i < t.size(); ++i) p[i] = float(std::sin(double(i) * 1.7 + double(at)));
  return t.to(device);
}

// A convolution, one transposed, and a product: results and gradients. Small on an emulated GPU.
std::vector<float> small_network(Device device) {
  const int64_t side = device == Device::cpu ? 12 : 4, k = device == Device::cpu ? 32 : 16;
  Tensor x = random({2, side, side, 16}, device), w = random({16, 3, 3, 16}, device, 1),
         up = random({16, 2, 2, k}, device, 2), b = random({k}, device, 3), v = random({32, k}, device, 4);
  for (Tensor* t : {&x, &w, &up, &b, &v}) t->require_grad();
  const Tensor y = linear(conv_transpose2d(conv2d(x, w, {}, {.padding = 1}), up, b, {.stride = 2}), v);
  backward(y, random(y.shape(), device, 5));
  std::vector<float> all = y.values();
  for (const Tensor* t : {&x, &w, &up, &b, &v}) {
    const auto g = t->grad().values();
    all.insert(all.end(), g.begin(), g.end());
  }
  return all;
}

void expect_tuned_as_untuned(Device device, const std::filesystem::path& file) {
  const std::vector<float> plain = small_network(device);
  set_tuning("on", device);
  reset_peak_memory(device);
  const std::vector<float> first = small_network(device), second = small_network(device);
  const auto peak = memory_counters(device).peak;
  set_tuning("on", device);
  const std::vector<float> third = small_network(device);
  EXPECT_EQ(first, second);
  EXPECT_EQ(first, third);
  EXPECT_EQ(memory_counters(device).peak, peak) << "what measuring takes is none of a step's";
  ASSERT_EQ(first.size(), plain.size());
  double largest = 0;
  for (const float v : plain) largest = std::max(largest, std::abs(double(v)));
  for (size_t i = 0; i < plain.size(); ++i) ASSERT_TRUE(std::abs(first[i] - plain[i]) <= 1e-5 * largest) << i;
  std::set<std::string> entries;
  for (const TunedCase& c : cases_in(file)) entries.insert(c.entry);
  for (const char* entry : {"conv2d forward", "conv2d backward_data", "conv2d backward_weight"})
    EXPECT_TRUE(entries.count(entry)) << entry;
  EXPECT_TRUE(entries.count(device == Device::cuda ? "conv_transpose2d forward" : "linear backward_weight"));
}

TEST_F(Tuner, ops_give_the_same_tuned_or_not) { expect_tuned_as_untuned(Device::cpu, use_cache("ops")); }

TEST_F(Tuner, ops_give_the_same_on_a_gpu) {
  if (!gpu_available()) GTEST_SKIP() << "no GPU";
  expect_tuned_as_untuned(Device::cuda, use_cache("gpu"));
  set_tuning("off", Device::cuda);
}

TEST_F(Tuner, values_kept_as_bf16_are_tuned_by_themselves) {
  if (!gpu_available()) GTEST_SKIP() << "no GPU";
  const auto file = use_cache("bf16");
  kernels::set_precision(kernels::Precision::bf16);
  const std::vector<float> plain = small_network(Device::cuda);
  set_tuning("on", Device::cuda);
  const std::vector<float> first = small_network(Device::cuda), second = small_network(Device::cuda);
  set_tuning("off", Device::cuda);
  kernels::set_precision(kernels::Precision::f32);
  EXPECT_EQ(first, second);
  ASSERT_EQ(first.size(), plain.size());
  double largest = 0;
  for (const float v : plain) largest = std::max(largest, std::abs(double(v)));
  for (size_t i = 0; i < plain.size(); ++i) ASSERT_TRUE(std::abs(first[i] - plain[i]) <= 2e-2 * largest) << i;
  std::map<std::string, std::string> rows;
  for (const TunedCase& c : cases_in(file))
    if (c.spec.ends_with("kept=bf16")) rows[c.entry] = c.impls;
  for (const char* entry : {"conv2d forward", "conv2d backward_data", "conv2d backward_weight",
                            "conv_transpose2d forward", "conv_transpose2d backward_weight"})
    EXPECT_NE(rows[entry].find("bf16"), std::string::npos) << entry << ": " << rows[entry];
}

TEST_F(Tuner, a_step_is_measured_before_it_is_recorded) {
  if (!gpu_available()) GTEST_SKIP() << "no GPU";
  const auto file = use_cache("graph");
  set_tuning("on", Device::cuda);
  const NoGrad off;
  const Tensor w = random({16, 3, 3, 16}, Device::cuda), x = random({1, 8, 8, 16}, Device::cuda);
  StepGraphs graphs(Device::cuda);
  std::vector<float> results[3];
  for (auto& r : results)
    r = graphs
            .run({x},
                 [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
                   return {conv2d(in[0], w, {}, {.padding = 1})};
                 })[0]
            .values();
  EXPECT_EQ(graphs.last(), StepGraphs::Last::replayed);
  EXPECT_EQ(cases_in(file).size(), 1u);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
  const Tensor unseen = random({1, 8, 9, 16}, Device::cuda);
  EXPECT_THROW(CudaGraph([&] { conv2d(unseen, w, {}, {.padding = 1}); }), InternalError);
  set_tuning("off", Device::cuda);
}

}  // namespace
}  // namespace kern
