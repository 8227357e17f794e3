// What changes for a person where several ranks (engine/communicator.h) do one command: rank 0 speaks for all, an error
// says whose it is and ends all of them, and ranks that were not started alike are refused.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "kernels/common/log.h"
#include "training/config.h"
#include "training/loop.h"

namespace kern::apps {

// While it lives, warnings and notes of other ranks than the first go nowhere: they would say the same.
class FirstRankLogs {
 public:
  FirstRankLogs();
  ~FirstRankLogs();
  FirstRankLogs(const FirstRankLogs&) = delete;

 private:
  bool silent_;
  LogSink before_;
};

// "error: <sentence>" on stderr, and the exit code. Of several ranks it does not return: it ends all of them with the
// code. A sentence that all meet is said once; otherwise it begins with the ranks that met it, "rank 1: ".
int complain(const std::string& sentence, int code);
// A rank that the others waited for in vain (RankLost): the sentence names it. Ends all ranks, as above.
int complain_of_lost_rank(const std::string& sentence, int code);

// What a command that a signal stopped ends with, which may have reached one rank only: rank 0 gets its code, the others 0. All ranks.
int exit_code_of_signal();

// After a step that this rank left in the middle, where others may wait for it: ends all of them, when rank 0 has spoken.
// One rank: nothing.
void end_ranks_in_step(int code);

// An Error that names the first rank whose version, command line, configuration or KERN_ settings of how is computed are
// not rank 0's. One rank: nothing.
void expect_same_start(std::string_view version, const std::vector<std::string>& words, const training::Schema& keys);
// The same of what a training is of: the identity that its checkpoints have (data, split, model).
void expect_same_training(const training::Training& training);

}  // namespace kern::apps
