#include "engine/stopwatch.h"

#include <chrono>
#include <utility>

namespace kern {

Stopwatch::Stopwatch(Device device) : device_(device) {
  if (device == Device::cuda) begin_.emplace(true), end_.emplace(true);
}

double Stopwatch::milliseconds(const std::function<void()>& work) {
  if (device_ == Device::cuda) {
    begin_->record();
    work();
    end_->record();
    end_->wait();
    return end_->milliseconds_since(*begin_);
  }
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

CallSeries::CallSeries(Device device, int count, std::function<void(int)> call)
    : count_(count), call_(std::move(call)) {
  if (device == Device::cpu) return;
  try {
    graph_.emplace([&] {
      for (int i = 0; i < count_; ++i) call_(i);
    });
  } catch (const InternalError&) {
    throw;
  } catch (const Error&) {
  }
}

double CallSeries::milliseconds_of_one(Stopwatch& watch) const {
  return watch.milliseconds([&] {
    if (graph_) return graph_->launch();
    for (int i = 0; i < count_; ++i) call_(i);
  }) / count_;
}

}  // namespace kern
