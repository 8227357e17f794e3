#include "engine/trace.h"

#include <utility>

namespace kern {
namespace {
thread_local Trace* of_this_thread = nullptr;
}

Trace::Trace() : before_(std::exchange(of_this_thread, this)) {}
Trace::~Trace() { of_this_thread = before_; }
Trace* Trace::current() { return of_this_thread; }

void Trace::add(const char* op, const std::vector<Tensor>& inputs, const Tensor& y) {
  ops_.push_back({op, inputs, y, std::exchange(spec_, {}), std::exchange(more_, {})});
}

}  // namespace kern
