// Every call of an implementation's entry on a GPU while an EntryLog lives: which op, entry and implementation, and the least that it
// computes and moves. select() hands out implementations that note the call and go on to the implementation of the registry that would have
// served, in forward and in backward alike.
//
// Bytes: each array that the entry reads or writes counts once per pass that cannot be avoided (a norm over a batch
// reads its input twice), filters and parameters included; what an implementation moves besides (packed filters,
// partial sums, halos read again) is not in it. Flops: a multiply-add is two.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kern::benchmarks {

struct EntryCall {
  std::string op, entry, impl;  // the implementation whose kernels run: conv2d's where a linear layer is computed by it
  double flops = 0, bytes = 0;
};

class EntryLog {
 public:
  // running(i): entry i of calls() begins; running(-1): it has ended. One log at a time, of the whole process.
  explicit EntryLog(std::function<void(int)> running);
  ~EntryLog();
  EntryLog(const EntryLog&) = delete;
  EntryLog& operator=(const EntryLog&) = delete;
  const std::vector<EntryCall>& calls() const { return calls_; }

  // For the noting implementations. An entry that calls another op's is one call: the inner one says which implementation it is.
  static EntryLog* current();
  void begin(std::string_view op, std::string_view entry, std::string_view impl, double flops, double bytes);
  void end();

 private:
  std::function<void(int)> running_;
  std::vector<EntryCall> calls_;
  int depth_ = 0;
};

}  // namespace kern::benchmarks
