// A rank's part of a batch that several ranks make together (engine/communicator.h): contiguous, in the order of ranks. Samples depend on
// their place in the whole batch alone, so the ranks' parts, one after the other, are the batch of a single process.
#pragma once
#include <cstdint>

namespace kern::data {

struct Share {
  int rank = 0, ranks = 1;
  // Samples [first, last) of n. Where n is less than the ranks, one that gets none is lent the first sample, which must
  // not count: it keeps the rank's steps alike.
  struct Part {
    int64_t first, last;
    bool lent;
    int64_t size() const { return last - first; }
  };
  Part of(int64_t n) const {
    const int64_t first = n * rank / ranks, last = n * (rank + 1) / ranks;
    return first < last || n == 0 ? Part{first, last, false} : Part{0, 1, true};
  }
};

// What a batch tells of the whole that it is a part of.
struct Whole {
  int64_t samples = 0;  // of all ranks
  bool lent = false;    // this part is not among them
};

}  // namespace kern::data
