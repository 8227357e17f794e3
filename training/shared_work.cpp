#include "training/shared_work.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "engine/agreement.h"
#include "engine/communicator.h"
#include "training/progress.h"
#include "training/stop.h"

namespace kern::training {
namespace {

constexpr double kRound = 1;      // seconds
constexpr double kUpkeep = 0.05;  // of a round's time that flush and after_round may take
constexpr int64_t kFaster = 4;    // times as many units as the round before has

// A message: numbers and texts, each text after its length.
class Message {
 public:
  Message() = default;
  explicit Message(std::string bytes) : bytes_(std::move(bytes)) {}
  Message& put(int64_t number) { return bytes_ += std::to_string(number) + " ", *this; }
  Message& put(const std::string& text) { return put(int64_t(text.size())), bytes_ += text, *this; }
  int64_t number() {
    char* end = nullptr;
    const int64_t n = std::strtoll(bytes_.c_str() + at_, &end, 10);
    at_ = size_t(end - bytes_.c_str()) + 1;
    return n;
  }
  std::string text() {
    const auto n = size_t(number());
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

}  // namespace

std::string of_rank(const UnitDone& done) {
  return communicator().alone() ? "" : "rank " + std::to_string(done.rank) + ": ";
}

int64_t share_work(int64_t first, int64_t last, const SharedWork& work) {
  const Communicator& ranks = communicator();
  int64_t done = first, units = 1;  // units of a round for each rank
  double upkeep = 0;                // seconds of the last round's flush and after_round, on this rank
  bool leave = false;
  while (done < last && !leave) {
    const int64_t all = std::min(last - done, units * ranks.size());
    const auto [begin, end] = ranks.share(all);
    const double begun = steady_seconds();
    std::vector<std::string> said;
    while (int64_t(said.size()) < end - begin && !leave) {
      said.push_back(work.unit(done + begin + int64_t(said.size())));
      leave = work.leave ? work.leave() : SignalWatch::asked();
    }
    const double worked = std::max(1e-6, steady_seconds() - begun);
    const double flushing = steady_seconds();
    if (work.flush) work.flush();
    upkeep += steady_seconds() - flushing;
    // Rank 0 says how long the next round is.
    const double wanted = std::max(kRound, upkeep / kUpkeep) / worked;
    const auto next =
        std::clamp<int64_t>(int64_t(double(units) * std::min(wanted, double(kFaster))), 1, std::min(last, work.most));
    Message mine;
    mine.put(next).put(leave).put(int64_t(said.size()));
    for (const std::string& s : said) mine.put(s);

    // Done are the units up to the first that a rank has left.
    const std::vector<std::string> messages = agree(mine.bytes());
    std::vector<UnitDone> finished;
    bool whole = true;
    for (int r = 0; r < ranks.size(); ++r) {
      Message theirs(messages[size_t(r)]);
      const int64_t theirs_next = theirs.number();
      if (r == 0) units = theirs_next;
      leave = theirs.number() || leave;
      const int64_t count = theirs.number();
      for (int64_t k = 0; k < count && whole; ++k)
        finished.push_back({done + int64_t(finished.size()), r, theirs.text()});
      const auto [from, to] = ranks.share(all, r);
      whole = whole && count == to - from;
    }
    if (work.told)
      for (const UnitDone& unit : finished) work.told(unit);
    done += int64_t(finished.size());
    const double ending = steady_seconds();
    if (work.after_round) work.after_round(done);
    upkeep = steady_seconds() - ending;
  }
  return done;
}

}  // namespace kern::training
