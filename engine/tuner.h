// Implementations chosen by measuring: for each case of an op (its spec with pitches, each entry by itself) the implementations that support
// it are timed on random data, and the fastest serves. Off, the order of the op's registry decides, as it does for ops
// that have no BenchmarkCases (engine/benchmark_cases.h).
//
//   set_tuning("on", Device::cpu);
//   conv2d(x, w);          // measured here, the first time this shape is met; chosen for good
//
// What was measured is kept in a file of the user's cache (engine/tuning_file.h), so another process finds it. A choice
// never changes while a process computes, and a training that is resumed goes on with those it began with
// (keep_tuned_choices). Measuring happens when an entry is called first: a step's warm-up, never its recording.
//
// How: an implementation whose result is off is refused and named (compared with the reference implementation where that is quick and on the
// device, else by the registry's plain one, unless two implementations that have nothing in common contradict it); calls to warm up,
// then up to 10 samples of each implementation in turn, on several sets of arrays where they are small; on a GPU a sample is a
// recorded graph of calls, replayed. A tie (median or least time less than 3 % better) goes to the implementation that stands
// first in the registry. KERN_IMPL goes before all this.
#pragma once
#include <algorithm>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/benchmark_cases.h"
#include "engine/tuning_file.h"
#include "kernels/common/dispatch.h"

namespace kern {

// For the rest of the process, not while work is running: "off", "on", "only:conv2d,linear", or "auto": what KERN_TUNE
// says, and without it on for a GPU that is not emulated and off for the CPU. Choices made so far are forgotten, but
// not what was measured. Error: another word, or an op that cannot be tuned.
void set_tuning(std::string_view setting, Device device, SourceLocation at = SourceLocation::current());
void check_tuning();  // Error where KERN_TUNE holds something else
bool tuning(Device device);
std::vector<std::string> tuned_ops();  // that can be tuned

// The choices of one training: those that the file holds serve, tuning or not, and what is chosen from now on is added
// to it. It is made where tuning is on. After set_tuning(), which ends this.
void keep_tuned_choices(const std::filesystem::path& file, Device device);

// What the cache holds for this build and machine, in the order it was measured.
std::vector<TunedCase> tuned_cases();

// --- for an op's implementation -----------------------------------------------------------------------------------------------

namespace detail {

// How the implementations that support a case are tried. Implementations are numbered as in `implementations`; the reference follows them.
struct Candidates {
  std::string_view op, entry;
  CaseName name;
  Device device;
  std::vector<std::string_view> impls;  // in the registry's order
  bool has_reference = false;
  double flops = 0;
  size_t scratch = 0;  // bytes that any of them may need
  struct Run {
    std::function<void(size_t impl, const kernels::Exec&)> call;
    BenchmarkOutput out;
  };
  std::function<Run(BenchmarkArrays&)> prepare;
};
std::string case_key(std::string_view op, std::string_view entry, const CaseName& name, Device device);
int known_choice(const std::string& key);  // an index of the registry's implementations; -1: none yet
void remember_choice(const std::string& key, int row_of_table);
// The one of candidates.implementations that serves: as the run's file says, or the cache, or by measuring.
size_t choose(const Candidates& candidates);
bool tunes(std::string_view op, Device device);
uint64_t settings_count();  // another one after each set_tuning and keep_tuned_choices

// The cases that one entry met most recently: found without putting them into words. Empty after new settings.
template <class Impl>
class RecentChoices {
 public:
  using Spec = typename BenchmarkCases<Impl>::Spec;
  const Impl* find(const Spec& g) {
    std::lock_guard lock(mutex_);
    if (const uint64_t now = settings_count(); std::exchange(settings_, now) != now) cases_.clear();
    for (const auto& [spec, impl] : cases_)
      if (spec == g) return impl;
    return nullptr;
  }
  const Impl& add(const Spec& g, const Impl& impl) {
    std::lock_guard lock(mutex_);
    if (cases_.size() == kMax) cases_.erase(cases_.begin());
    cases_.emplace_back(g, &impl);
    return impl;
  }

 private:
  static constexpr size_t kMax = 256;
  std::mutex mutex_;
  uint64_t settings_ = 0;
  std::vector<std::pair<Spec, const Impl*>> cases_;
};

template <class Impl, Device device, size_t i>
const Impl& chosen_impl(const typename BenchmarkCases<Impl>::Spec& g) {
  constexpr auto entry = std::get<i>(BenchmarkCases<Impl>::entries);
  const kernels::Registry<Impl>& registry = BenchmarkCases<Impl>::registry();
  const auto serves = [&](const Impl& impl) { return impl.device == device && impl.*entry.member && impl.supports(g); };
  static RecentChoices<Impl> recent;
  if (const Impl* impl = recent.find(g); impl && serves(*impl)) return *impl;
  const auto use = [&](size_t impl) -> const Impl& {
    kernels::note_impl_used(registry.op, registry.impls[impl].name);
    return recent.add(g, registry.impls[impl]);
  };
  CaseName name = BenchmarkCases<Impl>::name(g);
  const std::string key = case_key(registry.op, entry.name, name, device);
  if (const int known = known_choice(key); known >= 0 && serves(registry.impls[size_t(known)]))
    return use(size_t(known));

  Candidates candidates{.op = registry.op, .entry = entry.name, .name = std::move(name), .device = device};
  std::vector<size_t> of_table;
  const auto enter = [&](size_t impl) {
    of_table.push_back(impl);
    if constexpr (requires { registry.impls[impl].workspace(g); })
      candidates.scratch = std::max(candidates.scratch, registry.impls[impl].workspace(g));
  };
  size_t reference = registry.impls.size();
  for (size_t r = 0; r < registry.impls.size(); ++r) {
    if (!serves(registry.impls[r])) continue;
    if (std::string_view(registry.impls[r].name) == "reference") {
      reference = r;
    } else {
      enter(r);
      candidates.impls.push_back(registry.impls[r].name);
    }
  }
  if (candidates.impls.empty()) {
    check(reference < registry.impls.size(), registry.op, ": no implementation of ", entry.name, " for device ",
          device);
    return use(reference);
  }
  if (reference < registry.impls.size()) enter(reference), candidates.has_reference = true;
  const std::vector<BenchmarkCase<Impl>> trials = BenchmarkCases<Impl>::of(g);
  const auto trial = std::find_if(trials.begin(), trials.end(), [&](const BenchmarkCase<Impl>& t) {
    return std::string_view(t.entry) == entry.name;
  });
  internal_check(trial != trials.end(), registry.op, " has no trial of ", entry.name);
  candidates.flops = trial->flops;
  candidates.prepare = [&](BenchmarkArrays& arrays) {
    BenchmarkCall<Impl> call = trial->prepare(arrays);
    return Candidates::Run{[&registry, &of_table, run = std::move(call.run)](size_t impl, const kernels::Exec& exec) {
                             run(registry.impls[of_table[impl]], exec);
                           },
                           call.out};
  };
  const size_t chosen = of_table[choose(candidates)];
  remember_choice(key, int(chosen));
  return use(chosen);
}

template <class Impl, Device device, size_t i, class Spec, class... A>
void serve(const kernels::Exec& exec, const Spec& g, A... arguments) {
  constexpr auto entry = std::get<i>(BenchmarkCases<Impl>::entries);
  (chosen_impl<Impl, device, i>(g).*entry.member)(exec, g, arguments...);
}
template <class Impl, Device device, size_t i, class Spec, class... A>
void set_entry(void (*&entry)(const kernels::Exec&, const Spec&, A...)) {
  entry = serve<Impl, device, i, Spec, A...>;
}

// That of the implementation which serves; in a dry run, which measures nothing, of any that may.
template <class Impl, Device device>
kernels::FilterPacking packing_of_tuned(const typename BenchmarkCases<Impl>::Spec& g, bool backward_data) {
  kernels::FilterPacking out;
  const auto ask = [&](const Impl& impl) {
    if (!out && impl.packing) out = impl.packing(g, backward_data);
  };
  if (kernels::meta_impls()) {
    for (const Impl& impl : BenchmarkCases<Impl>::registry().impls)
      if (impl.device == device && impl.supports(g)) ask(impl);
    return out;
  }
  [&]<size_t... i>(std::index_sequence<i...>) {
    const auto of_entry = [&]<size_t j>() {
      if (std::get<j>(BenchmarkCases<Impl>::entries).name ==
          std::string_view(backward_data ? "backward_data" : "forward"))
        ask(chosen_impl<Impl, device, j>(g));
    };
    (of_entry.template operator()<i>(), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(BenchmarkCases<Impl>::entries)>>());
  return out;
}

// The implementation that select() hands out while the op is tuned: each of its entries chooses when it is called.
template <class Impl, Device device>
const Impl& row_of_tuned() {
  using Spec = typename BenchmarkCases<Impl>::Spec;
  static const Impl impl = [] {
    Impl r{};
    r.name = "tuned";
    r.device = device;
    r.supports = [](const Spec&) { return true; };
    if constexpr (requires { r.workspace; })
      r.workspace = [](const Spec& g) {
        size_t bytes = 0;
        for (const Impl& one : BenchmarkCases<Impl>::registry().impls)
          if (one.device == device && one.supports(g)) bytes = std::max(bytes, one.workspace(g));
        return bytes;
      };
    if constexpr (device == Device::cuda && requires { r.packing; }) r.packing = packing_of_tuned<Impl, device>;
    [&]<size_t... i>(std::index_sequence<i...>) {
      const auto set = [&]<size_t j>() {
        constexpr auto entry = std::get<j>(BenchmarkCases<Impl>::entries);
        for (const Impl& one :
             BenchmarkCases<Impl>::registry().impls)  // what no implementation of the device has is missing here too
          if (one.device == device && one.*entry.member) set_entry<Impl, device, j>(r.*entry.member);
      };
      (set.template operator()<i>(), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(BenchmarkCases<Impl>::entries)>>());
    return r;
  }();
  return impl;
}

}  // namespace detail

// Makes select() hand out implementations that choose, or no longer.
template <class Impl>
void tune_op(bool on, Device device) {
  const Impl*& impl = kernels::tuned_impl<Impl>[int(device)];
  if (!on) impl = nullptr;
  else
    impl = device == Device::cpu ? &detail::row_of_tuned<Impl, Device::cpu>()
                                 : &detail::row_of_tuned<Impl, Device::cuda>();
}

}  // namespace kern
