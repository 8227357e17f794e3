#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <set>

#include "benchmarks/kernel_record.h"
#include "benchmarks/kernels.h"
#include "benchmarks/machine.h"
#include "benchmarks/sections.h"
#include "benchmarks/steps.h"
#include "engine/dry_run.h"
#include "engine/gpu.h"
#include "kernels/common/op_list.h"
#include "kernels/common/parallel.h"
#include "kernels/common/sanitizer.h"

namespace kern::benchmarks {
namespace {

TEST(Benchmarks, quartiles_are_linear_between_neighbours) {
  const Quartiles q = quartiles({4, 1, 3, 2, 5});
  EXPECT_EQ(q.least, 1);
  EXPECT_EQ(q.lower, 2);
  EXPECT_EQ(q.median, 3);
  EXPECT_EQ(q.upper, 4);
  EXPECT_EQ(quartiles({1, 2}).median, 1.5);
  EXPECT_EQ(quartiles({7}).upper, 7);
}

// Minutes under sanitizers.
bool is_slow(const Model& model) { return std::string("abcCdf").find(model.id) != std::string::npos; }

// A side that a test can wait for, where the model's own is a cube's.
int side_of(const Model& model) { return std::string("gh").find(model.id) != std::string::npos ? 16 : 0; }

// After its second step a training asks the system for no more memory; where sanitizers watch, blocks are not reused.
TEST(Benchmarks, steps_allocate_nothing_after_the_second) {
  for (const Model& model : models()) {
    SCOPED_TRACE(model.id);
    if (is_slow(model)) continue;
    const StepResult r =
        time_steps(model, {.batch = 2, .side = side_of(model), .warmup = 2, .repeats = 3, .profile = true});
    EXPECT_EQ(r.milliseconds.size(), 3u);
    EXPECT_GT(r.parameters, 0);
    EXPECT_GT(r.peak_bytes, size_t(r.parameters) * 16);  // parameters, gradients, two moments
    EXPECT_GT(r.loss, 0);
    EXPECT_FALSE(r.profile.empty());
    if (!kAddressSanitizer) {  // nothing is reused there
      EXPECT_EQ(r.late_allocations, 0u);
    }
  }
}

// Before the first step, to the byte; two per cent is what the project promises.
TEST(Benchmarks, the_peak_of_a_step_is_foreseen) {
  for (const Model& model : models()) {
    SCOPED_TRACE(model.id);
    if (model.id == std::string("a") || model.id == std::string("f")) continue;  // minutes, everywhere
    const StepOptions o{.batch = 1, .side = side_of(model), .warmup = 2, .repeats = 1};
    const StepResult r = time_steps(model, o);
    EXPECT_NEAR(double(r.foreseen_bytes), double(r.peak_bytes), 0.02 * double(r.peak_bytes));
    EXPECT_EQ(r.foreseen_bytes, r.peak_bytes);
    EXPECT_LT(r.foreseen_bytes, foresee_peak(model, {}));
  }
}

TEST(Benchmarks, a_step_that_fits_no_machine_is_foreseen_too) {
  for (const Model& model : models()) {
    SCOPED_TRACE(model.id);
    const double sample = double(foresee_peak(model, {.batch = 2})) - double(foresee_peak(model, {.batch = 1}));
    const auto batch = int(0x1p40 / sample) + 1;
    const auto begin = std::chrono::steady_clock::now();
    const size_t bytes = foresee_peak(model, {.batch = batch});
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));  // sanitizers, busy machines
    EXPECT_GT(bytes, size_t{700} << 30);
  }
}

TEST(Benchmarks, models_are_those_of_the_table_and_what_is_frozen_is_not_trained) {
  const DryRun dry_run;  // nothing is computed
  const std::pair<const char*, int64_t> counts[] = {
      {"a", 31'042'434}, {"C", 6'470'594}, {"f", 38'834'199}, {"g", 1'460'993}, {"h", 562'625}};
  for (const auto& [id, parameters] : counts) {
    const Case c = model_of(id).make(1);
    EXPECT_EQ(c.network.parameter_count(), parameters) << id;
  }
  const Case f = model_of("f").make(1);
  int64_t frozen = 0;
  for (const NamedTensor& p : f.network.parameters())
    if (!p.tensor.requires_grad()) frozen += p.tensor.size();
  EXPECT_EQ(frozen, 260'160);  // VGG16's blocks of 64 and 128
}

TEST(Benchmarks, steps_with_the_same_seed_end_with_the_same_loss) {
  auto loss = [](int64_t seed) {
    return time_steps(model_of("D"), {.batch = 1, .warmup = 2, .repeats = 1, .seed = seed}).loss;
  };
  EXPECT_EQ(loss(1), loss(1));
  EXPECT_NE(loss(1), loss(2));
}

TEST(Benchmarks, kernels_are_timed_row_by_row) {
  std::set<std::string> ops, rows;
  time_kernels({.models = {"D"}, .ops = {"conv2d", "norm_act", "adam"}, .large = false, .repeats = 1},
               [&](const KernelResult& r) {
                 ops.insert(r.op);
                 rows.insert(r.impl);
                 EXPECT_GT(r.flops, 0);
                 EXPECT_GT(r.bytes, 0);
                 EXPECT_GT(r.milliseconds.median, 0);
                 EXPECT_NE(r.impl, "reference");
               });
  EXPECT_EQ(ops, (std::set<std::string>{"adam", "conv2d", "norm_act"}));
  EXPECT_TRUE(rows.contains("simd"));
}

TEST(Benchmarks, the_ops_order_is_kept_and_sums_of_products_go_by_their_weight) {
  std::vector<std::string> ops;
  std::vector<double> flops;
  time_kernels({.models = {"D"}, .ops = {"norm_act", "conv2d", "fill"}, .side = 100, .large = false, .repeats = 1},
               [&](const KernelResult& r) {
                 if (ops.empty() || ops.back() != r.op) ops.push_back(r.op);
                 if (r.op != "conv2d" || r.impl != "simd" || r.direction != "forward") return;
                 EXPECT_EQ(r.shape.substr(0, 9), "16x1x100 ");
                 flops.push_back(r.flops);
               });
  EXPECT_EQ(ops, (std::vector<std::string>{"conv2d", "norm_act", "fill"}));
  ASSERT_GT(flops.size(), 4u);
  EXPECT_GT(std::min(flops[0], flops[1]), 10 * std::max(flops.back(), flops.end()[-2]));
}

// Killed in the middle, a list of rows goes on where it was.
TEST(Benchmarks, rows_that_are_recorded_are_not_timed_again) {
  const std::string path = ::testing::TempDir() + "kernel_record.jsonl";
  std::remove(path.c_str());
  struct Killed {};
  const auto time = [&](int kill_at) {  // in the middle of that row; the rows that were timed, by op
    KernelRecord record(path);
    std::vector<std::string> timed;
    KernelOptions o{.models = {"D"}, .ops = {"fill", "adam", "norm_act"}, .large = false, .repeats = 1};
    o.begin = [&](const std::string& op, const std::string& shape, const std::string& row) {
      const bool wanted = record.begin(op, shape, row);
      if (wanted) timed.push_back(op + "|" + shape + "|" + row);
      return wanted;
    };
    o.end = [&] { record.end(); };
    try {
      time_kernels(o, [&](const KernelResult& r) {
        if (int(timed.size()) == kill_at) throw Killed();
        record.add(r, 1);
      });
    } catch (const Killed&) {
    }
    return timed;
  };
  const auto first = time(3), second = time(1);
  ASSERT_EQ(first.size(), 3u);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0], first[2]);  // tried once more
  std::ofstream(path, std::ios::app) << "{\"row\": \"adam|cut";
  const auto third = time(0);  // it has ended the program twice: it is left out
  ASSERT_GT(third.size(), 1u);
  for (const std::string& name : first) EXPECT_EQ(std::count(third.begin(), third.end(), name), 0) << name;
  EXPECT_TRUE(time(0).empty());
}

TEST(Benchmarks, models_take_a_batch_and_a_side) {
  const DryRun dry_run;
  for (const Model& model : models()) {
    SCOPED_TRACE(model.id);
    if (std::string(model.id).size() > 1 && model.id != std::string("b256")) {
      EXPECT_THROW(model.make({1, 32}), Error);  // their weights fix it
      continue;
    }
    const Case c = model.make({3, 64});
    EXPECT_EQ(c.x.shape()[0], 3);
    EXPECT_EQ(c.x.shape()[1], 64);
  }
  EXPECT_EQ(model_of("b256").make({}).x.shape(), (Shape{6, 256, 256, 3}));
  EXPECT_EQ(model_of("g").make({}).x.shape(), (Shape{1, 64, 64, 64, 1}));
  EXPECT_EQ(model_of("h").make({2, 32}).target.shape(), (Shape{2, 32, 32, 32}));
}

TEST(Benchmarks, a_block_of_steps_ends_with_the_loss_of_as_many_steps) {
  const auto loss = [](int repeats, int block) {
    const StepResult r =
        time_steps(model_of("D"), {.batch = 1, .side = 100, .warmup = 2, .repeats = repeats, .block = block});
    EXPECT_EQ(int(r.milliseconds.size()), repeats);
    return r.loss;
  };
  EXPECT_EQ(loss(6, 1), loss(2, 3));
  EXPECT_NE(loss(6, 1), loss(2, 2));
}

TEST(Benchmarks, a_gpus_rows_are_timed_on_the_gpu) {
  if (!gpu_available()) GTEST_SKIP() << "no GPU, and no emulated one";
  const Yardstick yardstick(Device::cuda);
  std::set<std::string> ops;
  time_kernels({.device = Device::cuda,
                .ops = {"norm_act", "adam", "cross_entropy", "sum_squares", "fill"},
                .repeats = 1,
                .large_values = 1 << 14,
                .yardstick = &yardstick},
               [&](const KernelResult& r) {
                 ops.insert(r.op);
                 EXPECT_EQ(r.impl.substr(0, 4), "cuda");
                 EXPECT_GT(r.milliseconds.median, 0);
                 EXPECT_EQ(r.machine.gflops, 0);
               });
  EXPECT_TRUE(ops.contains("norm_act") && ops.contains("adam") && ops.contains("cross_entropy"));
  EXPECT_GT(yardstick.measure().copy, 0);
}

// Shapes as trainings ask for them, whose values a GPU keeps as floats or as bf16.
TEST(Benchmarks, rows_for_bf16_are_timed_on_the_gpu) {
  if (!gpu_available()) GTEST_SKIP() << "no GPU, and no emulated one";
  std::map<std::string, std::set<std::string>> of_model, large;
  time_kernels({.device = Device::cuda, .models = {"D"}, .ops = {"add"}, .large = false, .repeats = 1},
               [&](const KernelResult& r) { of_model[r.op].insert(r.impl); });
  EXPECT_EQ(of_model["add"], (std::set<std::string>{"cuda", "cuda_bf16"}));
  std::map<std::string, double> bytes;
  time_kernels({.device = Device::cuda,
                .ops = {"norm_act", "upsample", "max_pool", "relu", "head_cross_entropy"},
                .repeats = 1,
                .large_values = 1 << 12},
               [&](const KernelResult& r) {
                 large[r.op].insert(r.impl);
                 EXPECT_GT(r.milliseconds.median, 0);
                 if (r.op == "relu" && r.direction == "forward") bytes[r.impl] = r.bytes;
               });
  for (const char* op : {"norm_act", "upsample", "max_pool", "relu", "head_cross_entropy"})
    EXPECT_TRUE(large[op].contains("cuda") && large[op].contains("cuda_bf16")) << op;
  EXPECT_EQ(bytes["cuda"], 2 * bytes["cuda_bf16"]);
}

TEST(Benchmarks, every_op_is_timed) {
  std::set<std::string> catalogue, timed;
  for (const auto& op : kernels::op_list()) catalogue.emplace(op.op);
  time_kernels({.repeats = 1, .large_values = 1 << 15}, [&](const KernelResult& r) {
    timed.insert(r.op);
    EXPECT_GT(r.flops, 0) << r.op;
    EXPECT_GT(r.bytes, 0) << r.op;
  });
  EXPECT_EQ(timed, catalogue);
}

TEST(Benchmarks, the_machine_has_peaks) {
  const Machine m = Yardstick().measure();
  EXPECT_GT(m.gflops, 0);  // under sanitizers anything
  EXPECT_GT(m.copy, 0);
}

TEST(Benchmarks, sections_and_volumes_count_each_sample_once) {
  const SectionResult section = time_sections("unet", {.channels = {2, 3}},
                                              {.crosslines = 20, .samples = 17, .tiles = {.tile = 16}, .repeats = 2});
  EXPECT_EQ(section.traces, 20);
  EXPECT_EQ(section.voxels, 20 * 17);
  EXPECT_EQ(section.milliseconds.size(), 2u);
  EXPECT_GT(section.milliseconds[0], 0);
  const SectionResult volume =
      time_sections("conv_ae", {.channels = {2, 3}}, {.inlines = 3, .crosslines = 4, .samples = 16, .repeats = 1});
  EXPECT_EQ(volume.traces, 12);
  EXPECT_EQ(volume.voxels, 12 * 16);
  EXPECT_GT(volume.parameters, 0);
  EXPECT_THROW(time_sections("unets", {}, {}), Error);
  EXPECT_THROW(time_sections("unet", {}, {.inlines = 0}), Error);
}

TEST(Benchmarks, unknown_models_are_named) {
  try {
    model_of("x");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).substr(0, 34), "there is no benchmark model 'x'; t");
  }
}

}  // namespace
}  // namespace kern::benchmarks
