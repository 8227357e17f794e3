// Where a step's time goes: seconds and bytes by op and direction, while a Profile is in scope. An op's time is what
// passed since the one before it ended, so nothing is missing from the sum.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/tensor.h"

namespace kern {

class Profile {
 public:
  enum class Direction { forward, backward, update };
  struct Impl {
    uint64_t calls = 0;
    double seconds = 0, bytes = 0;  // bytes: of the arrays read and written, each counted once
  };
  using Key = std::pair<std::string, Direction>;

  // by_shape: rows are named "conv2d [4,128,128,32]", after the op's output.
  explicit Profile(bool by_shape = false);
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;
  void start_clock();  // what passed until now belongs to no op
  const std::map<Key, Impl>& rows() const { return rows_; }

  // For the engine: an op has just ended. Costs nothing where no profile is in scope.
  static void mark(const char* op, Direction direction, const Tensor& shown, const std::vector<Tensor>& others = {});

 private:
  void add(const char* op, Direction direction, const Tensor& shown, const std::vector<Tensor>& others);
  bool by_shape_;
  double last_ = 0;
  std::map<Key, Impl> rows_;
  Profile* before_;
};

inline std::string_view to_string(Profile::Direction d) {
  return d == Profile::Direction::forward ? "forward" : d == Profile::Direction::backward ? "backward" : "update";
}

}  // namespace kern
