#include "training/step_memory.h"

#include <gtest/gtest.h>

#include "engine/atomic_file.h"
#include "engine/dry_run.h"
#include "engine/memory.h"
#include "engine/random.h"
#include "kernels/common/error.h"
#include "kernels/common/sanitizer.h"
#include "layers/dropout.h"
#include "models/unet1d.h"
#include "training/ema.h"
#include "training/supervised.h"

namespace kern::training {
namespace {
namespace fs = std::filesystem;

LabelledBatch batch_of_shape(int64_t n, int64_t length) {
  return {Tensor::empty({n, length, 2}), Tensor::empty({n, length}, {.dtype = DType::i32})};
}
LabelledBatch real(uint32_t which, int64_t n, int64_t length) {
  LabelledBatch b = batch_of_shape(n, length);
  RandomSequence random(3, RandomStream::noise, which);
  for (int64_t i = 0; i < b.x.size(); ++i) b.x.mutate()[i] = random.normal();
  for (int64_t i = 0; i < b.labels.size(); ++i) b.labels.mutate<int32_t>()[i] = int32_t(random.below(3));
  return b;
}

struct Net {
  Dropout dropout{0.2f};
  models::UNet1d unet{
      {.in = 2, .out = 3, .channels = {4, 8}, .strides = {2}, .residual_units = 1, .norm = models::Norm::batch}};
  Tensor operator()(const Tensor& x) { return unet(dropout(x)); }
  template <class V>
  void visit(V&& v) {
    v("dropout", dropout), v("unet", unet);
  }
};

// A network with dropout, batch norm's running statistics, moments, an average: everything that keeps a state.
struct Stateful {
  Stateful() {
    set_seed(5);
    network = AnyModule(Net());
    optimiser.emplace(std::vector<ParameterGroup>{{.parameters = network.parameters()}}, AdamOptions{}, 0.01);
    average.emplace(*optimiser);
    method.emplace(network, *optimiser, SupervisedOptions{.class_weights = {1, 2, 1}, .clip = 0.1, .accumulate = 2});
  }
  double step(const std::function<LabelledBatch()>& next) {
    const StepResult r = method->step(next);
    average->update();
    return r.loss.value();
  }
  double real_step(uint32_t number) {
    uint32_t i = 2 * number;
    const double loss = step([&] { return real(i++, 3, 40); });
    default_generator().advance();
    return loss;
  }
  StepMemory foresee(int64_t n, int64_t length) {
    return memory_of_step([&] { step([&] { return batch_of_shape(n, length); }); });
  }
  // The bytes of a checkpoint.
  std::string saved() {
    const fs::path path = fs::path(::testing::TempDir()) / "kern_step_memory.safetensors";
    std::vector<FileTensor> all;
    for (const NamedTensor& t : network.tensors()) all.push_back({t.name, t.tensor});
    for (auto& t : optimiser->state("optimiser")) all.push_back(t);
    for (auto& t : average->state("average")) all.push_back(t);
    save_tensors(path, all, {{"random", std::to_string(default_generator().step())}});
    return read_file(path);
  }

  AnyModule network;
  std::optional<Optimiser> optimiser;
  std::optional<Ema> average;
  std::optional<Supervised> method;
};

TEST(StepMemory, a_training_with_dry_runs_is_one_without) {
  Stateful plain;
  std::vector<double> losses;
  for (uint32_t i = 0; i < 4; ++i) losses.push_back(plain.real_step(i));
  const std::string expected = plain.saved();

  Stateful dry;
  for (uint32_t i = 0; i < 4; ++i) {
    const std::string before = dry.saved();
    dry.foresee(1000, 1000);
    EXPECT_TRUE(dry.saved() == before);
    EXPECT_EQ(dry.real_step(i), losses[i]);
  }
  EXPECT_TRUE(dry.saved() == expected);
}

TEST(StepMemory, loading_and_swapping_in_a_dry_run_change_nothing) {
  Stateful small;
  small.real_step(0);
  const std::string before = small.saved();
  const TensorFile file = load_tensors(fs::path(::testing::TempDir()) / "kern_step_memory.safetensors");
  small.real_step(1);
  const std::string after = small.saved();
  {
    const DryRun dry_run;
    small.optimiser->load_state(file, "optimiser");
    small.average->load_state(file, "average");
    const Ema::Swapped swapped(*small.average);
  }
  EXPECT_TRUE(small.saved() == after);
  EXPECT_FALSE(after == before);
}

TEST(StepMemory, is_what_the_step_then_takes) {
  Stateful small;
  release_unused_memory();
  for (uint32_t i = 0; i < 2; ++i) {
    const StepMemory foreseen = small.foresee(3, 40);
    reset_peak_memory();
    small.real_step(2 * i);
    EXPECT_EQ(memory_counters().peak, foreseen.peak);
    small.real_step(2 * i + 1);
    EXPECT_EQ(memory_counters().peak, foreseen.peak);
    if (kAddressSanitizer) continue;  // nothing is reused there
    if (i == 0) {
      EXPECT_EQ(memory_counters().reserved, foreseen.reserved);
    } else {
      EXPECT_LE(memory_counters().reserved, foreseen.reserved);
    }
  }
}

TEST(StepMemory, advice_names_the_largest_batch) {
  auto bytes = [](int batch) { return size_t(batch) * 80'000'000 + 100'000'000; };
  EXPECT_EQ(too_large(64, 6'000'000'000, bytes, "a smaller window"), "");
  EXPECT_EQ(too_large(64, bytes(64), bytes, "a smaller window"), "");
  EXPECT_EQ(too_large(64, 4'000'000'000, bytes, "a smaller window"),
            "batch 64 needs 5.2 GB, 4.0 GB are free: use batch=48 or a smaller window");
  EXPECT_EQ(too_large(64, bytes(64) - 1, bytes, "smaller images"),
            "batch 64 needs 5.2 GB, 5.2 GB are free: use batch=63 or smaller images");
  EXPECT_EQ(too_large(2, 100'000'001, bytes, "a smaller window"),
            "batch 2 needs 260 MB, 100 MB are free: not even batch=1 fits; use a smaller window");
  EXPECT_EQ(too_large(1, 0, bytes, "a smaller window"),
            "batch 1 needs 180 MB, 0 B are free: not even batch=1 fits; use a smaller window");
}

class Machine {
 public:
  Machine() { fs::remove_all(root); }
  ~Machine() { fs::remove_all(root); }
  void file(const std::string& name, const std::string& content) const {
    fs::create_directories((root / name).parent_path());
    write_file(root / name, content);
  }
  size_t free() const {
    const auto bytes = bytes_for_tensors(root);
    return bytes ? *bytes - memory_counters().reserved : 0;
  }
  const fs::path root = fs::path(::testing::TempDir()) / "kern_step_memory_machine";
};

TEST(StepMemory, free_memory_is_what_the_tightest_limit_leaves) {
  const Machine m;
  EXPECT_FALSE(bytes_for_tensors(m.root));
  m.file("proc/meminfo", "MemTotal:       24684096 kB\nMemAvailable:    8000000 kB\n");
  EXPECT_EQ(m.free(), 8'192'000'000u);
  // Version 2: no limit of its own, one above it.
  m.file("proc/self/cgroup", "0::/a/b\n");
  m.file("sys/fs/cgroup/a/b/memory.max", "max\n");
  m.file("sys/fs/cgroup/a/b/memory.current", "1000\n");
  EXPECT_EQ(m.free(), 8'192'000'000u);
  m.file("sys/fs/cgroup/a/memory.max", "5000000000\n");
  m.file("sys/fs/cgroup/a/memory.current", "2000000000\n");
  EXPECT_EQ(m.free(), 3'000'000'000u);
  m.file("sys/fs/cgroup/a/memory.stat", "anon 5\nactive_file 7\ninactive_file 500000000\n");
  EXPECT_EQ(m.free(), 3'500'000'000u);
  // Version 1 beside it; its group is not visible in this container, the root is.
  m.file("proc/self/cgroup", "5:cpu:/x\n4:memory:/x/y\n0::/a/b\n");
  m.file("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000000\n");
  m.file("sys/fs/cgroup/memory/memory.usage_in_bytes", "1900000000\n");
  m.file("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 100000000\n");
  EXPECT_EQ(m.free(), 200'000'000u);
  m.file("sys/fs/cgroup/memory/memory.usage_in_bytes", "2500000000\n");
  EXPECT_EQ(m.free(), 0u);
}

}  // namespace
}  // namespace kern::training
