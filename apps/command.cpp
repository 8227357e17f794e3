#include "apps/command.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>

#include "apps/completion.h"
#include "apps/info.h"
#include "apps/ranks.h"
#include "engine/atomic_file.h"
#include "engine/autograd.h"
#include "engine/communicator.h"
#include "engine/json.h"
#include "engine/tuner.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/error.h"
#include "kernels/common/log.h"
#include "kernels/common/terminal.h"
#include "kernels/conv/conv2d.h"
#include "layers/fusion.h"

namespace kern::apps {
namespace {

using training::Value;

struct UsageError {
  std::string sentence;
};

nlohmann::ordered_json json_of(const Value& v) {
  switch (v.kind) {
    case Value::Kind::null:
      return nullptr;
    case Value::Kind::scalar: {
      if (v.quoted) return v.text;
      auto number = nlohmann::ordered_json::parse(v.text, nullptr, false);
      return number.is_discarded() ? nullptr : number;  // nan, inf
    }
    case Value::Kind::list: {
      auto out = nlohmann::ordered_json::array();
      for (const Value& item : v.items) out.push_back(json_of(item));
      return out;
    }
    case Value::Kind::map:
      break;
  }
  auto out = nlohmann::ordered_json::object();
  for (size_t i = 0; i < v.items.size(); ++i) out[v.keys[i]] = json_of(v.items[i]);
  return out;
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// What every verb takes besides its keys.
struct VerbOptions {
  std::vector<std::string> words;  // config.yaml and key=value
  std::string json;
  bool help_keys = false, markdown = false, quiet = false;
};

// While it lives, what is printed for a person goes nowhere; warnings and errors stay.
class SilentOutput {
 public:
  explicit SilentOutput(bool silent) {
    if (!silent) return;
    std::fflush(stdout);
    before_ = ::dup(STDOUT_FILENO);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (before_ >= 0 && nowhere >= 0) ::dup2(nowhere, STDOUT_FILENO);
    if (nowhere >= 0) ::close(nowhere);
  }
  ~SilentOutput() {
    if (before_ < 0) return;
    std::fflush(stdout);
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }
  SilentOutput(const SilentOutput&) = delete;
  SilentOutput& operator=(const SilentOutput&) = delete;

 private:
  int before_ = -1;
};

void add_verb_options(CLI::App& app, const Verb& verb, VerbOptions& to) {
  const std::string words = verb.words_key.empty() ? "" : verb.one_word ? "[FILE] " : verb.words_key + "... ";
  app.add_option("words", to.words,
                 (verb.words_key.empty() ? "" : "the " + verb.words_key + ", ") +
                     "a configuration file and single keys, key=value, that override it")
      ->type_name(words + "[config.yaml] [key=value]");
  app.add_option("--json", to.json, "write the figures to this file")->type_name("FILE");
  app.add_flag("--quiet", to.quiet, "say nothing but warnings and errors");
  app.add_flag("--help-keys", to.help_keys, "list every key with its default and meaning");
  app.add_flag("--markdown", to.markdown, "with --help-keys: as Markdown tables");
}

// Whether a word is key=value. The folders that a study makes are named so too: what holds a slash before its '=', or
// stands on the disk and is no key, is a path.
bool is_setting(const std::string& word, const training::Schema& keys) {
  const size_t equals = word.find('=');
  if (equals == word.npos) return false;
  const std::string name = word.substr(0, equals);
  std::error_code none;
  return name.find('/') == name.npos && (keys.has(name) || !std::filesystem::exists(word, none));
}

// Whether the word is one for the verb's own key rather than a setting or a configuration.
bool is_for_verb(const Verb& verb, const std::string& word, const training::Schema& keys) {
  return !verb.words_key.empty() && !is_setting(word, keys) && !word.ends_with(".yaml") && !word.ends_with(".yml");
}

// Whether a word that is no setting is the data: a folder, where a configuration is a file.
bool is_data_folder(const std::string& word, const training::Schema& keys) {
  std::error_code none;
  return keys.has("data") && std::filesystem::is_directory(word, none);
}

int run_verb(const std::string& command, const Verb& verb, const VerbOptions& options) {
  Verb::Prepared prepared = verb.prepare(command);
  if (options.help_keys) {
    print(options.markdown ? prepared.keys.markdown() : prepared.keys.help());
    return kDone;
  }
  constexpr std::string_view kResume = "resume=";
  std::string file, resumed;
  training::Value listed = training::Value::list();
  std::string data;
  for (const std::string& word : options.words) {
    if (word.starts_with(kResume)) resumed = word.substr(kResume.size());
    if (is_setting(word, prepared.keys)) continue;
    if (is_for_verb(verb, word, prepared.keys)) {
      listed.items.push_back(training::Value::scalar(word, true));
      continue;
    }
    if (is_data_folder(word, prepared.keys)) {
      check(data.empty(), "two folders of data are given, '", data, "' and '", word, "': name one");
      data = word;
      continue;
    }
    check(file.empty(), "two configuration files are given, '", file, "' and '", word,
          "': keep one; single keys are given as key=value");
    file = word;
  }
  std::vector<std::pair<std::string, std::string>> stored;  // of a resumed run
  // A run goes on with the configuration it began with; what is given now comes on top.
  if (!resumed.empty() && prepared.keys.has("resume")) {
    std::error_code missing;
    const std::string config = resumed + "/config.yaml";
    check(std::filesystem::exists(config, missing), "resume=", resumed, " is not the folder of a run: there is no ",
          config, ". Name the folder that an earlier training had as run=");
    prepared.keys.load_yaml(config);
    stored = prepared.keys.values();
  }
  if (!file.empty()) prepared.keys.load_yaml(file);
  if (!listed.items.empty()) {
    check(!verb.one_word || listed.items.size() == 1, "two files are given, '", listed.items[0].text, "' and '",
          listed.items.back().text, "': name a folder for several");
    prepared.keys.set(verb.words_key, verb.one_word ? listed.items[0] : listed, "command line");
  }
  if (!data.empty()) prepared.keys.set("data", training::Value::scalar(data, true), "command line");
  for (const std::string& word : options.words) {
    if (!is_setting(word, prepared.keys)) continue;
    check(data.empty() || !word.starts_with("data="), "the data are named twice, as '", data, "' and by ", word,
          ": keep one");
    prepared.keys.set(word);
  }
  if (options.quiet && prepared.keys.has("quiet")) prepared.keys.set("quiet=true");
  prepared.keys.check();
  expect_same_start(version(), options.words, prepared.keys);
  const SilentOutput silent(options.quiet || !communicator().root());
  const FirstRankLogs logs;
  // What would only be found wrong after hours of work is looked at first.
  kernels::preferred_impl({});  // reads KERN_IMPL
  kernels::winograd_enabled();  // KERN_WINOGRAD
  fusion_enabled();             // KERN_FUSION
  recompute_enabled();          // KERN_RECOMPUTE
  check_tuning();               // KERN_TUNE
  std::error_code none;
  if (const auto folder = std::filesystem::path(options.json).parent_path(); !folder.empty() && communicator().root())
    check(std::filesystem::is_directory(folder, none), "--json ", options.json, ": there is no folder ",
          folder.string());
  Call call{prepared.keys};
  if (const auto values = prepared.keys.values(); !stored.empty())
    for (size_t i = 0; i < values.size(); ++i)
      if (values[i] != stored[i] && values[i].first != "resume")
        call.changes.push_back(values[i].first + "=" + values[i].second);
  prepared.run(call);
  if (!options.json.empty() && communicator().root()) write_file(options.json, call.figures.to_json());
  return call.exit_code;
}

// The word after those that are known, answered with the nearest known one.
[[noreturn]] void refuse(const CLI::App& app, const std::string& shown, const std::string& word) {
  if (word.size() > 1 && word[0] == '-') {
    if (const auto equals = word.find('='); equals != word.npos && word.starts_with("--"))
      throw UsageError{text("unknown option '", word, "': keys are given without dashes, as ", word.substr(2))};
    std::vector<std::string> known;
    for (const CLI::Option* o : app.get_options())
      for (const std::string& name : o->get_lnames()) known.push_back("--" + name);
    const std::string near = training::nearest_word(word, known);
    throw UsageError{text("unknown option '", word, near.empty() ? "'; '" : "'; did you mean '" + near + "'? '", shown,
                          " --help' lists the options, keys are given as key=value")};
  }
  std::vector<std::string> known;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(sub->get_name());
  const std::string near = training::nearest_word(word, known);
  throw UsageError{text("'", shown, "' knows no '", word, near.empty() ? "'; '" : "'; did you mean '" + near + "'? '",
                        shown, " --help' lists what it knows")};
}

void parse_and_run(const std::vector<const Task*>& tasks, std::vector<std::string> arguments, int& exit_code,
                   int& input_code) {
  CLI::App app("Kern: deep learning on field data, from well logs to seismic sections.", "kern");
  app.footer(
      "'kern TASK VERB --help-keys' lists every key of a verb. Exit codes: 0 done, 1 the input, 2 usage, 3 a fault of "
      "kern, 130 stopped by Ctrl-C (143 by SIGTERM).");
  app.set_version_flag("--version", "kern " + version());
  std::vector<CLI::App*> all{&app};
  InfoOptions info;
  CLI::App* info_app = app.add_subcommand("info", "this build and this machine");
  info_app->add_flag("--ops", info.ops, "the table of ops, devices and implementations, as Markdown");
  info_app->add_flag("--tuned", info.tuned, "what tuning measured on this machine, and the rows it chose");
  info_app->add_flag("--keys", info.keys, "every key of every command, as Markdown");
  std::vector<std::string> info_words;
  info_app->add_option("words", info_words, "model=FILE: what that model, or the model of a run folder, says of itself")
      ->type_name("[model=FILE]");
  info_app->add_option("--json", info.json, "write the figures to this file")->type_name("FILE");
  all.push_back(info_app);

  std::string shell;
  CLI::App* completion_app = app.add_subcommand("completion", "the script that completes commands and keys in a shell");
  completion_app->add_option("shell", shell, "bash, zsh or fish")->type_name("SHELL");
  CLI::App* man_app = app.add_subcommand("man", "the manual page, as man reads it: kern man | man -l -");
  all.push_back(completion_app), all.push_back(man_app);

  VerbOptions options;  // one verb runs: all write here
  for (const Task* task : tasks) {
    CLI::App* task_app = &app;
    if (!task->name.empty()) all.push_back(task_app = app.add_subcommand(task->name, task->help));
    for (const Verb& verb : task->verbs) {
      all.push_back(task_app->add_subcommand(verb.name, verb.help));
      add_verb_options(*all.back(), verb, options);
    }
  }
  for (CLI::App* a : all) a->allow_extras()->set_help_flag("--help,-h", "this text");

  // What the shells' scripts ask: the words are a command line that is not complete, and none of ours.
  if (arguments.size() >= 2 && arguments[0] == "completion" && arguments[1] == "words")
    return print(to_lines(candidates(tasks, {arguments.begin() + 2, arguments.end()})));
  if (!arguments.empty() && arguments[0] == "help") {  // kern help wells train
    arguments.erase(arguments.begin());
    arguments.push_back("--help");
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    return print(app.help());
  } catch (const CLI::CallForVersion& v) {
    return print(std::string(v.what()) + "\n");
  } catch (const CLI::ParseError& e) {
    throw UsageError{text("the command line is not understood: ", e.what())};
  }

  CLI::App* at = &app;
  std::string shown = "kern";
  while (true) {
    if (const auto extra = at->remaining(); !extra.empty()) refuse(*at, shown, extra[0]);
    const auto chosen = at->get_subcommands();
    if (chosen.empty()) break;
    if (chosen.size() > 1)
      throw UsageError{
          text("'", chosen[0]->get_name(), "' and '", chosen[1]->get_name(), "' cannot be asked for together")};
    at = chosen[0];
    shown += " " + at->get_name();
  }
  constexpr std::string_view kModel = "model=";
  for (const std::string& word : info_words) {
    if (!word.starts_with(kModel) || !info.model.empty()) refuse(*info_app, shown, word);
    info.model = word.substr(kModel.size());
    check(!info.model.empty(), "model= names no file");
  }
  if (at == info_app) return info.keys ? print(configuration_page(tasks)) : show_info(info);
  if (at == completion_app) return print(completion_script(shell));
  if (at == man_app) return print(manual_page(tasks));
  if (!at->get_subcommands([](const CLI::App*) { return true; }).empty()) {  // `kern` or `kern wells` alone
    std::fputs(at->help().c_str(), stderr);
    exit_code = kUsage;
    return;
  }
  for (const Task* task : tasks)
    for (const Verb& verb : task->verbs)
      if (shown == "kern " + task->command(verb)) {
        input_code = verb.input_code;
        const int ranks = communicator().size();
        check(ranks == 1 || verb.takes_ranks, "kern ", task->command(verb), " is done by one process, and ", ranks,
              " were started: each would do the whole of it. Start it without mpirun");
        exit_code = run_verb(task->command(verb), verb, options);
        return;
      }
  throw InternalError(text("no verb for '", shown, "'"));
}

std::string gigabytes(double bytes) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f GB", bytes / 1e9);
  return buffer;
}

std::string out_of_memory() {
  rusage used{};
  struct sysinfo machine {};
  getrusage(RUSAGE_SELF, &used);
  sysinfo(&machine);
  return text("out of memory: kern holds up to ", gigabytes(double(used.ru_maxrss) * 1024), ", the machine has ",
              gigabytes(double(machine.totalram) * machine.mem_unit), ". A smaller batch= or smaller pieces need less");
}

}  // namespace

void Figures::put(const std::string& name, Value value) {
  for (size_t i = 0; i < values_.keys.size(); ++i)
    if (values_.keys[i] == name) {
      values_.items[i] = std::move(value);
      return;
    }
  values_.keys.push_back(name);
  values_.items.push_back(std::move(value));
}

std::vector<std::pair<std::string, std::string>> Figures::lines() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (size_t i = 0; i < values_.keys.size(); ++i) {
    const Value& v = values_.items[i];
    out.emplace_back(values_.keys[i], v.kind == Value::Kind::scalar ? v.text : training::to_flow(v));
  }
  return out;
}

std::string Figures::value(const std::string& name) const {
  for (const auto& [known, text] : lines())
    if (known == name) return text;
  return {};
}

std::string Figures::to_json() const {
  return json_of(values_).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int run_command(const std::vector<const Task*>& tasks, const std::vector<std::string>& arguments) {
  int exit_code = kDone, input_code = kUsersInput;
  try {
    parse_and_run(tasks, arguments, exit_code, input_code);
  } catch (const UsageError& e) {
    return complain(e.sentence, kUsage);
  } catch (const InternalError& e) {
    return complain(text("a fault of kern, please report it: ", e.what()), kOurs);
  } catch (const RankLost& e) {
    return complain_of_lost_rank(e.sentence(), input_code);
  } catch (const Error& e) {
    return complain(e.sentence(), input_code);
  } catch (const std::filesystem::filesystem_error& e) {  // a folder that may not be entered, a name that is too long
    return complain(text("cannot use ", e.path1().string(), ": ", e.code().message()), input_code);
  } catch (const std::bad_alloc&) {
    return complain(out_of_memory(), kOurs);
  } catch (const std::exception& e) {
    return complain(text("a fault of kern, please report it: ", e.what()), kOurs);
  }
  errno = 0;
  if (std::fflush(stdout) != 0 && errno != EPIPE)  // a reader that left early (kern info | head) is no error
    return complain(text("cannot write to the standard output: ", std::strerror(errno)), input_code);
  return exit_code;
}

}  // namespace kern::apps
