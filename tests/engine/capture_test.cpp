// A step that is recorded and replayed on a GPU, emulated or real: the same values as the code itself gives.
#include "engine/capture.h"

#include <gtest/gtest.h>

#include "engine/autograd.h"
#include "engine/device_scalar.h"
#include "engine/host_copy.h"
#include "engine/ops/add.h"
#include "engine/ops/dropout.h"
#include "engine/ops/mul.h"
#include "engine/ops/unary.h"
#include "engine/random.h"

namespace kern {
namespace {

using Last = StepGraphs::Last;
using Values = std::vector<float>;
const auto doubled = [](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {add(in[0], in[0])}; };

Tensor of(const Values& values) { return Tensor::from({int64_t(values.size())}, values); }

class Graphs : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!gpu_available(&why)) GTEST_SKIP() << why;
  }
  StepGraphs graphs{Device::cuda};
};

TEST(GraphsOnCpu, run_the_code_every_time) {
  StepGraphs graphs(Device::cpu);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(graphs.run({of({float(i), 2})}, doubled)[0].values(), (Values{2 * float(i), 4}));
    EXPECT_EQ(graphs.last(), Last::eager);
  }
  const HostCopy loss(of({3, 4}));
  EXPECT_FALSE(loss.late());
  EXPECT_EQ(loss.values(), (Values{3, 4}));
}

TEST_F(Graphs, the_second_run_records_and_later_ones_replay) {
  const Last expected[] = {Last::eager, Last::recorded, Last::replayed, Last::replayed, Last::replayed};
  for (int i = 0; i < 5; ++i) {
    const auto out = graphs.run({of({float(i), 2})}, doubled);
    EXPECT_EQ(graphs.last(), expected[i]) << i;
    EXPECT_EQ(out[0].values(), (Values{2 * float(i), 4}));
  }
}

TEST_F(Graphs, another_shape_is_another_record_and_the_first_one_still_serves) {
  const Last expected[] = {Last::eager, Last::recorded, Last::replayed};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(graphs.run({of({1, float(i)})}, doubled)[0].values(), (Values{2, 2 * float(i)}));
    EXPECT_EQ(graphs.last(), expected[i]);
    EXPECT_EQ(graphs.run({of({float(i)})}, doubled)[0].values(), (Values{2 * float(i)}));
    EXPECT_EQ(graphs.last(), expected[i]);
    EXPECT_EQ(graphs.run({of({float(i)})}, doubled, {7})[0].values(), (Values{2 * float(i)}));
    EXPECT_EQ(graphs.last(), expected[i]) << "other circumstances";
  }
}

// Once the ninth shape in turn drove out the first one's record, and no step was ever replayed.
TEST_F(Graphs, many_shapes_in_turn_are_replayed) {
  int replayed = 0;
  for (int round = 0; round < 5; ++round)
    for (size_t n = 1; n <= 40; ++n) {
      const Values x(n, float(round)), y(n, 2 * float(round));
      EXPECT_EQ(graphs.run({of(x)}, doubled)[0].values(), y);
      if (round >= 2) replayed += graphs.last() == Last::replayed;
    }
  EXPECT_GE(replayed, 3 * 30) << "of 120";
}

TEST_F(Graphs, shapes_that_come_no_more_make_room) {
  for (int i = 0; i < 3; ++i)
    for (size_t n = 1; n <= 40; ++n) graphs.run({of(Values(n, 1.0f))}, doubled);
  int replayed = 0;
  for (int i = 0; i < 40; ++i)
    for (size_t n = 101; n <= 110; ++n) {
      graphs.run({of(Values(n, 1.0f))}, doubled);
      if (i >= 30) replayed += graphs.last() == Last::replayed;
    }
  EXPECT_EQ(replayed, 100);
  graphs.run({of({5})}, doubled);
  EXPECT_EQ(graphs.last(), Last::eager) << "the oldest are forgotten";
}

TEST_F(Graphs, inputs_of_any_pitch_device_and_type) {
  const auto sum = [](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {add(in[0], in[1])}; };
  const Tensor wide = Tensor::from({2, 3}, Values{1, 2, 3, 4, 5, 6});
  for (int i = 0; i < 3; ++i) {
    const Tensor there = Tensor::full({2, 2}, float(i)).to(Device::cuda);
    EXPECT_EQ(graphs.run({wide.channel_slice(1, 3), there}, sum)[0].values(),
              (Values{2 + float(i), 3 + float(i), 5 + float(i), 6 + float(i)}));
  }
  const std::vector<int32_t> labels{3, -1};
  std::vector<int32_t> got;
  graphs.run({Tensor::from({2}, labels), Tensor::empty({0, 4})}, [&](const std::vector<Tensor>& in) {
    got = in[0].integers();  // the warm-up may read
    return std::vector<Tensor>{};
  });
  EXPECT_EQ(got, labels);
}

TEST_F(Graphs, random_numbers_change_from_step_to_step) {
  const auto drop = [](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {dropout(in[0], 0.5f)}; };
  const Tensor x = of(Values(64, 1.0f));
  auto run = [&](bool on) {
    set_graphs(on);
    set_seed(4);
    StepGraphs own(Device::cuda);
    std::vector<Values> out;
    for (int i = 0; i < 5; ++i) {
      out.push_back(own.run({x}, drop)[0].values());
      default_generator().advance();
    }
    set_graphs(true);
    return out;
  };
  const auto eager = run(false);
  EXPECT_EQ(run(true), eager);
  EXPECT_NE(eager[3], eager[4]);
}

TEST_F(Graphs, off_runs_the_code_every_time) {
  set_graphs(false);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(graphs.run({of({float(i)})}, doubled)[0].values(), (Values{2 * float(i)}));
    EXPECT_EQ(graphs.last(), Last::eager);
  }
  set_graphs(true);
}

TEST_F(Graphs, what_touches_the_host_is_refused_when_it_is_recorded_and_leaves_nothing_behind) {
  DeviceScalar<float> scalar = 1;
  struct {
    const char* sentence;
    std::function<void(const Tensor&)> act;
  } const cases[] = {
      {"the host reads what the GPU computes while a step is being recorded", [](const Tensor& t) { t.values(); }},
      {"the host waits for the GPU while a step is being recorded", [](const Tensor&) { wait_for(Device::cuda); }},
      {"the host gives values to the GPU while a step is being recorded",
       [](const Tensor&) {
         of({1, 2}).to(Device::cuda);
       }},
      {"the host gives values to the GPU while",
       [&](const Tensor&) {
         scalar.on(Device::cuda);
         scalar.set(scalar.value() + 1);
       }},
      {"the host reads what the GPU computes while", [](const Tensor& t) { HostCopy read(t); }},
      {"a step is being recorded inside of another",
       [&](const Tensor&) {
         StepGraphs other(Device::cuda);
         other.run({}, [](const auto&) { return std::vector<Tensor>{}; });
         other.run({}, [](const auto&) { return std::vector<Tensor>{}; });
       }},
  };
  for (const auto& c : cases) {
    StepGraphs own(Device::cuda);
    const auto work = [&](const std::vector<Tensor>& in) {
      const Tensor y = add(in[0], in[0]);
      c.act(y);
      return std::vector<Tensor>{y};
    };
    const Tensor x = of({1, 2}).to(Device::cuda);
    own.run({x}, work);
    try {
      own.run({x}, work);
      ADD_FAILURE() << c.sentence;
    } catch (const Error& e) {
      EXPECT_NE(e.sentence().find(c.sentence), std::string::npos) << e.sentence();
      EXPECT_TRUE(e.sentence().find("inside") != std::string::npos ||
                  e.sentence().find("KERN_GRAPH=off") != std::string::npos)
          << e.sentence();
    }
    EXPECT_FALSE(recording());
    EXPECT_EQ(own.run({x}, doubled)[0].values(), (Values{2, 4})) << "the GPU goes on";
  }
}

TEST_F(Graphs, memory_of_a_record_is_nobody_elses) {
  const auto chain = [](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    const Tensor y = add(in[0], in[0]);  // handed back when this returns
    return {add(y, in[0]), relu(add(y, y))};
  };
  const Tensor x = of(Values(1000, 1.0f));
  for (int i = 0; i < 2; ++i) graphs.run({x}, chain);
  std::vector<Tensor> others;
  for (int i = 0; i < 8; ++i) others.push_back(Tensor::full({1000}, float(i), {.device = Device::cuda}));
  const uint64_t allocations = memory_counters(Device::cuda).allocations;
  for (int i = 0; i < 3; ++i) {
    const auto out = graphs.run({x}, chain);
    EXPECT_EQ(out[0].values(), Values(1000, 3.0f));
    EXPECT_EQ(out[1].values(), Values(1000, 4.0f));
  }
  EXPECT_EQ(memory_counters(Device::cuda).allocations, allocations);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(others[size_t(i)].values(), Values(1000, float(i))) << i;
}

TEST_F(Graphs, memory_comes_back_with_the_records) {
  release_unused_memory(Device::cuda);
  const MemoryCounters before = memory_counters(Device::cuda);
  {
    StepGraphs own(Device::cuda);
    for (int i = 0; i < 3; ++i) own.run({of(Values(1000, 1.0f))}, doubled);
    EXPECT_GT(memory_counters(Device::cuda).live, before.live);
    release_unused_memory(Device::cuda);
    EXPECT_EQ(own.run({of(Values(1000, 2.0f))}, doubled)[0].values(), Values(1000, 4.0f)) << "it kept its own";
  }
  EXPECT_EQ(memory_counters(Device::cuda).live, before.live);
  release_unused_memory(Device::cuda);
  EXPECT_EQ(memory_counters(Device::cuda).reserved, before.reserved);
}

TEST_F(Graphs, records_are_given_up_when_memory_is_short) {
  if (!gpu_info().emulated) GTEST_SKIP() << "only the emulated GPU is filled";
  const int64_t half = int64_t(gpu_info().free / 4) * 5 / 8;  // of it: the values of one tensor
  const Tensor small = of({1, 2});
  for (int i = 0; i < 3; ++i)
    graphs.run({small}, [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
      const Tensor large = Tensor::empty({half}, {.device = Device::cuda});
      return {add(in[0], in[0])};
    });
  EXPECT_EQ(graphs.last(), Last::replayed);
  EXPECT_NO_THROW(Tensor::empty({half}, {.device = Device::cuda}));
  EXPECT_EQ(graphs.run({small}, doubled)[0].values(), (Values{2, 4}));
  EXPECT_EQ(graphs.last(), Last::eager) << "the record had to go";
}

// The inputs of a step go up while the GPU does the one before: neither overtakes the other.
TEST_F(Graphs, every_step_sees_its_own_inputs_though_the_host_is_ahead) {
  for (const bool on : {true, false}) {
    set_graphs(on);
    StepGraphs own(Device::cuda);
    Tensor sum = Tensor::zeros({1000}, {.device = Device::cuda});
    const auto doubled_and_added = [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
      sum.copy_from(add(add(sum, sum), in[0]));
      return {};
    };
    Values expected(1000, 0.0f);
    for (int i = 0; i < 12; ++i) {
      Values x(1000);
      for (size_t j = 0; j < x.size(); ++j) x[j] = float(i + 1) * (j % 2 ? 1.0f : -1.0f);
      own.run({of(x)}, doubled_and_added);
      if (i % 3 == 0) own.run({of(Values(20, 1e9f))}, doubled);  // staging in turn with another step's
      for (size_t j = 0; j < x.size(); ++j) expected[j] = 2 * expected[j] + x[j];
    }
    EXPECT_EQ(sum.values(), expected);
  }
  set_graphs(true);
}

TEST_F(Graphs, branches_of_a_record_are_both_done_before_what_follows) {
  const auto work = [](bool wanted) {
    return [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
      const Tensor x = add(in[0], in[0]);
      std::vector<Tensor> held;
      {
        const GraphBranch branch(wanted);
        held.push_back(mul(x, in[0]));
        const GraphBranch::Inside inside(branch);
        for (int i = 0; i < 3; ++i) held.push_back(add(i == 0 ? x : held.back(), in[0]));
      }
      return {add(held.front(), held.back()), add(in[0], x)};
    };
  };
  for (const bool wanted : {true, false}) {
    StepGraphs own(Device::cuda);
    for (int i = 1; i < 5; ++i) {
      const float v = float(i);
      const auto out = own.run({of(Values(100, v))}, work(wanted));
      EXPECT_EQ(out[0].values(), Values(100, 2 * v * v + 5 * v));
      EXPECT_EQ(out[1].values(), Values(100, 3 * v));
    }
  }
}

TEST_F(Graphs, a_gradient_through_a_record) {
  Tensor w = of({1, -2, 3}).to(Device::cuda);
  w.require_grad();
  for (int i = 0; i < 4; ++i) {
    w.clear_grad();
    const auto out = graphs.run({of({2, 2, float(i)})}, [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
      const Tensor y = mul(w, in[0]);
      backward(y, in[0]);
      return {y.detach(), w.grad()};
    });
    EXPECT_EQ(out[0].values(), (Values{2, -4, 3 * float(i)}));
    EXPECT_EQ(out[1].values(), (Values{4, 4, float(i) * float(i)}));
  }
}

TEST_F(Graphs, values_are_read_late_and_in_order) {
  std::vector<HostCopy> reads;
  Tensor t = Tensor::zeros({2}, {.device = Device::cuda});
  for (int i = 0; i < 6; ++i) {
    t.fill(float(i));
    reads.emplace_back(t);
    EXPECT_TRUE(reads.back().late());
    if (i % 2) HostCopy unread(t);
  }
  for (int i = 5; i >= 0; --i) EXPECT_EQ(reads[size_t(i)].values(), (Values{float(i), float(i)}));
  EXPECT_THROW(HostCopy(Tensor::zeros({65})), Error);
}

}  // namespace
}  // namespace kern
