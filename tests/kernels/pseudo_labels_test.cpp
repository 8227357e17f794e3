#include "kernels/labels/pseudo_labels.h"

#include "kernels/common/parallel.h"
#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

std::vector<int32_t> all(const Values<int32_t>& v) { return {v.begin(), v.end()}; }

TEST(PseudoLabelsKernel, rows_equal_the_reference_on_any_number_of_threads) {
  const int before = thread_count();
  for (const PseudoLabelsSpec g :
       {PseudoLabelsSpec{.rows = 0, .c = 3, .p_pitch = 3}, PseudoLabelsSpec{.rows = 41, .c = 1, .threshold = 0.3},
        PseudoLabelsSpec{.rows = 300, .c = 6, .threshold = 0.9, .p_pitch = 9},
        PseudoLabelsSpec{.rows = 50000, .c = 4, .threshold = 0.5, .p_pitch = 4, .confidence_pitch = 2}}) {
    const auto p = Array<>::uniform(g.rows, g.c, g.p_pitch, 1, 0, 1),
               confidence = Array<>::uniform(g.rows, 1, g.confidence_pitch, 2, 0, 1);
    const Values<int32_t> present = class_targets(g.rows, 1, true), truth = class_targets(g.rows, g.c, true);
    for (const bool evaluated : {false, true})
      for (const bool known : {false, true}) {
        // Asked for anew where another device wants them.
        const auto c = [&] { return evaluated ? confidence.data() : nullptr; };
        const auto t = [&] { return known ? truth.data() : nullptr; };
        Values<int32_t> labels0(size_t(g.rows), 0);
        Array<> figures0(4, 1);
        pseudo_labels_reference(g, p.data(), present.data(), t(), c(), labels0.data(), figures0.data());
        EXPECT_EQ(figures0.at(3, 0) > 0, known && g.rows > 0);
        for_each_impl(pseudo_labels_registry(), g, [&](const PseudoLabelsImpl& impl, const Exec& exec) {
          for (const int threads : {1, 3}) {
            set_thread_count(threads);
            Values<int32_t> labels(size_t(g.rows), 0);
            Array<> figures(4, 1);
            impl.forward(exec, g, p.data(), present.data(), t(), c(), labels.data(), figures.data());
            EXPECT_EQ(all(labels), all(labels0));
            EXPECT_TRUE(close(figures, figures0));
          }
          set_thread_count(before);
        });
      }
  }
}

// Of equal classes the first; a threshold must be exceeded; nobody trusts a NaN.
TEST(PseudoLabelsKernel, by_hand) {
  const PseudoLabelsSpec g{.rows = 5, .c = 2, .threshold = 0.5, .p_pitch = 2};
  const Values<> p{0.5f, 0.5f, 0.25f, 0.75f, 1, 0, 0.75f, 0.25f, NAN, 0.75f};
  const Values<int32_t> present{0, 0, -1, 2, 0}, truth{0, 0, 0, 0, 0};
  for_each_impl(pseudo_labels_registry(), g, [&](const PseudoLabelsImpl& impl, const Exec& exec) {
    Values<int32_t> labels(5, 0);
    Array<> figures(4, 1);
    impl.forward(exec, g, p.data(), present.data(), truth.data(), nullptr, labels.data(), figures.data());
    EXPECT_EQ(all(labels), (std::vector<int32_t>{-1, 1, -1, 0, -1}));
    for (const auto& [i, expected] : {std::pair{0, 0.5f}, {1, 4.0f}, {2, 0.5f}, {3, 2.0f}})
      EXPECT_EQ(figures.at(i, 0), expected) << i;
  });
}

}  // namespace
}  // namespace kern::kernels
