// The figures of timed implementations in a file, a line of JSON for each implementation of a case, written when it is done: what was killed
// in the middle goes on where it was.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "benchmarks/kernels.h"

namespace kern::benchmarks {

//   {"begin": "conv2d|4x128x128 16->16 3x3|cuda"}
//   {"implementation": "conv2d|4x128x128 16->16 3x3|cuda", "directions": [{"direction": "forward", "median_ms": 0.1, ...}, ...]}
class KernelRecord {
 public:
  // Reads what the file holds; lines that are no such line, like one that was cut short, count for nothing. Error where
  // the file cannot be read or made.
  explicit KernelRecord(const std::string& path);
  // For KernelOptions. An implementation is left out if it is done, or if it was begun twice and not done: it ends the program.
  bool begin(const std::string& op, const std::string& shape, const std::string& impl);
  void add(const KernelResult& result, double peak_copy);  // of the implementation that was begun; peak_copy: GB/s
  void end();
  int left_out() const { return left_out_; }

 private:
  void write(const std::string& line);
  struct State {
    int begun = 0;
    bool done = false;
  };
  std::string path_, row_;
  std::map<std::string, State> before_;
  std::map<std::string, int> asked_;  // in this process; several cases may have one name
  std::vector<std::pair<KernelResult, double>> results_;
  int left_out_ = 0;
};

}  // namespace kern::benchmarks
