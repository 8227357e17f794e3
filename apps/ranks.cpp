#include "apps/ranks.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "engine/communicator.h"
#include "kernels/common/terminal.h"
#include "training/stop.h"

namespace kern::apps {
namespace {

void print_error(const std::string& sentence) {
  std::fprintf(stderr, "%s %s\n", painted("error:", Colour::red).c_str(), terminal_text(sentence).c_str());
  std::fflush(stderr);
}

// Whose sentence it is, "rank 1, 3"; nothing where it is everyone's.
std::string owners(const std::vector<std::string>& said, const std::string& sentence) {
  std::string ranks;
  for (size_t r = 0; r < said.size(); ++r)
    if (said[r] == sentence) ranks += (ranks.empty() ? "rank " : ", ") + std::to_string(r);
  return std::count(said.begin(), said.end(), sentence) == std::ptrdiff_t(said.size()) ? "" : ranks + ": ";
}

}  // namespace

FirstRankLogs::FirstRankLogs() : silent_(!communicator().root()) {
  if (silent_) before_ = set_log_sink([](LogLevel, const std::string&) {});
}
FirstRankLogs::~FirstRankLogs() {
  if (silent_) set_log_sink(before_);
}

int complain(const std::string& sentence, int code) {
  Communicator& all = communicator();
  if (all.alone()) return print_error(sentence), code;
  const std::vector<std::string> said = all.last_words(sentence);
  const auto first_that = [&](auto holds) { return int(std::ranges::find_if(said, holds) - said.begin()); };
  const int speaker = first_that([&](const std::string&s) { return s == sentence; }),
            first = first_that([](const std::string&s) { return !s.empty(); });
  if (speaker == all.rank()) print_error(owners(said, sentence) + sentence);
  // The first of those that fail ends all, when the others have said what they have to.
  std::this_thread::sleep_for(std::chrono::milliseconds(first == all.rank() ? 300 : 5000));
  all.abort(code);
  return code;
}

int complain_of_lost_rank(const std::string& sentence, int code) {
  print_error(sentence);
  communicator().abort(code);
  return code;
}

int exit_code_of_signal() {
  int code = 0;
  for (const std::string& theirs : communicator().gather(std::to_string(training::SignalWatch::exit_code())))
    code = std::max(code, std::stoi(theirs));
  return communicator().root() ? code : 0;
}

void end_ranks_in_step(int code) {
  Communicator& all = communicator();
  if (all.alone()) return;
  if (!all.root()) std::this_thread::sleep_for(std::chrono::seconds(3));
  all.abort(code);
}

void expect_same_start(std::string_view version, const std::vector<std::string>& words, const training::Schema& keys) {
  if (communicator().alone()) return;
  expect_alike("version of kern", version);
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  expect_alike("command line", "'" + line + "'");
  const auto values = keys.values();
  expect_alike("number of keys", std::to_string(values.size()));
  // One message where all is well.
  std::string all_values;
  for (const auto& [key, value] : values) all_values += key + "=" + value + "\n";
  bool differs = false;
  for (const std::string& theirs : communicator().gather(all_values)) differs = differs || theirs != all_values;
  if (communicator().any(differs))
    for (const auto& [key, value] : values) expect_alike("configuration", key + "=" + value);
  for (const char* name : {"KERN_IMPL", "KERN_WINOGRAD", "KERN_FUSION", "KERN_RECOMPUTE"}) {
    const char* const value = std::getenv(name);
    expect_alike("environment", value ? text(name, "=", value) : text("no ", name));
  }
}

void expect_same_training(const training::Training& training) {
  for (const auto& [key, value] : training.identity) expect_alike(key, value);
}

}  // namespace kern::apps
