// The loaders of the apps, timed by themselves: samples a second, beside what a training step consumes. Their data are
// made here, in memory or in a temporary folder.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "benchmarks/models.h"

namespace kern::benchmarks {

// A loader of an app with its data, whatever its batches are.
struct LoaderRun {
  std::function<void(int64_t epoch)> begin;
  // Samples of the next batch, 0 at the end of an epoch; where `hash` is given every value goes into it.
  std::function<int64_t(uint64_t* hash)> next;
  int64_t samples = 0;  // of an epoch
};

struct LoaderCase {
  const char *id, *what;
  const char* sample;                                     // what it counts: "image", "window", "section"
  LoaderRun (*make)(const std::filesystem::path& files);  // `files`: an empty folder that is there
  Model step;                                             // what consumes it
  int64_t batch;                                          // samples of such a step
};
std::span<const LoaderCase> loaders();
const LoaderCase& loader_of(const std::string& id);  // Error: no such loader

struct LoaderOptions {
  double seconds = 2;  // timed, after one batch that is not
};
struct LoaderResult {
  double samples_per_second = 0;
  uint64_t hash = 0;  // of every value of the first epoch: equal loaders, equal hash
};
LoaderResult time_loader(const LoaderCase& loader, const LoaderOptions& options = {});

}  // namespace kern::benchmarks
