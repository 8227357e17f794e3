#include "kernels/labels/segmentation_score.h"

#include <cstddef>

#include "kernels/common/parallel.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

constexpr SegmentationScoreImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward = [](const Exec&, const SegmentationScoreSpec& g, const float* p, const int32_t* label, int32_t* counts,
                  float* loss) { segmentation_score_reference(g, p, label, counts, loss); }};

// Threads share the rows of the labels; each part counts for itself: its loss, then its counts.
Chunks parts_of(const SegmentationScoreSpec& g) { return Chunks(g.rows, 8 * g.columns * g.c); }
size_t part_bytes(const SegmentationScoreSpec& g) {
  const size_t counts = size_t(g.classes() * g.classes()) * sizeof(int32_t);
  return sizeof(double) + (counts + sizeof(double) - 1) / sizeof(double) * sizeof(double);
}

constexpr SegmentationScoreImpl kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = [](const SegmentationScoreSpec& g) { return size_t(parts_of(g).count()) * part_bytes(g); },
    .forward =
        [](const Exec& exec, const SegmentationScoreSpec& g, const float* p, const int32_t* label, int32_t* counts,
           float* loss) {
          const Chunks parts = parts_of(g);
          const int64_t pairs = g.classes() * g.classes();
          const auto loss_of = [&](int64_t part) {
            return reinterpret_cast<double*>(static_cast<std::byte*>(exec.scratch) + size_t(part) * part_bytes(g));
          };
          const auto counts_of = [&](int64_t part) { return reinterpret_cast<int32_t*>(loss_of(part) + 1); };
          parallel_for(g.rows, parts.grain, [&](int64_t begin, int64_t end) {
            const int64_t part = begin / parts.grain;
            std::fill_n(counts_of(part), pairs, 0);
            *loss_of(part) = score_rows(g, begin, end, p, label, counts_of(part));
          });
          std::fill_n(counts, pairs, 0);
          double sum = 0;
          for (int64_t part = 0; part < parts.count(); ++part) {
            sum += *loss_of(part);
            for (int64_t i = 0; i < pairs; ++i) counts[i] += counts_of(part)[i];
          }
          *loss = float(sum);
        }};

}  // namespace

const Registry<SegmentationScoreImpl>& segmentation_score_registry() {
  static const SegmentationScoreImpl impls[] = {KERN_CUDA_IMPL(segmentation_score_cuda_impl()) kCpu, kReference};
  static const Registry<SegmentationScoreImpl> registry{"segmentation_score", impls};
  return registry;
}
OpInfo segmentation_score_info() { return info_of(segmentation_score_registry()); }

}  // namespace kern::kernels
