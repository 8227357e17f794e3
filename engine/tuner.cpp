#include "engine/tuner.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <set>

#include "engine/gpu.h"
#include "engine/processor.h"
#include "engine/stopwatch.h"
#include "kernels/common/cuda_libraries.h"
#include "kernels/common/late_sums.h"
#include "kernels/common/log.h"
#include "kernels/common/op_list.h"
#include "kernels/common/parallel.h"
#include "kernels/common/precision.h"

namespace kern {
namespace {

// --- what is tuned -------------------------------------------------------------------------------------------------

struct Setting {
  bool automatic = false, on = false;
  std::vector<std::string> only;  // empty: all
};

Setting parse(std::string_view where, std::string_view word, SourceLocation at) {
  if (word == "auto") return {.automatic = true};
  if (word == "off") return {};
  if (word == "on") return {.on = true};
  constexpr std::string_view kOnly = "only:";
  check({word.starts_with(kOnly), at}, where, "=", word,
        ": use auto, off, on, or only: with ops, as only:conv2d,linear");
  Setting s{.on = true};
  for (std::string_view rest = word.substr(kOnly.size()); s.only.empty() || !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    s.only.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(rest.size(), comma + 1));
    const auto known = tuned_ops();
    std::string names;
    for (const std::string& op : known) names += (names.empty() ? "" : ", ") + op;
    check({std::find(known.begin(), known.end(), s.only.back()) != known.end(), at}, where, "=", word, ": '",
          s.only.back(), "' is no op that can be tuned; those are ", names);
  }
  return s;
}
Setting of_environment(SourceLocation at) {
  const char* value = std::getenv("KERN_TUNE");
  return parse("KERN_TUNE", value ? value : "auto", at);
}

struct State {
  std::mutex mutex;  // of all below; measuring does not hold it
  Setting settings[2];
  std::map<std::string, int, std::less<>> chosen;  // case_key(): a row of the table
  // What was measured, by everything it holds for: of the cache's file and of this process.
  std::optional<TuningFile> cache;
  std::map<std::string, TunedCase, std::less<>> measured;
  // Of a training: the rows of the cases that its file holds.
  std::optional<TuningFile> run;
  std::map<std::string, std::string, std::less<>> of_run;
  std::map<std::string, int, std::less<>> sizes;  // of a layer that were measured by this process
  std::set<std::string, std::less<>> said;
};
State& state() {
  static State& only = *new State;
  return only;
}
// One measures at a time, and what is measured may call an op that is measured first: linear by way of conv2d.
std::recursive_mutex& measuring() {
  static std::recursive_mutex& only = *new std::recursive_mutex;
  return only;
}
bool first_time(std::string_view what) {
  std::lock_guard lock(state().mutex);
  return state().said.emplace(what).second;
}

// --- what a measurement holds for ----------------------------------------------------------------------------------

std::string machine_of(Device device) {
  if (device == Device::cpu) {
    static const std::string processor = text("cpu: ", processor_name(), ", ", simd_targets(), ", threads ");
    return processor + text(thread_count());
  }
  static const std::string gpu = [] {
    const GpuInfo c = gpu_info();
    std::string all = text("cuda: ", c.name, ", sm_", c.major, c.minor, ", driver ", c.driver, ", runtime ", c.runtime);
    for (const kernels::CudaLibrary& library : kernels::cuda_libraries())
      all += text(", ", library.name, " ", library.found.substr(0, library.found.find_first_of(" :")));
    return all;
  }();
  return gpu;
}
kernels::Precision precision_of(Device device) {
  return device == Device::cuda ? kernels::precision() : kernels::Precision::f32;
}
// How far two rows' results may lie apart, as a share of the largest value: what rounded factors do, with room.
double allowed_difference(kernels::Precision p) {
  return p == kernels::Precision::f32 ? 1e-3 : p == kernels::Precision::tf32 ? 2e-2 : 5e-2;
}
std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm day{};
  gmtime_r(&now, &day);
  char out[16];
  std::strftime(out, sizeof out, "%Y-%m-%d", &day);
  return out;
}
std::string key_of(const TunedCase& c) {
  return text(c.entry, "|", c.spec, "|", c.precision, "|", c.rows, "|", c.machine, "|", c.kernels);
}
// Of a training: it may go on on another machine, with other rows beside those that it chose.
std::string run_key(const TunedCase& c) {
  return text(c.entry, "|", c.spec, "|", c.precision, "|", c.machine.substr(0, c.machine.find(':')));
}

// --- measuring -----------------------------------------------------------------------------------------------------

constexpr size_t kBeyondCaches = 64 << 20, kMaxSets = 8;  // bytes of all sets of arrays, where few sets do
constexpr double kQuick = 2e7;  // operations that the reference may take: a few hundredths of a second
constexpr int kMaxReplays = 10, kMinReplays = 3;
constexpr double kEnough = 300;    // milliseconds of one row's replays
constexpr double kTie = 1.03;      // a smaller advantage is none
constexpr double kHopeless = 2.5;  // times the best of the warm-ups: not replayed
constexpr int kMaxSizes = 16;      // of one layer

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return (v[(v.size() - 1) / 2] + v[v.size() / 2]) / 2;
}

struct Measured {
  size_t row = 0;
  double microseconds = 0;
};

// Rows whose results are right, in the table's order; the others are named. The judge is the reference where it is
// quick and on this device; else the plain row: the last of our own in the table, which are listed the most special
// first. It is simple, but it is not believed against all others when two of these agree that have nothing in common,
// ours and a library's. Only one array at a time is kept beside a result.
std::vector<size_t> right_rows(const detail::Contest& c, const std::string& what, const detail::Contest::Run& run,
                               const kernels::Exec& exec) {
  const double allowed = allowed_difference(precision_of(c.device));
  const auto ours = [&](size_t row) { return !c.rows[row].starts_with("cudnn") && !c.rows[row].starts_with("cublas"); };
  const auto compute = [&](size_t row) {
    const TrialOutput& out = run.out;
    set_bytes(c.device, const_cast<void*>(out.data), 0xff,
              size_t((out.rows - 1) * out.pitch + out.columns) * size_of(out.type));
    run.call(row, exec);
  };
  std::vector<double> off(c.rows.size());
  const auto judge_by = [&](size_t judge) {
    compute(judge);
    TrialArrays arrays(c.device);
    const TrialOutput expected = copy_of(run.out, c.device, arrays);
    for (size_t row = 0; row < c.rows.size(); ++row) {
      compute(row);
      off[row] = largest_share(run.out, expected, c.device);
    }
  };
  const auto right = [&](size_t row) { return off[row] <= allowed; };
  const auto agreeing = [&] {
    std::vector<size_t> rows;
    for (size_t row = 0; row < c.rows.size(); ++row)
      if (right(row)) rows.push_back(row);
    return rows;
  };

  size_t judge = c.rows.size();  // the reference
  if (!c.has_reference || c.flops > kQuick) {
    judge = c.rows.size() - 1;
    while (judge > 0 && !ours(judge)) --judge;
  }
  judge_by(judge);
  if (judge < c.rows.size() && agreeing().size() < 2 && c.rows.size() > 2) {
    const size_t plain = judge;
    const std::vector<double> by_plain = off;
    const auto witness = [&](size_t library) {
      if (ours(library)) return false;
      judge_by(library);
      for (size_t row = 0; row < c.rows.size(); ++row)
        if (ours(row) && row != plain && right(library) && right(row)) return true;
      return false;
    };
    judge = 0;
    while (judge < c.rows.size() && !witness(judge)) ++judge;
    if (judge == c.rows.size()) judge = plain, off = by_plain;
  }
  for (size_t row = 0; row < c.rows.size(); ++row)
    if (!right(row))
      warn("tuning ", what, ": row ", c.rows[row], " is off by ", off[row], " of the largest value",
           judge == row ? std::string() : text(" from row ", judge < c.rows.size() ? c.rows[judge] : "reference"),
           "; it does not serve");
  const std::vector<size_t> rows = agreeing();
  if (rows.empty()) warn("tuning ", what, ": no row is right; the first of the table serves");
  return rows;
}

Measured measure(const detail::Contest& c, const std::string& what) {
  internal_check(!recording(), what, " is met for the first time while a step is being recorded");
  TrialArrays scratch(c.device);
  const kernels::Exec exec{.scratch = scratch.bytes(c.scratch)};
  std::deque<TrialArrays> sets;
  std::vector<detail::Contest::Run> runs;
  runs.push_back(c.prepare(sets.emplace_back(c.device)));
  const bool emulated = c.device == Device::cuda && gpu_info().emulated;  // it has no caches
  const size_t most = emulated ? 1 : std::clamp<size_t>(kBeyondCaches / sets[0].taken(), 1, kMaxSets);
  try {
    while (runs.size() < most) runs.push_back(c.prepare(sets.emplace_back(c.device)));
  } catch (const std::bad_alloc&) {  // fewer will do
  }

  const std::vector<size_t> right = right_rows(c, what, runs[0], exec);
  if (right.empty()) return {};

  // How long each takes, roughly.
  Stopwatch watch(c.device);
  size_t next = 0;
  std::vector<size_t> rows = right;
  std::vector<double> about(c.rows.size(), HUGE_VAL);
  for (const size_t row : rows)
    for (int i = 0; i < 2 && (i == 0 || about[row] < kEnough); ++i)
      about[row] = std::min(about[row], watch.milliseconds([&] { runs[next++ % runs.size()].call(row, exec); }));
  const double best = *std::min_element(about.begin(), about.end());
  std::erase_if(rows, [&](size_t row) { return about[row] > kHopeless * best; });

  // In turn, so that what disturbs the machine disturbs all.
  const double sample = c.device == Device::cpu ? 0.2 : 1;  // milliseconds
  int calls = int(std::clamp(sample / std::max(best, 1e-4), 1.0, 100.0));
  if (c.device == Device::cuda) calls = std::max(calls, int(runs.size()));  // a recorded sample meets every set
  const int replays = int(std::clamp(kEnough / std::max(best * calls, 1e-4), double(kMinReplays), double(kMaxReplays)));
  std::vector<std::optional<CallSeries>> series(c.rows.size());
  for (const size_t row : rows)
    series[row].emplace(c.device, calls, [&, row](int) { runs[next++ % runs.size()].call(row, exec); });
  std::vector<std::vector<double>> times(c.rows.size());
  for (int i = 0; i < replays; ++i)
    for (const size_t row : rows) times[row].push_back(series[row]->milliseconds_of_one(watch));
  // A row takes over from those before it if both its median and its least are clearly better: on a machine that others
  // use too, either of them alone is often luck.
  size_t chosen = rows[0];
  const auto least = [&](size_t row) { return *std::min_element(times[row].begin(), times[row].end()); };
  for (const size_t row : rows)
    if (kTie * median(times[row]) <= median(times[chosen]) && kTie * least(row) <= least(chosen)) chosen = row;
  return {chosen, median(times[chosen]) * 1e3};
}

}  // namespace

// --- settings ------------------------------------------------------------------------------------------------------

namespace {
std::atomic<uint64_t> settings = 1;

void hand_out_rows(Device device) {
  ++settings;
  const bool of_run = !state().of_run.empty();
  const auto on = [&](std::string_view op) { return of_run || detail::tunes(op, device); };
  tune_op<kernels::Conv2dRow>(on("conv2d"), device);
  tune_op<kernels::Conv2dRowOf<Bf16>>(on("conv2d"), device);
  tune_op<kernels::ConvTranspose2dRow>(on("conv_transpose2d"), device);
  tune_op<kernels::ConvTranspose2dRowOf<Bf16>>(on("conv_transpose2d"), device);
  tune_op<kernels::LinearRow>(on("linear"), device);
}
}  // namespace

std::vector<std::string> tuned_ops() { return {"conv2d", "conv_transpose2d", "linear"}; }

void check_tuning() { of_environment(SourceLocation::current()); }

void set_tuning(std::string_view word, Device device, SourceLocation at) {
  Setting s = parse("tune", word, at);
  if (s.automatic) s = of_environment(at);
  if (s.automatic) s.on = device == Device::cuda && gpu_available() && !gpu_info().emulated;
  State& all = state();
  {
    std::lock_guard lock(all.mutex);
    all.settings[int(device)] = std::move(s);
    all.chosen.clear();
    all.run.reset();
    all.of_run.clear();
    all.sizes.clear();
  }
  hand_out_rows(device);
}

bool tuning(Device device) { return state().settings[int(device)].on; }

uint64_t detail::settings_count() { return settings; }

bool detail::tunes(std::string_view op, Device device) {
  const Setting& s = state().settings[int(device)];
  return s.on && (s.only.empty() || std::find(s.only.begin(), s.only.end(), op) != s.only.end());
}

void keep_tuned_choices(const std::filesystem::path& file, Device device) {
  State& all = state();
  TuningFile run(file);
  if (tuning(device)) std::ofstream(file, std::ios::app);  // there from the beginning: a resumed run looks for it
  {
    std::lock_guard lock(all.mutex);
    all.of_run.clear();
    for (const TunedCase& c : run.cases()) all.of_run.insert_or_assign(run_key(c), c.row);  // the last word holds
    all.run.emplace(std::move(run));
    all.chosen.clear();
  }
  hand_out_rows(device);
}

// --- choices -------------------------------------------------------------------------------------------------------

std::string detail::case_key(std::string_view op, std::string_view entry, const CaseName& name, Device device) {
  return text(op, " ", entry, " ", name.size, " ", name.layer, " ", name_of(precision_of(device)), " ", device);
}
int detail::known_choice(const std::string& key) {
  State& all = state();
  std::lock_guard lock(all.mutex);
  const auto found = all.chosen.find(key);
  return found == all.chosen.end() ? -1 : found->second;
}
void detail::remember_choice(const std::string& key, int row) {
  State& all = state();
  std::lock_guard lock(all.mutex);
  all.chosen.insert_or_assign(key, row);
}

namespace {

// The cache, read at its first use. With the lock.
void open_cache(State& all) {
  const std::filesystem::path path = tuning_cache_path();
  if (all.cache && all.cache->path() == path) return;
  all.cache.emplace(path);
  all.measured.clear();
  for (const TunedCase& c : all.cache->cases()) all.measured.emplace(key_of(c), c);
}

std::optional<size_t> index_of(const detail::Contest& c, std::string_view row) {
  const auto found = std::find(c.rows.begin(), c.rows.end(), row);
  return found == c.rows.end() ? std::nullopt : std::optional(size_t(found - c.rows.begin()));
}

// By the cache or by measuring; the table's first where that cannot be. Fills in row, time and day.
size_t tuned_row_of(const detail::Contest& contest, TunedCase& c) {
  State& all = state();
  {
    std::lock_guard lock(all.mutex);
    open_cache(all);
    if (const auto found = all.measured.find(key_of(c)); found != all.measured.end())
      if (const auto row = index_of(contest, found->second.row)) return c = found->second, *row;
    int& sizes = all.sizes[text(c.entry, " ", contest.name.layer, " ", c.precision)];
    if (sizes >= kMaxSizes) return 0;
    ++sizes;
  }
  Measured m;
  try {
    m = measure(contest, text(c.entry, " ", c.spec));
  } catch (const std::bad_alloc&) {
    if (first_time("memory"))
      inform("tuning: there is too little memory to try ", c.entry, " ", c.spec,
             " beside what is in use: the first row of its table serves, and so with others like it");
    return 0;
  }
  c.row = contest.rows[m.row];
  c.microseconds = m.microseconds;
  c.day = today();
  std::lock_guard lock(all.mutex);
  if (all.measured.emplace(key_of(c), c).second) all.cache->add(c);
  return m.row;
}

}  // namespace

size_t detail::choose(const Contest& contest) {
  if (contest.flops <= 0 || contest.rows.size() < 2) return 0;
  std::lock_guard one(measuring());
  struct Whole {  // what is tried does all of its sums, whatever the backward pass around it gathers
    kernels::LateSums* const before = kernels::set_late_sums(nullptr);
    ~Whole() { kernels::set_late_sums(before); }
  } const whole;
  TunedCase c{.entry = text(contest.op, " ", contest.entry),
              .spec = contest.name.text(),
              .row = "",
              .precision = std::string(name_of(precision_of(contest.device))),
              .rows = "",
              .machine = machine_of(contest.device),
              .kernels = std::string(kernels::kernels_id()),
              .day = today()};
  for (const std::string_view row : contest.rows) c.rows += (c.rows.empty() ? "" : ",") + std::string(row);
  State& all = state();
  {
    std::lock_guard lock(all.mutex);
    if (const auto found = all.of_run.find(run_key(c)); found != all.of_run.end()) {
      if (const auto row = index_of(contest, found->second)) return *row;
      warn("the training chose row ", found->second, " for ", c.entry, " ", c.spec,
           ", which is not to be had here: it goes on with another, and will not be the same to the bit");
    }
  }
  const size_t row = tunes(contest.op, contest.device) ? tuned_row_of(contest, c) : 0;
  c.row = contest.rows[row];
  std::lock_guard lock(all.mutex);
  if (all.run && all.of_run.insert_or_assign(run_key(c), c.row).first->second == c.row) all.run->add(c);
  return row;
}

std::vector<TunedCase> tuned_cases() {
  State& all = state();
  std::lock_guard lock(all.mutex);
  open_cache(all);
  std::vector<TunedCase> out;
  const std::string cpu = machine_of(Device::cpu), gpu = gpu_available() ? machine_of(Device::cuda) : "";
  const std::string_view any_threads = std::string_view(cpu).substr(0, cpu.rfind(' ') + 1);
  std::set<std::string> keys;
  for (const TunedCase& c : all.cache->cases())
    if (c.kernels == kernels::kernels_id() && (c.machine.starts_with(any_threads) || c.machine == gpu) &&
        keys.insert(key_of(c)).second)
      out.push_back(c);
  return out;
}

}  // namespace kern
