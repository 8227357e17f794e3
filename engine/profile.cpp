#include "engine/profile.h"

#include <chrono>

#include "engine/tensor.h"

namespace kern {
namespace {
thread_local Profile* current = nullptr;
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double bytes_of(const Tensor& t) { return t ? double(t.size()) * double(size_of(t.dtype())) : 0; }
}  // namespace

Profile::Profile(bool by_shape) : by_shape_(by_shape), last_(now()), before_(std::exchange(current, this)) {}
Profile::~Profile() { current = before_; }
void Profile::start_clock() { last_ = now(); }

void Profile::mark(const char* op, Direction direction, const Tensor& shown, const std::vector<Tensor>& others) {
  if (current) current->add(op, direction, shown, others);
}

void Profile::add(const char* op, Direction direction, const Tensor& shown, const std::vector<Tensor>& others) {
  Impl& row = rows_[{by_shape_ ? std::string(op) + " " + to_string(shown.shape()) : op, direction}];
  ++row.calls;
  row.bytes += bytes_of(shown);
  for (const Tensor& t : others) row.bytes += bytes_of(t);
  const double t = now();
  row.seconds += t - std::exchange(last_, t);
}

}  // namespace kern
