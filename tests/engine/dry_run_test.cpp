#include "engine/dry_run.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/ops/adam.h"
#include "engine/ops/batch_norm.h"
#include "engine/ops/concat.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/dropout.h"
#include "engine/ops/ema_update.h"
#include "engine/ops/norm_act.h"
#include "engine/ops/slice.h"
#include "engine/ops/sum.h"
#include "engine/ops/sum_squares.h"
#include "engine/parameter_arena.h"
#include "kernels/common/sanitizer.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using testing::error_of;
using testing::random_tensor;

TEST(DryRun, counts_like_real_memory_and_takes_none) {
  const size_t sizes[] = {0, 1, 64, 65, 4096, 65536, 65537, 100000, 1 << 20, (1 << 20) + 1, 123456789};
  release_unused_memory();
  reset_peak_memory();
  const MemoryCounters before = memory_counters();
  auto use = [&] {
    std::vector<std::unique_ptr<Storage>> blocks;
    for (const size_t bytes : sizes) blocks.push_back(std::make_unique<Storage>(Device::cpu, bytes));
    blocks.erase(blocks.begin() + 8, blocks.end());
    for (const size_t bytes : sizes) blocks.push_back(std::make_unique<Storage>(Device::cpu, bytes / 2));
    return blocks;
  };
  const DryRun dry_run;
  {
    const auto blocks = use();
    for (size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_TRUE(blocks[i]->is_meta());
      EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks[i]->data()) % 64, 0u);
      if (i > 0) {
        EXPECT_GE(blocks[i]->data(), blocks[i - 1]->data() + blocks[i - 1]->bytes()) << "blocks must not overlap";
      }
    }
    EXPECT_EQ(memory_counters().live, before.live);
    EXPECT_EQ(memory_counters().allocations, before.allocations);
    EXPECT_GT(dry_run.counters().live, 0u);
  }
  EXPECT_EQ(dry_run.counters().live, 0u);
  std::thread([&] { use(); }).join();  // another thread's memory is real
  EXPECT_EQ(memory_counters().peak - before.live, dry_run.counters().peak);
  if (!kAddressSanitizer) {  // nothing is reused there
    EXPECT_EQ(memory_counters().reserved - before.reserved, dry_run.counters().reserved);
    EXPECT_EQ(memory_counters().allocations - before.allocations, dry_run.counters().allocations);
  }
  release_unused_memory();
}

TEST(DryRun, addresses_are_distinct_and_may_be_touched) {
  const DryRun dry_run;
  std::vector<Tensor> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(Tensor::empty({1 << 25, 8}));  // 1 GiB each
    EXPECT_EQ(*all.back().data(), 0);
    if (i > 0) {
      EXPECT_GE(all[size_t(i)].data(), all[size_t(i) - 1].data() + all[size_t(i) - 1].size());
    }
  }
  all.back().mutate()[12345] = 1;
  for (int i = 0; i < 100; ++i) all.push_back(Tensor::empty({int64_t{1} << 35, 8}));  // 100 TiB: more than addresses
  EXPECT_EQ(*all.back().data(), 0);
  EXPECT_EQ(dry_run.counters().live, (size_t{100} << 30) + (size_t{100} << 40));
}

TEST(DryRun, values_are_zeros_and_real_tensors_stay) {
  Tensor real = Tensor::from({2, 2}, std::vector<float>{1, 2, 3, 4});
  const Tensor other = Tensor::from({2, 2}, std::vector<float>{5, 6, 7, 8});
  {
    const DryRun dry_run;
    const Tensor made = Tensor::full({2, 2}, 3);
    EXPECT_EQ(made.values(), std::vector<float>(4));
    EXPECT_EQ(real.clone().values(), std::vector<float>(4));
    EXPECT_EQ(Tensor::from({1}, std::vector<int32_t>{7}).integers(), std::vector<int32_t>(1));
    EXPECT_EQ(sum(real).item(), 0);
    real.fill(9), real.copy_from(other), real.copy_from(made);
    ema_update(real, other, 0.5);
    double total = 5;
    add_sum_squares(real.reshaped({4}), &total);
    EXPECT_EQ(total, 5);
    EXPECT_EQ(real.values(), (std::vector<float>{1, 2, 3, 4})) << "what is real can be read";
  }
  EXPECT_EQ(real.values(), (std::vector<float>{1, 2, 3, 4}));
}

TEST(DryRun, what_was_made_in_it_is_of_no_use_after_it) {
  Tensor made, real = Tensor::zeros({3});
  {
    const DryRun dry_run;
    made = Tensor::zeros({3});
  }
  const std::string sentence = "a tensor of shape [3] that was made in a dry run is used after it: it has no values";
  EXPECT_EQ(error_of([&] { made.fill(1); }), sentence);
  EXPECT_EQ(error_of([&] { real.copy_from(made); }), sentence);
  EXPECT_EQ(error_of([&] { sum(made); }), sentence);
}

// A small step of everything that keeps a state: gradients that add up, running statistics, moments, dropout.
struct Step {
  Tensor w = random_tensor({6, 3, 3, 4}, 1), head = random_tensor({5, 1, 1, 9}, 2);
  Tensor weight = Tensor::full({6}, 1), bias = Tensor::zeros({6});
  Tensor mean = random_tensor({6}, 3), variance = random_tensor({6}, 4, 1, 2);
  Generator generator{5};
  std::optional<ParameterArena> arena;
  std::optional<Tensor> first, second;
  int64_t steps = 0;

  explicit Step(bool with_arena) {
    for (Tensor* t : {&w, &head, &weight, &bias}) t->require_grad();
    if (!with_arena) return;
    arena.emplace(std::vector<Tensor>{w, head, weight, bias});
    first = Tensor::zeros({arena->size()}), second = Tensor::zeros({arena->size()});
  }
  void accumulate(const Tensor& x, const Tensor& target) {
    Tensor y = conv2d(x, w, {}, {.padding = 1});
    y = norm_act(y, {.weight = weight, .bias = bias, .running_mean = mean, .running_variance = variance},
                 {.act = Activation::relu, .dropout = 0.3f}, {}, generator);
    y = dropout(batch_norm(y, {}, {}, mean, variance), 0.2f, generator);
    y = slice(concat({y, slice(x, -1, 1, 4)}), 1, 0, x.dim(1));
    backward(cross_entropy(conv2d(y, head), target));
  }
  void update() {
    const float lr = 0.1f, scale = 1;
    if (arena) {
      const KeptInDryRun keep(steps);
      ++steps;
      adam(arena->values(), arena->gradients(), *first, *second, {}, &steps, &lr, &scale);
      arena->clear_gradients();
    } else {
      for (Tensor* t : {&w, &head, &weight, &bias}) t->clear_grad();
    }
    generator.advance();
  }
  std::vector<std::vector<float>> state() {
    std::vector<std::vector<float>> all;
    for (const Tensor* t : {&w, &head, &weight, &bias, &mean, &variance}) all.push_back(t->values());
    for (const Tensor* t : {&w, &head, &weight, &bias})
      all.push_back(t->grad() ? t->grad().values() : std::vector<float>{});
    if (arena) all.push_back(first->values()), all.push_back(second->values());
    const auto draw = Generator(generator).draw(RandomStream::dropout);
    all.push_back({float(steps), float(draw.call), float(draw.step)});
    return all;
  }
};
Tensor batch() { return random_tensor({2, 5, 7, 4}, 7); }
Tensor classes() { return Tensor::from({2, 5, 7}, std::vector<int32_t>(70, 2)); }

// At any point between the batches of an accumulated step, with and without an optimiser's arena.
TEST(DryRun, leaves_everything_to_the_bit_as_it_was) {
  for (const bool with_arena : {true, false}) {
    Step plain(with_arena), dry(with_arena);
    auto run_dry = [&] {
      const auto before = dry.state();
      {
        const DryRun dry_run;
        for (int i = 0; i < 2; ++i) {
          const Tensor x = Tensor::empty({200, 50, 70, 4}), y = Tensor::empty({200, 50, 70}, {.dtype = DType::i32});
          dry.accumulate(x, y);
          dry.accumulate(x, y);
          dry.update();
        }
        dry.accumulate(batch(), classes());
      }
      EXPECT_EQ(dry.state(), before);
    };
    for (int step = 0; step < 3; ++step) {
      for (int i = 0; i < 2; ++i) {
        run_dry();
        plain.accumulate(batch(), classes());
        dry.accumulate(batch(), classes());
      }
      run_dry();
      EXPECT_EQ(dry.state(), plain.state());
      plain.update();
      dry.update();
      EXPECT_EQ(dry.state(), plain.state());
    }
  }
}

TEST(DryRun, knows_the_peak_of_a_step) {
  for (const bool recompute : {false, true}) {
    set_recompute(recompute);
    for (const bool with_arena : {true, false}) {
      Step step(with_arena);
      for (int i = 0; i < 2; ++i) {  // the second has the gradients' memory from the first
        size_t foreseen = memory_counters().live;
        {
          const DryRun dry_run;
          step.accumulate(batch(), classes());
          step.accumulate(batch(), classes());
          step.update();
          foreseen += dry_run.counters().peak;
        }
        reset_peak_memory();
        step.accumulate(batch(), classes());
        step.accumulate(batch(), classes());
        step.update();
        EXPECT_EQ(memory_counters().peak, foreseen);
      }
    }
  }
  set_recompute(false);
}

TEST(DryRun, set_seed_and_other_generators_do_not_move) {
  set_seed(3);
  auto numbers = [] {
    return std::pair(RandomSequence(init_random()).next(), Generator(default_generator()).draw(RandomStream::noise));
  };
  const auto before = numbers();
  {
    const DryRun dry_run;
    default_generator().draw(RandomStream::dropout);
    default_generator().advance();
    set_seed(4);
  }
  const auto after = numbers();
  EXPECT_EQ(before.first, after.first);
  EXPECT_EQ(before.second.call, after.second.call);
  EXPECT_EQ(before.second.step, after.second.step);
  EXPECT_EQ(before.second.key, after.second.key);
}

TEST(DryRun, an_optimiser_made_in_it_must_not_take_real_parameters) {
  const Tensor p = Tensor::full({2}, 1);
  const DryRun dry_run;
  EXPECT_EQ(error_of([&] { ParameterArena({p}); }),
            "an optimiser made in a dry run would take real parameters away from their network: make the optimiser "
            "before the dry run, or the network in it");
  EXPECT_EQ(ParameterArena({Tensor::zeros({2})}).size(), 16);
}

TEST(DryRun, one_within_another_counts_for_itself) {
  const DryRun outer;
  const Tensor a = Tensor::empty({16});
  {
    const DryRun inner;
    const Tensor b = Tensor::empty({32});
    EXPECT_EQ(inner.counters().live, 128u);
    EXPECT_EQ(outer.counters().live, 64u);
  }
  EXPECT_TRUE(in_dry_run());
  const Tensor c = Tensor::empty({16});
  EXPECT_EQ(outer.counters().peak, 128u);
}

}  // namespace
}  // namespace kern
