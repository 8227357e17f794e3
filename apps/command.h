// The command line: kern <task> <verb> [config.yaml] [key=value ...]. A task is a table of verbs, a verb is a
// configuration described once (training/config.h) and a function. Parsing, help, --json, errors and exit codes are
// here, for all of them.
//
//   const Task& wells_task() {
//     static const Task task{"wells", "facies of 1-D well logs", {
//         verb<TrainConfig>("train", "train a model", describe_train, run_wells_train)}};
//     return task;
//   }
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "training/config.h"

namespace kern::apps {

enum ExitCode { kDone = 0, kUsersInput = 1, kUsage = 2, kOurs = 3 };

// What a verb found, by name and in order, for --json. Takes whatever a configuration key can be; NaN becomes null.
class Figures {
 public:
  template <class T>
  void add(const std::string& name, const T& value) {
    put(name, training::field::write_value(value));
  }
  void add(const std::string& name, const char* value) { add(name, std::string(value)); }
  std::string to_json() const;
  std::vector<std::pair<std::string, std::string>> lines() const;  // for a person
  std::string value(const std::string& name) const;                // as in lines(); empty: there is none

 private:
  void put(const std::string& name, training::Value value);
  training::Value values_ = training::Value::map();
};

// What a verb's function gets besides its configuration.
struct Call {
  const training::Schema& keys;  // to write the effective configuration, to ask what was given
  Figures figures = {};
  // Of several ranks that all have done their part rank 0 alone has another one than kDone, and one that a signal reached.
  int exit_code = kDone;
  std::vector<std::string> changes = {};  // "lr=0.1": what a resumed run's own configuration says otherwise
};

// What a run's config.yaml holds: the configuration in force, which names this run and resumes none, so that it serves
// a new training as well.
template <class Config>
std::string configuration_of(void (*describe)(training::Schema&, Config&), const Config& config, const std::string& run,
                             const Call& call) {
  Config own = config;
  own.run = run;
  own.resume.clear();
  training::Schema keys(call.keys.command());
  describe(keys, own);
  return keys.to_yaml();
}

struct Verb {
  struct Prepared {
    training::Schema keys;
    std::function<void(Call&)> run;
  };
  std::string name, help;
  std::function<Prepared(const std::string& command)> prepare;  // a configuration of its own, at its defaults
  // The key that words of the command line without '=' belong to, but for those that end in .yaml or .yml: those are
  // configuration files, as all are where this is empty.
  std::string words_key = {};
  bool one_word = false;         // the key takes a single word, a file; otherwise it is a list
  int input_code = kUsersInput;  // the exit code of an Error, where 1 says something else; its help should name it
  bool takes_ranks = false;  // several processes share its work (engine/communicator.h); others refuse to be started so
  Verb failing_with(int code) && {
    input_code = code;
    return std::move(*this);
  }
  Verb on_ranks() && {
    takes_ranks = true;
    return std::move(*this);
  }
  Verb taking(std::string key) && {
    words_key = std::move(key);
    return std::move(*this);
  }
  Verb taking_one(std::string key) && {
    one_word = true;
    return std::move(*this).taking(std::move(key));
  }
};

template <class Config>
Verb verb(std::string name, std::string help, void (*describe)(training::Schema&, Config&),
          void (*run)(const Config&, Call&)) {
  return {std::move(name), std::move(help), [=](const std::string& command) {
            auto config = std::make_shared<Config>();
            Verb::Prepared prepared{training::Schema(command), [=](Call& call) { run(*config, call); }};
            describe(prepared.keys, *config);
            return prepared;
          }};
}

struct Task {
  std::string name, help;  // an empty name: the verbs stand by themselves, kern export
  std::vector<Verb> verbs;
  std::string command(const Verb& verb) const { return name.empty() ? verb.name : name + " " + verb.name; }
};

// Runs what the arguments ask for and returns the program's exit code. Results go to stdout, errors and warnings to
// stderr.
int run_command(const std::vector<const Task*>& tasks, const std::vector<std::string>& arguments);
// docs/configuration.md: every key of every task.
std::string configuration_page(const std::vector<const Task*>& tasks);

}  // namespace kern::apps
