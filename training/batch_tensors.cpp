#include "training/batch_tensors.h"

#include <algorithm>
#include <span>

namespace kern::training {

BatchTensors<data::ImageBatches> image_tensors() {
  return {
      .all =
          [](const data::ImageBatches& b) {
            return Shape{b.images(), b.H(), b.W(), b.channels()};
          },
      .labelled =
          [](const data::ImageBatch& b) {
            return LabelledBatch{Tensor::from({b.N, b.H, b.W, b.C}, b.inputs), Tensor::from({b.N, b.H, b.W}, b.labels)};
          },
      .unlabelled =
          [](const data::ImageBatch& b) {
            const Shape positions{b.N, b.H, b.W};
            UnlabelledBatch u{.x = Tensor::from({b.N, b.H, b.W, b.C}, b.inputs),
                              .present = Tensor::from(positions, b.present),
                              .truth = Tensor::from(positions, b.labels)};
            if (!b.strong.empty()) {
              u.strong = Tensor::from({b.N, b.H, b.W, b.C}, b.strong);
              u.origin = Tensor::from(positions, b.origin);
            }
            if (!b.strong2.empty()) {
              u.strong2 = Tensor::from({b.N, b.H, b.W, b.C}, b.strong2);
              u.origin2 = Tensor::from(positions, b.origin2);
            }
            return u;
          }};
}

BatchTensors<data::FaultSections> section_tensors() {
  return {
      .all =
          [](const data::FaultSections& b) {
            const data::SyntheticSeismic& section = b.options().synthetic;
            return Shape{b.sections(), section.crosslines, section.samples, 1};
          },
      .labelled =
          [](const data::SectionBatch& b) {
            return LabelledBatch{Tensor::from({b.N, b.H, b.W, 1}, b.inputs), Tensor::from({b.N, b.H, b.W}, b.labels)};
          }};
}

namespace {
// Of cubes inputs and labels are of one size; [N,D,H,W] has D = 1 where lines are channels.
Shape cube_shape(const data::CubeBatch& b) {
  const int64_t lines = int64_t(b.inputs.size()) / int64_t(b.labels.size());
  return b.D > 1 ? Shape{b.N, b.D, b.H, b.W, 1} : Shape{b.N, b.H, b.W, lines};
}
Shape position_shape(const data::CubeBatch& b) { return b.D > 1 ? Shape{b.N, b.D, b.H, b.W} : Shape{b.N, b.H, b.W}; }
}  // namespace

BatchTensors<data::FaultCubes> cube_tensors() {
  return {.all =
              [](const data::FaultCubes& b) {
                const data::CubeOptions& o = b.options();
                if (o.lines > 0) return Shape{b.cubes(), o.crop.crosslines, o.crop.samples, o.lines};
                return Shape{b.cubes(), o.crop.inlines, o.crop.crosslines, o.crop.samples, 1};
              },
          .labelled =
              [](const data::CubeBatch& b) {
                return LabelledBatch{Tensor::from(cube_shape(b), b.inputs), Tensor::from(position_shape(b), b.labels)};
              },
          .unlabelled =
              [](const data::CubeBatch& b) {
                UnlabelledBatch u{.x = Tensor::from(cube_shape(b), b.inputs),
                                  .present = Tensor::from(position_shape(b), b.labels)};
                if (!b.strong.empty()) u.strong = Tensor::from(cube_shape(b), b.strong);
                return u;
              }};
}

BatchTensors<data::AnomalyBatches> unlabelled_image_tensors() {
  return {.all =
              [](const data::AnomalyBatches& b) {
                return Shape{b.images(), b.image_size().H, b.image_size().W, b.channels()};
              },
          .labelled =
              [](const data::AnomalyBatch& b) {
                return LabelledBatch{Tensor::from({b.N, b.H, b.W, b.C}, b.inputs),
                                     Tensor::empty({b.N}, {.dtype = DType::i32})};
              },
          .per_sample = true};
}

BatchTensors<data::WellBatches> well_tensors(WellInput input, int64_t channels) {
  return {.all =
              [channels](const data::WellBatches& b) {
                return Shape{b.windows(), b.longest(), channels};
              },
          .labelled =
              [input](const data::WellBatch& b) {
                return LabelledBatch{input(b.inputs, b.wells, b.N, b.L), Tensor::from({b.N, b.L}, b.labels)};
              },
          .unlabelled =
              [input](const data::WellBatch& b) {
                std::vector<int32_t> present(b.labels.size(), -1);
                for (int64_t n = 0; n < b.N; ++n) std::fill_n(present.begin() + n * b.L, b.lengths[size_t(n)], 0);
                UnlabelledBatch u{.x = input(b.inputs, {}, b.N, b.L),
                                  .present = Tensor::from({b.N, b.L}, std::span<const int32_t>(present)),
                                  .truth = Tensor::from({b.N, b.L}, b.labels)};
                if (!b.strong.empty()) {
                  u.strong = input(b.strong, {}, b.N, b.L);
                  u.origin = Tensor::from({b.N, b.L}, b.origin);
                }
                return u;
              }};
}

}  // namespace kern::training
