#pragma once
#include <string>
#include <vector>

#include "apps/command.h"
#include "engine/gpu.h"
#include "kernels/common/precision.h"

namespace kern::apps {

struct BenchStepsConfig {
  std::vector<std::string> models{"b", "c", "d", "D", "e"};
  std::string mode = "train", tune = "auto";
  bool prepared = true;
  DeviceChoice device = DeviceChoice::automatic;
  kernels::Precision precision = kernels::Precision::f32;
  int batch = 0, side = 0, warmup = 3, repeats = 20, block = 1, threads = 0;
  int64_t seed = 0;
  bool profile = false, by_shape = false;
};
struct BenchKernelsConfig {
  std::vector<std::string> models{"b", "c", "d", "D", "e"}, ops, impls;
  DeviceChoice device = DeviceChoice::automatic;
  std::string append;
  bool large = true, reference = false, list = false;
  int batch = 0, side = 0, large_mib = 128, repeats = 20, threads = 1;
};
struct BenchSectionsConfig {
  std::vector<std::string> networks{"unet", "conv_ae", "vae", "dense_ae"};
  std::vector<int> channels;
  int64_t traces = 512, samples = 256, lines = 64, tile = 256;
  DeviceChoice device = DeviceChoice::automatic;
  bool flips = false;
  int repeats = 5, threads = 0;
};
struct BenchLedgerConfig {
  std::vector<std::string> models{"a", "b256", "C", "d", "D", "e", "f"};
  kernels::Precision precision = kernels::Precision::bf16;
  int batch = 0;
  bool nodes = false;
};
void describe_bench_ledger(training::Schema& schema, BenchLedgerConfig& config);
void run_bench_ledger(const BenchLedgerConfig& config, Call& call);

struct BenchLoaderConfig {
  std::vector<std::string> loaders;
  double seconds = 2;
  int steps = 3, threads = 0;
  std::vector<double> steps_per_second;
  DeviceChoice device = DeviceChoice::automatic;
};
void describe_bench_loader(training::Schema& schema, BenchLoaderConfig& config);
void run_bench_loader(const BenchLoaderConfig& config, Call& call);

void describe_bench_sections(training::Schema& schema, BenchSectionsConfig& config);
void run_bench_sections(const BenchSectionsConfig& config, Call& call);

void describe_bench_kernels(training::Schema& schema, BenchKernelsConfig& config);
void run_bench_kernels(const BenchKernelsConfig& config, Call& call);

void describe_bench_steps(training::Schema& schema, BenchStepsConfig& config);
void run_bench_steps(const BenchStepsConfig& config, Call& call);

}  // namespace kern::apps
