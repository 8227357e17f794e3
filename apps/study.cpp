#include "apps/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "apps/study_ranks.h"
#include "data/csv.h"
#include "engine/agreement.h"
#include "engine/atomic_file.h"
#include "engine/communicator.h"
#include "engine/json.h"
#include "kernels/common/log.h"
#include "training/progress.h"
#include "training/stop.h"

namespace kern::apps {
namespace {
using training::Value;
namespace fs = std::filesystem;

struct Combination {
  training::Settings varied;
  std::vector<std::pair<std::string, Value>> values;
  std::string folder;              // within the study's
  std::string state;               // as study.csv says it
  nlohmann::ordered_json figures;  // result.json, once it has one
};

std::string shown(const Value& v) { return v.kind == Value::Kind::scalar ? v.text : training::to_flow(v); }

// "method=fixmatch,seed=1", of characters that every file system takes.
std::string folder_of(const training::Settings& varied) {
  std::string name;
  for (const auto& [key, value] : varied) name += (name.empty() ? "" : ",") + key + "=" + value;
  for (char& c : name)
    if (!std::isalnum(uint8_t(c)) && std::string_view("=,._-+[]").find(c) == std::string_view::npos) c = '_';
  return name;
}

// Every combination, the last key changing fastest.
std::vector<Combination> combinations(const StudyConfig& c) {
  std::vector<Combination> all{{}};
  for (const auto& [key, given] : c.vary) {
    const Value list = training::field::as_list(given);
    check(list.kind == Value::Kind::list && !list.items.empty(), "vary.", key,
          " must be a list of the values to try, [a, b], got ", shown(given));
    std::vector<Combination> next;
    for (const Combination& before : all)
      for (const Value& value : list.items) {
        next.push_back(before);
        next.back().values.emplace_back(key, value);
        next.back().varied.emplace_back(key, shown(value));
      }
    all = std::move(next);
  }
  check(all.size() <= 10000, "the study has ", all.size(), " combinations: at most 10000 are trained in one study");
  std::set<std::string> names;
  for (Combination& one : all) {
    one.folder = folder_of(one.varied);
    check(one.folder.size() <= 200 && names.insert(one.folder).second, "the combination ", one.folder,
          one.folder.size() > 200 ? " has too long a name for a folder: vary fewer keys or shorter values"
                                  : " stands twice in the study: name every value once");
  }
  return all;
}

Verb::Prepared prepare(const StudyConfig& c, const StudyOf& of, const Combination& one) {
  Verb::Prepared p = of.train.prepare(of.command);
  if (c.base.kind == Value::Kind::map) p.keys.load_text(training::to_flow(c.base), "base");
  else if (c.base.kind == Value::Kind::scalar && !c.base.text.empty()) p.keys.load_yaml(c.base.text);
  for (const auto& [key, value] : one.values) {
    check(key != "run" && key != "resume", "a study names the run folders itself: take ", key, " out of vary");
    p.keys.set(key, value, "vary");
  }
  p.keys.set("run", Value::scalar((fs::path(c.run) / one.folder).string(), true), "study");
  p.keys.check();
  return p;
}

// A run that stands there was made by the same configuration, but for what does not matter.
void check_same(const Verb::Prepared& now, const StudyOf& of, const fs::path& folder) {
  if (!fs::exists(folder / "config.yaml")) return;
  Verb::Prepared before = of.train.prepare(of.command);
  before.keys.load_yaml((folder / "config.yaml").string());
  const auto a = now.keys.values(), b = before.keys.values();
  for (size_t i = 0; i < a.size(); ++i)
    check(of.rules.silent.count(a[i].first) || a[i].second == b[i].second, "the run ", folder.string(),
          " was made with ", a[i].first, "=", b[i].second, ", the study now says ", a[i].second,
          ": choose another folder with run=, or remove that run");
}

void read_figures(Combination& one, const fs::path& folder) {
  one.figures = nlohmann::ordered_json::parse(read_file(folder / "result.json"), nullptr, false);
  check(one.figures.is_object(), (folder / "result.json").string(), " is damaged: remove that run and study again");
}

// Trains, or goes on with, one combination. Returns whether the study may go on.
bool train(Verb::Prepared& p, Combination& one, const fs::path& folder) {
  if (training::run_state(folder) == training::RunState::unfinished && fs::exists(folder / "config.yaml"))
    p.keys.set("resume", Value::scalar(folder.string(), true), "study");
  Call call{p.keys};
  try {
    p.run(call);
  } catch (const InternalError&) {
    throw;
  } catch (const Error& e) {
    one.state = "failed: " + e.sentence();
    warn(one.folder, ": ", e.sentence());
    return true;
  }
  if (training::run_state(folder) == training::RunState::finished) {
    one.state = "finished";
    return true;
  }
  one.state = "stopped: " + call.figures.value("ended");
  return false;
}

void write_table(const std::vector<Combination>& all, const fs::path& path) {
  std::vector<std::string> columns{"run"}, figures;
  for (const auto& [key, value] : all[0].varied) columns.push_back(key);
  columns.push_back("state");
  for (const Combination& one : all)
    for (const auto& [name, value] : one.figures.items())
      if (value.is_number() && std::ranges::find(figures, name) == figures.end()) figures.push_back(name);
  columns.insert(columns.end(), figures.begin(), figures.end());
  data::CsvWriter csv(path, columns);
  for (const Combination& one : all) {
    csv.cell(one.folder);
    for (const auto& [key, value] : one.varied) csv.cell(value);
    csv.cell(one.state);
    for (const std::string& name : figures)
      csv.cell(one.figures.contains(name) && one.figures[name].is_number() ? one.figures[name].get<double>() : NAN);
    csv.end_row();
  }
  csv.commit();
}

// Mean and spread of the figures of every method, over seeds and folds.
void print_table(const std::vector<Combination>& all, const StudyOf& of, Call& call) {
  std::vector<training::Settings> settings;
  std::vector<const Combination*> finished;
  for (const Combination& one : all)
    if (one.state == "finished") finished.push_back(&one), settings.push_back(one.varied);
  size_t widest = 6;
  const auto methods = training::group_runs(settings, of.rules);
  for (const training::ComparedMethod& m : methods) widest = std::max(widest, m.name.size());
  fmt::print("{:<{}}  runs", "", widest);
  for (const std::string& name : of.figures) fmt::print("  {:>17}", name);
  fmt::print("\n");
  for (const training::ComparedMethod& m : methods) {
    fmt::print("{:<{}}  {:>4}", m.name, widest, m.runs.size());
    for (const std::string& name : of.figures) {
      std::vector<double> values;
      for (size_t i : m.runs)
        if (finished[i]->figures.contains(name)) values.push_back(finished[i]->figures[name].get<double>());
      const training::Spread s = training::spread_of(values);
      fmt::print("  {:>17}", training::to_string(s));
      call.figures.add(m.name + ": " + name, std::vector<double>{s.mean, s.deviation});
    }
    fmt::print("\n");
  }
}

}  // namespace

void describe_study(training::Schema& keys, StudyConfig& c) {
  keys.section("Study")
      .key("base", c.base, "the configuration to vary: a YAML file, or the keys of the training themselves",
           training::required())
      .key("vary", c.vary, "key: [values]; every combination is trained; fold: [0, 1, 2] is cross-validation")
      .key("run", c.run, "the folder of the study: a run folder per combination, study.csv and a comparison",
           training::required());
}

void run_study(const StudyConfig& c, const StudyOf& of, Call& call) {
  check(!c.vary.empty(), "the study varies nothing: give vary: {key: [values]}");
  std::vector<Combination> all = combinations(c);
  std::vector<Verb::Prepared> prepared;  // all are looked at before the first is trained
  const fs::path folder = c.run;
  const bool root = communicator().root();
  std::optional<training::RunFolder> run;  // of rank 0
  std::optional<StudyRanks> ranks;
  together([&] {
    for (const Combination& one : all) {
      prepared.push_back(prepare(c, of, one));
      check_same(prepared.back(), of, folder / one.folder);
    }
    agree();  // and before anything is written
    const bool there = training::run_state(folder) == training::RunState::unfinished;
    if (root) {
      const WorkAlone alone;  // the folder is its affair
      run.emplace(there ? training::RunFolder::resume(folder) : training::RunFolder::create(folder));
    }
    ranks.emplace(folder);
  });
  bool stopped = false;
  for (size_t i = 0; i < all.size(); ++i) {
    Combination& one = all[i];
    const fs::path own = folder / one.folder;
    if (training::run_state(own) == training::RunState::finished || stopped) continue;
    stopped = ranks->stop_requested();
    if (stopped || !ranks->take(i)) continue;
    fmt::print("run {} of {}: {}\n", i + 1, all.size(), one.folder);
    std::fflush(stdout);
    std::optional<training::NoProgress> quiet;
    if (!root) quiet.emplace();
    const WorkAlone alone;
    stopped = !train(prepared[i], one, own);
    if (stopped) ranks->stop();
  }
  const int exit_code = training::SignalWatch::exit_code();
  std::vector<std::string> states;
  for (const Combination& one : all) states.push_back(one.state);
  if (!ranks->meet(states, stopped ? exit_code : 0, stopped)) return;  // rank 0 does the rest
  const WorkAlone alone;
  for (size_t i = 0; i < all.size(); ++i) {
    Combination& one = all[i];
    one.state = ranks->state(i).empty() ? "to come" : ranks->state(i);
    if (training::run_state(folder / one.folder) == training::RunState::finished) {
      one.state = "finished";
      read_figures(one, folder / one.folder);
    }
  }
  stopped = ranks->stopped();
  write_table(all, run->file("study.csv"));
  const auto count = [&](std::string_view state) {
    return std::ranges::count_if(all, [&](const Combination& one) { return one.state.starts_with(state); });
  };
  call.figures.add("run", folder.string());
  call.figures.add("runs", int64_t(all.size()));
  call.figures.add("finished", int64_t(count("finished")));
  call.figures.add("failed", int64_t(count("failed")));
  call.figures.add("stopped", stopped);
  if (count("finished") > 0) print_table(all, of, call);
  fmt::print("{} of {} runs finished, {} failed; table: {}\n", count("finished"), all.size(), count("failed"),
             run->file("study.csv").string());
  if (stopped) {
    fmt::print("stopped and saved; the same command goes on\n");
    call.exit_code = ranks->exit_code();
    return;
  }
  if (count("failed") > 0) call.exit_code = kUsersInput;
  if (!of.compare || count("finished") == 0) return;
  std::vector<std::string> runs;
  for (const Combination& one : all)
    if (one.state == "finished") runs.push_back((folder / one.folder).string());
  try {
    of.compare(runs, *run);
  } catch (const InternalError&) {
    throw;
  } catch (const Error& e) {
    warn("no comparison was written: ", e.sentence());
  }
}

}  // namespace kern::apps
