#include "apps/study_ranks.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "engine/agreement.h"
#include "engine/atomic_file.h"
#include "engine/communicator.h"
#include "engine/json.h"
#include "training/stop.h"

namespace kern::apps {
namespace fs = std::filesystem;

StudyRanks::StudyRanks(fs::path study)
    : study_(std::move(study)), taken_(study_ / "taken"), alone_(communicator().alone()) {
  if (alone_) return;
  if (communicator().root()) {
    fs::remove_all(taken_);
    make_folder(taken_);
  }
  agree();
  check_shared(taken_);
}

bool StudyRanks::take(size_t training) const {
  if (alone_) return true;
  const fs::path name = taken_ / std::to_string(training);
  const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  check(file >= 0 || errno == EEXIST, "cannot write ", name.string(), ": ", std::strerror(errno));
  if (file >= 0) ::close(file);
  return file >= 0;
}

bool StudyRanks::stop_requested() const {
  std::error_code ignored;
  return fs::exists(study_ / "stop", ignored) || fs::exists(taken_ / "stop", ignored);
}

void StudyRanks::stop() const {
  if (!alone_) write_file(taken_ / "stop", "");
}

bool StudyRanks::meet(const std::vector<std::string>& states, int exit_code, bool stopped) {
  const Communicator& ranks = communicator();
  if (!alone_) {
    // Trainings end hours apart: a rank that waits asks the folder, for the others would be missed in an exchange. A
    // signal is for those that train.
    const training::SignalWatch signals;
    write_file(taken_ / ("done" + std::to_string(ranks.rank())), "");
    std::error_code ignored;
    for (int r = 0; r < ranks.size(); ++r)
      while (!fs::exists(taken_ / ("done" + std::to_string(r)), ignored))
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const nlohmann::json mine{{"states", states}, {"exit_code", exit_code}, {"stopped", stopped}};
  std::vector<std::string> said;
  together([&] { said = agree(mine.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)); });
  if (!ranks.root()) return false;
  states_.resize(states.size());
  for (const std::string& theirs : said) {
    const auto j = nlohmann::json::parse(theirs);
    for (size_t i = 0; i < states_.size(); ++i)
      if (const auto state = j["states"][i].get<std::string>(); !state.empty()) states_[i] = state;
    stopped_ = stopped_ || j["stopped"].get<bool>();
    exit_code_ = std::max(exit_code_, j["exit_code"].get<int>());
  }
  if (!alone_) fs::remove_all(taken_);
  return true;
}

}  // namespace kern::apps
