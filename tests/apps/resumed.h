// Of tests that interrupt a training and go on with it.
#pragma once
#include <signal.h>

#include <chrono>
#include <functional>
#include <thread>

#include "engine/atomic_file.h"
#include "tests/apps/kern_process.h"
#include "training/checkpoint.h"

namespace kern::testing {

inline void expect_equal_files(const std::string& a, const std::string& b) {
  for (const char* name :
       {"model.safetensors", "model_last.safetensors", "metrics.csv", "confusion.csv", "per_class.csv"}) {
    const std::string left = read_file(std::filesystem::path(a) / name),
                      right = read_file(std::filesystem::path(b) / name);
    EXPECT_FALSE(left.empty());
    EXPECT_TRUE(left == right) << name << " differs";
  }
}

inline bool wait_until(Process& process, const std::function<bool()>& there) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!there()) {
    if (!process.running() || std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// Whether the folder's checkpoint lies `index` updates or more into an epoch from `epoch` on.
inline bool has_reached(const std::string& folder, int epoch, int64_t index) {
  const std::filesystem::path file = std::filesystem::path(folder) / "checkpoint.safetensors";
  if (!std::filesystem::exists(file)) return false;
  const training::LoopState s = training::load_checkpoint(file).state;
  return s.epoch >= epoch && s.index >= index;
}

}  // namespace kern::testing
