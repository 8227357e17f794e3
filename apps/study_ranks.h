// Ranks (engine/communicator.h) as the workers of a study: each takes the next training that nobody has taken, until
// there is none. Who has taken what stands in the study's folder, which all ranks must see; a rank that is done waits
// for the others however long they train. One process takes everything.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace kern::apps {

class StudyRanks {
 public:
  // Within together(); the folder is there. What killed ranks had taken is free again.
  explicit StudyRanks(std::filesystem::path study);
  // Whether the training is this rank's to do.
  bool take(size_t training) const;
  // A file named stop in the study's folder, or stop() on any rank: no more is taken.
  bool stop_requested() const;
  void stop() const;
  // When all ranks have come here, rank 0 gets what they say and true. `states`: of every training, empty for those that
  // this rank did not do.
  bool meet(const std::vector<std::string>& states, int exit_code, bool stopped);

  // On rank 0, after meet().
  const std::string& state(size_t training) const { return states_[training]; }
  bool stopped() const { return stopped_; }
  int exit_code() const { return exit_code_; }  // the largest

 private:
  std::filesystem::path study_, taken_;
  bool alone_;  // a rank that trains is so for itself, too
  std::vector<std::string> states_;
  bool stopped_ = false;
  int exit_code_ = 0;
};

}  // namespace kern::apps
