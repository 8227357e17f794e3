// Rows chosen by measuring: for each case of an op (its spec with pitches, each entry by itself) the rows that support
// it are timed on random data, and the fastest serves. Off, the order of the op's table decides, as it does for ops
// that have no Trials (engine/trials.h).
//
//   set_tuning("on", Device::cpu);
//   conv2d(x, w);          // measured here, the first time this shape is met; chosen for good
//
// What was measured is kept in a file of the user's cache (engine/tuning_file.h), so another process finds it. A choice
// never changes while a process computes, and a training that is resumed goes on with those it began with
// (keep_tuned_choices). Measuring happens when an entry is called first: a step's warm-up, never its recording.
//
// How: a row whose result is off is refused and named (judged by the reference row where that is quick and on the
// device, else by the table's plain one, unless two rows that have nothing in common contradict it); calls to warm up,
// then up to 10 samples of each row in turn, on several sets of arrays where they are small; on a GPU a sample is a
// recorded graph of calls, replayed. A tie (median or least time less than 3 % better) goes to the row that stands
// first in the table. KERN_IMPL goes before all this.
#pragma once
#include <algorithm>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/trials.h"
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

// --- for an op's row -----------------------------------------------------------------------------------------------

namespace detail {

// How the rows that support a case are tried. Rows are numbered as in `rows`; the reference follows them.
struct Contest {
  std::string_view op, entry;
  CaseName name;
  Device device;
  std::vector<std::string_view> rows;  // in the table's order
  bool has_reference = false;
  double flops = 0;
  size_t scratch = 0;  // bytes that any of them may need
  struct Run {
    std::function<void(size_t row, const kernels::Exec&)> call;
    TrialOutput out;
  };
  std::function<Run(TrialArrays&)> prepare;
};
std::string case_key(std::string_view op, std::string_view entry, const CaseName& name, Device device);
int known_choice(const std::string& key);  // an index of the table's rows; -1: none yet
void remember_choice(const std::string& key, int row_of_table);
// The one of contest.rows that serves: as the run's file says, or the cache, or by measuring.
size_t choose(const Contest& contest);
bool tunes(std::string_view op, Device device);
uint64_t settings_count();  // another one after each set_tuning and keep_tuned_choices

// The cases that one entry met most recently: found without putting them into words. Empty after new settings.
template <class Row>
class RecentChoices {
 public:
  using Spec = typename Trials<Row>::Spec;
  const Row* find(const Spec& g) {
    std::lock_guard lock(mutex_);
    if (const uint64_t now = settings_count(); std::exchange(settings_, now) != now) cases_.clear();
    for (const auto& [spec, row] : cases_)
      if (spec == g) return row;
    return nullptr;
  }
  const Row& add(const Spec& g, const Row& row) {
    std::lock_guard lock(mutex_);
    if (cases_.size() == kMax) cases_.erase(cases_.begin());
    cases_.emplace_back(g, &row);
    return row;
  }

 private:
  static constexpr size_t kMax = 256;
  std::mutex mutex_;
  uint64_t settings_ = 0;
  std::vector<std::pair<Spec, const Row*>> cases_;
};

template <class Row, Device device, size_t i>
const Row& chosen_row(const typename Trials<Row>::Spec& g) {
  constexpr auto entry = std::get<i>(Trials<Row>::entries);
  const kernels::Table<Row>& table = Trials<Row>::table();
  const auto serves = [&](const Row& row) { return row.device == device && row.*entry.member && row.supports(g); };
  static RecentChoices<Row> recent;
  if (const Row* row = recent.find(g); row && serves(*row)) return *row;
  const auto use = [&](size_t row) -> const Row& {
    kernels::note_row_used(table.op, table.rows[row].name);
    return recent.add(g, table.rows[row]);
  };
  CaseName name = Trials<Row>::name(g);
  const std::string key = case_key(table.op, entry.name, name, device);
  if (const int known = known_choice(key); known >= 0 && serves(table.rows[size_t(known)])) return use(size_t(known));

  Contest contest{.op = table.op, .entry = entry.name, .name = std::move(name), .device = device};
  std::vector<size_t> of_table;
  const auto enter = [&](size_t row) {
    of_table.push_back(row);
    if constexpr (requires { table.rows[row].workspace(g); })
      contest.scratch = std::max(contest.scratch, table.rows[row].workspace(g));
  };
  size_t reference = table.rows.size();
  for (size_t r = 0; r < table.rows.size(); ++r) {
    if (!serves(table.rows[r])) continue;
    if (std::string_view(table.rows[r].name) == "reference") {
      reference = r;
    } else {
      enter(r);
      contest.rows.push_back(table.rows[r].name);
    }
  }
  if (contest.rows.empty()) {
    check(reference < table.rows.size(), table.op, ": no implementation of ", entry.name, " for device ", device);
    return use(reference);
  }
  if (reference < table.rows.size()) enter(reference), contest.has_reference = true;
  const std::vector<Trial<Row>> trials = Trials<Row>::of(g);
  const auto trial = std::find_if(trials.begin(), trials.end(),
                                  [&](const Trial<Row>& t) { return std::string_view(t.entry) == entry.name; });
  internal_check(trial != trials.end(), table.op, " has no trial of ", entry.name);
  contest.flops = trial->flops;
  contest.prepare = [&](TrialArrays& arrays) {
    TrialCall<Row> call = trial->prepare(arrays);
    return Contest::Run{[&table, &of_table, run = std::move(call.run)](size_t row, const kernels::Exec& exec) {
                          run(table.rows[of_table[row]], exec);
                        },
                        call.out};
  };
  const size_t chosen = of_table[choose(contest)];
  remember_choice(key, int(chosen));
  return use(chosen);
}

template <class Row, Device device, size_t i, class Spec, class... A>
void serve(const kernels::Exec& exec, const Spec& g, A... arguments) {
  constexpr auto entry = std::get<i>(Trials<Row>::entries);
  (chosen_row<Row, device, i>(g).*entry.member)(exec, g, arguments...);
}
template <class Row, Device device, size_t i, class Spec, class... A>
void set_entry(void (*&entry)(const kernels::Exec&, const Spec&, A...)) {
  entry = serve<Row, device, i, Spec, A...>;
}

// That of the row which serves; in a dry run, which measures nothing, of any that may.
template <class Row, Device device>
kernels::FilterPacking packing_of_tuned(const typename Trials<Row>::Spec& g, bool backward_data) {
  kernels::FilterPacking out;
  const auto ask = [&](const Row& row) {
    if (!out && row.packing) out = row.packing(g, backward_data);
  };
  if (kernels::meta_rows()) {
    for (const Row& row : Trials<Row>::table().rows)
      if (row.device == device && row.supports(g)) ask(row);
    return out;
  }
  [&]<size_t... i>(std::index_sequence<i...>) {
    const auto of_entry = [&]<size_t j>() {
      if (std::get<j>(Trials<Row>::entries).name == std::string_view(backward_data ? "backward_data" : "forward"))
        ask(chosen_row<Row, device, j>(g));
    };
    (of_entry.template operator()<i>(), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(Trials<Row>::entries)>>());
  return out;
}

// The row that select() hands out while the op is tuned: each of its entries chooses when it is called.
template <class Row, Device device>
const Row& row_of_tuned() {
  using Spec = typename Trials<Row>::Spec;
  static const Row row = [] {
    Row r{};
    r.name = "tuned";
    r.device = device;
    r.supports = [](const Spec&) { return true; };
    if constexpr (requires { r.workspace; })
      r.workspace = [](const Spec& g) {
        size_t bytes = 0;
        for (const Row& one : Trials<Row>::table().rows)
          if (one.device == device && one.supports(g)) bytes = std::max(bytes, one.workspace(g));
        return bytes;
      };
    if constexpr (device == Device::cuda && requires { r.packing; }) r.packing = packing_of_tuned<Row, device>;
    [&]<size_t... i>(std::index_sequence<i...>) {
      const auto set = [&]<size_t j>() {
        constexpr auto entry = std::get<j>(Trials<Row>::entries);
        for (const Row& one : Trials<Row>::table().rows)  // what no row of the device has is missing here too
          if (one.device == device && one.*entry.member) set_entry<Row, device, j>(r.*entry.member);
      };
      (set.template operator()<i>(), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(Trials<Row>::entries)>>());
    return r;
  }();
  return row;
}

}  // namespace detail

// Makes select() hand out rows that choose, or no longer.
template <class Row>
void tune_op(bool on, Device device) {
  const Row*& row = kernels::tuned_row<Row>[int(device)];
  if (!on) row = nullptr;
  else
    row =
        device == Device::cpu ? &detail::row_of_tuned<Row, Device::cpu>() : &detail::row_of_tuned<Row, Device::cuda>();
}

}  // namespace kern
