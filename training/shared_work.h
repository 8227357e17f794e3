// Units of work that ranks (engine/communicator.h) share: lines of a survey, tiles of a cube, files of a folder. They go
// in rounds, each of as many units as take about a second; every rank does a contiguous part of a round. So no rank is
// far ahead of another, what is done is always the first so many units, and one that hangs is missed at the end of a
// round, not of the work. One process does the same with itself.
//
//   share_work(0, files.size(), {.unit = [&](int64_t i) { return predict(files[i]); },
//                                .told = [&](const UnitDone& d) { if (communicator().root()) print(d.said); }});
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace kern::training {

struct UnitDone {
  int64_t index;
  int rank;          // that did it
  std::string said;  // what unit() returned
};

// "rank 1: "; nothing where there is one process.
std::string of_rank(const UnitDone& done);

struct SharedWork {
  // On one rank, each: what it returns is told all ranks. Its Errors are all ranks' (engine/agreement.h).
  std::function<std::string(int64_t index)> unit;
  // On all ranks, for every unit in order, after its round.
  std::function<void(const UnitDone& done)> told = {};
  // On all ranks: before the others hear that this rank is done with its part; and at the end of a round, with how many
  // units are done now. Rounds are long enough for these to take a twentieth of the time.
  std::function<void()> flush = {};
  std::function<void(int64_t done)> after_round = {};
  // On one rank, after each unit: whether all leave now. Empty: where a signal (training/stop.h) asks for it.
  std::function<bool()> leave = {};
  int64_t most = std::numeric_limits<int64_t>::max();  // units of a round on one rank, where what they return is large
};

// Of the units first .. last - 1; within together(). Returns how many are done, counted from 0: less than `last` where
// a rank wanted to leave; the same on all.
int64_t share_work(int64_t first, int64_t last, const SharedWork& work);

}  // namespace kern::training
