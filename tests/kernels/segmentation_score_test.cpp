#include "kernels/labels/segmentation_score.h"

#include "kernels/common/parallel.h"
#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace segmentation_score_cases {
using namespace kern::testing;

std::vector<int32_t> all(const Values<int32_t>& v) { return {v.begin(), v.end()}; }

TEST(SegmentationScoreKernel, rows_equal_the_reference_on_any_number_of_threads) {
  const int before = thread_count();
  for (const SegmentationScoreSpec g :
       {SegmentationScoreSpec{.h = 1, .w = 1, .c = 3, .rows = 1, .columns = 1, .p_pitch = 3},
        SegmentationScoreSpec{.h = 5, .w = 7, .c = 1, .rows = 13, .columns = 4},
        SegmentationScoreSpec{.h = 9, .w = 8, .c = 2, .rows = 4, .columns = 30, .threshold = 0.3, .p_pitch = 5},
        SegmentationScoreSpec{.h = 16, .w = 24, .c = 12, .rows = 90, .columns = 70, .p_pitch = 12},
        SegmentationScoreSpec{.h = 30, .w = 20, .c = 60, .rows = 30, .columns = 20, .p_pitch = 60}}) {
    const auto p = Array<>::uniform(g.h * g.w, g.c, g.p_pitch, 1, 0, 1);
    const Values<int32_t> label = class_targets(g.rows * g.columns, g.classes(), true);
    const auto pairs = size_t(g.classes() * g.classes());
    Values<int32_t> counts0(pairs, 7);
    Array<> loss0(1, 1);
    segmentation_score_reference(g, p.data(), label.data(), counts0.data(), loss0.data());
    for_each_impl(segmentation_score_registry(), g, [&](const SegmentationScoreImpl& impl, const Exec& exec) {
      for (const int threads : {1, 3}) {
        set_thread_count(threads);
        Values<int32_t> counts(pairs, 7);
        Array<> loss(1, 1);
        impl.forward(exec, g, p.data(), label.data(), counts.data(), loss.data());
        EXPECT_EQ(all(counts), all(counts0)) << impl.name;
        EXPECT_TRUE(close(loss, loss0)) << impl.name;
      }
      set_thread_count(before);
    });
  }
}

// Two places side by side, of probabilities 0.2 and 0.8 for class 1; four labels lie at 0, 0.25, 0.75 and 1 of the way.
TEST(SegmentationScoreKernel, by_hand) {
  const SegmentationScoreSpec g{.h = 1, .w = 2, .c = 1, .rows = 1, .columns = 4, .threshold = 0.5};
  const Values<> p{0.2f, 0.8f};
  const Values<int32_t> label{0, 1, kIgnore, 1};
  for_each_impl(segmentation_score_registry(), g, [&](const SegmentationScoreImpl& impl, const Exec& exec) {
    Values<int32_t> counts(4, 0);
    Array<> loss(1, 1);
    impl.forward(exec, g, p.data(), label.data(), counts.data(), loss.data());
    EXPECT_EQ(all(counts), (std::vector<int32_t>{1, 0, 1, 1}));
    EXPECT_NEAR(loss.at(0, 0), -std::log(0.8) - std::log(0.35) - std::log(0.8), 1e-5);
  });
  // At the labels' own size nothing is interpolated, and of equal classes the first is chosen.
  const SegmentationScoreSpec own{.h = 2, .w = 1, .c = 3, .rows = 2, .columns = 1, .p_pitch = 3};
  const Values<> q{0.4f, 0.4f, 0.2f, 0, 0, 1};
  const Values<int32_t> truth{1, 0};
  for_each_impl(segmentation_score_registry(), own, [&](const SegmentationScoreImpl& impl, const Exec& exec) {
    Values<int32_t> counts(9, 0);
    Array<> loss(1, 1);
    impl.forward(exec, own, q.data(), truth.data(), counts.data(), loss.data());
    EXPECT_EQ(all(counts), (std::vector<int32_t>{0, 0, 1, 1, 0, 0, 0, 0, 0}));
    EXPECT_NEAR(loss.at(0, 0), -std::log(0.4) - std::log(1e-30), 1e-3);
  });
}

TEST(SegmentationScoreKernel, impossible_labels) {
  const SegmentationScoreSpec g{.h = 3, .w = 3, .c = 3, .rows = 40, .columns = 21, .p_pitch = 3};
  const auto p = Array<>::uniform(9, 3, 3, 1, 0, 1);
  const auto both = impossible_and_ignored(g.rows * g.columns, 3);
  const Values<int32_t>&wrong = both.first, &ignored = both.second;
  Values<int32_t> expected(9, 0);
  Array<> loss0(1, 1);
  segmentation_score_reference(g, p.data(), ignored.data(), expected.data(), loss0.data());
  for_each_impl(segmentation_score_registry(), g, [&](const SegmentationScoreImpl& impl, const Exec& exec) {
    Values<int32_t> counts(9, 0);
    Array<> loss(1, 1);
    if (impl.device == Device::cpu) {
      EXPECT_THROW(impl.forward(exec, g, p.data(), wrong.data(), counts.data(), loss.data()), Error) << impl.name;
      return;
    }
    impl.forward(exec, g, p.data(), wrong.data(), counts.data(), loss.data());
    EXPECT_EQ(all(counts), all(expected));
    EXPECT_TRUE(close(loss, loss0));
  });
}

}  // namespace segmentation_score_cases
}  // namespace kern::kernels
