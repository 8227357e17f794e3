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
#include "engine/statistics.h"
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
  std::map<std::string, int, std::less<>> chosen;  // case_key(): an implementation of the registry
  // What was measured, by everything it holds for: of the cache's file and of this process.
  std::optional<TuningFile> cache;
  std::map<std::string, TunedCase, std::less<>> measured;
  // Of a training: the implementations of the cases that its file holds.
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
      if (library.has_ops)
        all += text(", ", library.name, " ", library.found.substr(0, library.found.find_first_of(" :")));
    return all;
  }();
  return gpu;
}
kernels::Precision precision_of(Device device) {
  return device == Device::cuda ? kernels::precision() : kernels::Precision::f32;
}
// How far two implementations' results may lie apart, as a share of the largest value: what rounded factors do, with room.
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
  return text(c.entry, "|", c.spec, "|", c.precision, "|", c.impls, "|", c.machine, "|", c.kernels);
}
// Of a training: it may go on on another machine, with other implementations beside those that it chose.
std::string run_key(const TunedCase& c) {
  return text(c.entry, "|", c.spec, "|", c.precision, "|", c.machine.substr(0, c.machine.find(':')));
}

// --- measuring -----------------------------------------------------------------------------------------------------

constexpr size_t kBeyondCaches = 64 << 20, kMaxSets = 8;  // bytes of all sets of arrays, where few sets do
constexpr double kQuick = 2e7;  // operations that the reference may take: a few hundredths of a second
constexpr int kMaxReplays = 10, kMinReplays = 3;
constexpr double kEnough = 300;    // milliseconds of one implementation's replays
constexpr double kTie = 1.03;      // a smaller advantage is none
constexpr double kHopeless = 2.5;  // times the best of the warm-ups: not replayed
constexpr int kMaxSizes = 16;      // of one layer

double median(std::vector<double> v) { return quantile(v, 0.5); }

struct Measured {
  size_t impl = 0;
  double microseconds = 0;
};

// Implementations whose results are right, in the registry's order; the others are named. The oracle is the reference where it is
// quick and on this device; else the plain implementation: the last of our own in the registry, which are listed the most special
// first. It is simple, but it is not believed against all others when two of these agree that have nothing in common,
// ours and a library's. Only one array at a time is kept beside a result.
std::vector<size_t> right_rows(const detail::Candidates& c, const std::string& what, const detail::Candidates::Run& run,
                               const kernels::Exec& exec) {
  const double allowed = allowed_difference(precision_of(c.device));
  const auto ours = [&](size_t impl) {
    return !c.impls[impl].starts_with("cudnn") && !c.impls[impl].starts_with("cublas");
  };
  const auto compute = [&](size_t impl) {
    const BenchmarkOutput& out = run.out;
    set_bytes(c.device, const_cast<void*>(out.data), 0xff,
              size_t((out.rows - 1) * out.pitch + out.columns) * size_of(out.type));
    run.call(impl, exec);
  };
  std::vector<double> off(c.impls.size());
  const auto compare_with = [&](size_t oracle) {
    compute(oracle);
    BenchmarkArrays arrays(c.device);
    const BenchmarkOutput expected = copy_of(run.out, c.device, arrays);
    for (size_t impl = 0; impl < c.impls.size(); ++impl) {
      compute(impl);
      off[impl] = largest_share(run.out, expected, c.device);
    }
  };
  const auto right = [&](size_t impl) { return off[impl] <= allowed; };
  const auto agreeing = [&] {
    std::vector<size_t> impls;
    for (size_t impl = 0; impl < c.impls.size(); ++impl)
      if (right(impl)) impls.push_back(impl);
    return impls;
  };

  size_t oracle = c.impls.size();  // the reference
  if (!c.has_reference || c.flops > kQuick) {
    oracle = c.impls.size() - 1;
    while (oracle > 0 && !ours(oracle)) --oracle;
  }
  compare_with(oracle);
  if (oracle < c.impls.size() && agreeing().size() < 2 && c.impls.size() > 2) {
    const size_t plain = oracle;
    const std::vector<double> by_plain = off;
    const auto witness = [&](size_t library) {
      if (ours(library)) return false;
      compare_with(library);
      for (size_t impl = 0; impl < c.impls.size(); ++impl)
        if (ours(impl) && impl != plain && right(library) && right(impl)) return true;
      return false;
    };
    oracle = 0;
    while (oracle < c.impls.size() && !witness(oracle)) ++oracle;
    if (oracle == c.impls.size()) oracle = plain, off = by_plain;
  }
  for (size_t impl = 0; impl < c.impls.size(); ++impl)
    if (!right(impl))
      warn("tuning ", what, ": implementation ", c.impls[impl], " is off by ", off[impl], " of the largest value",
           oracle == impl ? std::string()
                          : text(" from implementation ", oracle < c.impls.size() ? c.impls[oracle] : "reference"),
           "; it does not serve");
  const std::vector<size_t> impls = agreeing();
  if (impls.empty()) warn("tuning ", what, ": no implementation is right; the first of the registry serves");
  return impls;
}

Measured measure(const detail::Candidates& c, const std::string& what) {
  internal_check(!recording(), what, " is met for the first time while a step is being recorded");
  BenchmarkArrays scratch(c.device);
  const kernels::Exec exec{.scratch = scratch.bytes(c.scratch)};
  std::deque<BenchmarkArrays> sets;
  std::vector<detail::Candidates::Run> runs;
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
  std::vector<size_t> impls = right;
  std::vector<double> about(c.impls.size(), HUGE_VAL);
  for (const size_t impl : impls)
    for (int i = 0; i < 3 && (i == 0 || about[impl] < kEnough); ++i)
      about[impl] = std::min(about[impl], watch.milliseconds([&] { runs[next++ % runs.size()].call(impl, exec); }));
  const double best = *std::min_element(about.begin(), about.end());
  std::erase_if(impls, [&](size_t impl) { return about[impl] > kHopeless * best; });

  // In turn, so that what disturbs the machine disturbs all.
  const double sample = c.device == Device::cpu ? 0.2 : 1;  // milliseconds
  int calls = int(std::clamp(sample / std::max(best, 1e-4), 1.0, 100.0));
  if (c.device == Device::cuda) calls = std::max(calls, int(runs.size()));  // a recorded sample meets every set
  const int replays = int(std::clamp(kEnough / std::max(best * calls, 1e-4), double(kMinReplays), double(kMaxReplays)));
  std::vector<std::optional<CallSeries>> series(c.impls.size());
  for (const size_t impl : impls)
    series[impl].emplace(c.device, calls, [&, impl](int) { runs[next++ % runs.size()].call(impl, exec); });
  std::vector<std::vector<double>> times(c.impls.size());
  for (int i = 0; i < replays; ++i)
    for (const size_t impl : impls) times[impl].push_back(series[impl]->milliseconds_of_one(watch));
  // An implementation takes over from those before it if both its median and its least are clearly better: on a machine that others
  // use too, either of them alone is often luck.
  size_t chosen = impls[0];
  const auto least = [&](size_t impl) { return *std::min_element(times[impl].begin(), times[impl].end()); };
  for (const size_t impl : impls)
    if (kTie * median(times[impl]) <= median(times[chosen]) && kTie * least(impl) <= least(chosen)) chosen = impl;
  return {chosen, median(times[chosen]) * 1e3};
}

}  // namespace

// --- settings ------------------------------------------------------------------------------------------------------

namespace {
std::atomic<uint64_t> settings = 1;

void hand_out_impls(Device device) {
  ++settings;
  const bool of_run = !state().of_run.empty();
  const auto on = [&](std::string_view op) { return of_run || detail::tunes(op, device); };
  tune_op<kernels::Conv2dImpl>(on("conv2d"), device);
  tune_op<kernels::Conv2dImplOf<Bf16>>(on("conv2d"), device);
  tune_op<kernels::ConvTranspose2dImpl>(on("conv_transpose2d"), device);
  tune_op<kernels::ConvTranspose2dImplOf<Bf16>>(on("conv_transpose2d"), device);
  tune_op<kernels::LinearImpl>(on("linear"), device);
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
  hand_out_impls(device);
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
    for (const TunedCase& c : run.cases()) all.of_run.insert_or_assign(run_key(c), c.impl);  // the last word holds
    all.run.emplace(std::move(run));
    all.chosen.clear();
  }
  hand_out_impls(device);
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
void detail::remember_choice(const std::string& key, int impl) {
  State& all = state();
  std::lock_guard lock(all.mutex);
  all.chosen.insert_or_assign(key, impl);
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

std::optional<size_t> index_of(const detail::Candidates& c, std::string_view impl) {
  const auto found = std::find(c.impls.begin(), c.impls.end(), impl);
  return found == c.impls.end() ? std::nullopt : std::optional(size_t(found - c.impls.begin()));
}

// By the cache or by measuring; the registry's first where that cannot be. Fills in implementation, time and day.
size_t tuned_row_of(const detail::Candidates& candidates, TunedCase& c) {
  State& all = state();
  {
    std::lock_guard lock(all.mutex);
    open_cache(all);
    if (const auto found = all.measured.find(key_of(c)); found != all.measured.end())
      if (const auto impl = index_of(candidates, found->second.impl)) return c = found->second, *impl;
    int& sizes = all.sizes[text(c.entry, " ", candidates.name.layer, " ", c.precision)];
    if (sizes >= kMaxSizes) return 0;
    ++sizes;
  }
  Measured m;
  try {
    m = measure(candidates, text(c.entry, " ", c.spec));
  } catch (const std::bad_alloc&) {
    if (first_time("memory"))
      inform("tuning: there is too little memory to try ", c.entry, " ", c.spec,
             " beside what is in use: the first implementation of its registry serves, and so with others like it");
    return 0;
  }
  c.impl = candidates.impls[m.impl];
  c.microseconds = m.microseconds;
  c.day = today();
  std::lock_guard lock(all.mutex);
  if (all.measured.emplace(key_of(c), c).second) all.cache->add(c);
  return m.impl;
}

}  // namespace

size_t detail::choose(const Candidates& candidates) {
  if (candidates.flops <= 0 || candidates.impls.size() < 2) return 0;
  std::lock_guard one(measuring());
  struct Whole {  // what is tried does all of its sums, whatever the backward pass around it gathers
    kernels::LateSums* const before = kernels::set_late_sums(nullptr);
    ~Whole() { kernels::set_late_sums(before); }
  } const whole;
  TunedCase c{.entry = text(candidates.op, " ", candidates.entry),
              .spec = candidates.name.text(),
              .impl = "",
              .precision = std::string(name_of(precision_of(candidates.device))),
              .impls = "",
              .machine = machine_of(candidates.device),
              .kernels = std::string(kernels::kernels_id()),
              .day = today()};
  for (const std::string_view impl : candidates.impls) c.impls += (c.impls.empty() ? "" : ",") + std::string(impl);
  State& all = state();
  {
    std::lock_guard lock(all.mutex);
    if (const auto found = all.of_run.find(run_key(c)); found != all.of_run.end()) {
      if (const auto impl = index_of(candidates, found->second)) return *impl;
      warn("the training chose implementation ", found->second, " for ", c.entry, " ", c.spec,
           ", which is not to be had here: it goes on with another, and will not be the same to the bit");
    }
  }
  const size_t impl = tunes(candidates.op, candidates.device) ? tuned_row_of(candidates, c) : 0;
  c.impl = candidates.impls[impl];
  std::lock_guard lock(all.mutex);
  if (all.run && all.of_run.insert_or_assign(run_key(c), c.impl).first->second == c.impl) all.run->add(c);
  return impl;
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
