#include "engine/gpu.h"
#include "engine/ops/segmentation_score.h"
#include "tests/support/error_of.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace segmentation_score_op {
using namespace kern::testing;

TEST(SegmentationScore, countsOnEveryDeviceAndInPartsOfABatch) {
  const Tensor p = Tensor::from({2, 1, 2, 2}, std::vector<float>{1, 0, 1, 0, 0.25f, 0.75f, 0.75f, 0.25f});
  const Tensor labels = Tensor::from({1, 1, 2}, std::vector<int32_t>{1, 1});
  for (const Device device : {Device::cpu, Device::cuda}) {
    if (device == Device::cuda && !gpu_available()) continue;
    const SegmentationScore s = segmentation_score(p.to(device).batch_slice(1, 2), labels.to(device));
    const Tensor counts = s.counts.to(Device::cpu);
    EXPECT_EQ(std::vector<int32_t>(counts.data<int32_t>(), counts.data<int32_t>() + 4),
              (std::vector<int32_t>{0, 0, 1, 1}));
    EXPECT_NEAR(s.loss.item(), -std::log(0.75) - std::log(0.25), 1e-6);
    const Tensor lenient =
        segmentation_score(p.to(device).batch_slice(1, 2), labels.to(device), 0.25).counts.to(Device::cpu);
    EXPECT_EQ(lenient.data<int32_t>()[3], 2) << "the threshold decides between two classes";
  }
}

TEST(SegmentationScore, refusesInSentences) {
  const Tensor p = Tensor::zeros({1, 2, 2, 3});
  expect_words(error_of([&] {
                 segmentation_score(p, Tensor::zeros({1, 2, 2}));
               }),
               {"segmentation_score", "i32 [1,H,W]"});
  expect_words(error_of([&] {
                 segmentation_score(Tensor::zeros({2, 2, 2, 3}), Tensor::empty({1, 2, 2}, {.dtype = DType::i32}));
               }),
               {"segmentation_score", "one image"});
}

}  // namespace segmentation_score_op
}  // namespace kern
