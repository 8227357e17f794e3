#include "data/fault_cubes.h"

#include <algorithm>
#include <list>
#include <mutex>

#include "data/fault_sections.h"
#include "kernels/common/error.h"

namespace kern::data {

// The cubes last asked for. Who comes first makes one, the others wait for it.
struct FaultCubes::Kept {
  struct Cube {
    int64_t number;
    std::once_flag made;
    SyntheticVolume volume;
  };
  std::mutex mutex;
  std::list<std::shared_ptr<Cube>> cubes;  // the last used first

  std::shared_ptr<Cube> find(int64_t number, size_t most) {
    const std::lock_guard lock(mutex);
    const auto at = std::find_if(cubes.begin(), cubes.end(), [&](const auto& c) { return c->number == number; });
    if (at != cubes.end()) {
      cubes.splice(cubes.begin(), cubes, at);
    } else {
      cubes.push_front(std::make_shared<Cube>());
      cubes.front()->number = number;
      if (cubes.size() > most) cubes.pop_back();
    }
    return cubes.front();
  }
};

FaultCubes::FaultCubes(const CubeOptions& options) : options_(options), kept_(std::make_shared<Kept>()) {
  const CubeOptions& o = options_;
  check(o.cubes >= 1 && o.batch >= 1 && o.uses >= 1,
        "an epoch needs at least one cube, a batch too, and a made cube must be used at least once; got ", o.cubes,
        ", ", o.batch, " and ", o.uses);
  check(o.lines == 0 || (o.lines > 0 && o.lines % 2 == 1), "lines is ", o.lines,
        ", expected 0 or an odd number: the labels are those of the middle line");
  if (o.lines > 0) options_.crop.inlines = o.lines;
  check_options(o.synthetic);
  check_augmentation(o.augmentation);
  const Block& c = o.crop;
  check(c.inlines >= 1 && c.crosslines >= 1 && c.samples >= 1 && c.inlines <= o.synthetic.inlines &&
            c.crosslines <= o.synthetic.crosslines && c.samples <= o.synthetic.samples,
        "crops of ", c.inlines, " x ", c.crosslines, " x ", c.samples, " cannot be cut from made cubes of ",
        o.synthetic.inlines, " x ", o.synthetic.crosslines, " x ", o.synthetic.samples,
        " (inlines x crosslines x samples): make larger cubes or cut smaller crops");
  if (o.windows) o.windows->expect_room(o.synthetic, o.part);
  check(o.own.share >= 0 && o.own.share <= 1, "the survey's share of a batch is ", o.own.share, ", expected 0 to 1");
  if (o.own.survey) o.own.survey->expect_room(options_.crop, o.lines > 0);
  else options_.own.share = 0;
  if (o.own.strong) check_augmentation(*o.own.strong);
}

SeismicCrop FaultCubes::own_crop(RandomSequence& random) const {
  const CubeOptions& o = options_;
  const bool along_lines = o.lines > 0;
  const SyntheticVolume volume = o.own.labelled
                                     ? o.own.survey->interpreted_piece(o.crop, along_lines, o.own.part, random)
                                     : o.own.survey->any_piece(o.crop, along_lines, random);
  SeismicAugmentation augmentation = o.augmentation;
  if (along_lines) augmentation.turn = false;  // there is nothing beside an interpreted line
  return cut_crop(volume, o.crop, !along_lines, o.augment ? &augmentation : nullptr, random);
}

std::shared_ptr<const SyntheticVolume> FaultCubes::made(int64_t number) const {
  const CubeOptions& o = options_;
  const auto cube = kept_->find(number, size_t(2 * o.batch + 4));
  std::call_once(cube->made, [&] {
    cube->volume = o.windows ? o.windows->window(o.synthetic, number, o.part) : synthetic_seismic(o.synthetic, number);
    scale_amplitudes(cube->volume.amplitude, amplitude_scale(cube->volume.amplitude));
  });
  return {cube, &cube->volume};
}

CubeBatch FaultCubes::batch(const Epoch& epoch, int64_t index, const Share& share) const {
  const CubeOptions& o = options_;
  const int64_t first = index * o.batch, samples = std::min(o.batch, o.cubes - first);
  check(index >= 0 && samples > 0, "there is no batch ", index, " of ", size());
  const Block& c = o.crop;
  const int64_t values = c.size(), H = c.crosslines, W = c.samples;
  const auto part = share.of(samples);
  const int64_t N = part.size();
  CubeBatch out{N, o.lines > 0 ? 1 : c.inlines, H, W, std::vector<float>(size_t(N * values)), {}};
  out.labels.resize(size_t(N * out.D * H * W));
  out.whole = {samples, part.lent};
  if (o.own.strong) out.strong.resize(out.inputs.size());
  const auto put = [&](const std::vector<float>& amplitude, int64_t n, std::vector<float>& to) {
    if (o.lines == 0) return void(std::copy(amplitude.begin(), amplitude.end(), to.begin() + n * values));
    for (int64_t line = 0; line < o.lines; ++line)
      for (int64_t i = 0; i < H * W; ++i)
        to[size_t(n * values + i * o.lines + line)] = amplitude[size_t(line * H * W + i)];
  };
  // The survey's pieces come first in a batch; how many there are follows their share from batch to batch.
  const auto owned = [&](int64_t batches) { return int64_t(double(batches * o.batch) * o.own.share + 1e-9); };
  const int64_t own = std::min(samples, owned(index + 1) - owned(index));
  const int64_t stages = size() / o.uses + 2;  // cubes of a place of the batch in an epoch, at most
  const int64_t number = o.fresh ? epoch.number : 0;
  for (int64_t at = 0; at < N; ++at) {
    const int64_t n = part.first + at;  // its place in the whole batch
    const int64_t view = o.augment ? epoch.number : number;
    RandomSequence random(o.synthetic.seed, RandomStream::augment, uint32_t(view), uint32_t(first + n));
    SeismicCrop crop;
    if (n < own) {
      crop = own_crop(random);
    } else {
      // Every place of a batch changes its cube at another time, so that no batch waits for many.
      const int64_t stage = (index + n * o.uses / o.batch) / o.uses;
      const std::shared_ptr<const SyntheticVolume> volume = made((number * stages + stage) * o.batch + n);
      crop = cut_crop(*volume, c, o.lines == 0, o.augment ? &o.augmentation : nullptr, random);
    }
    put(crop.amplitude, at, out.inputs);
    const auto middle = crop.label.begin() + o.lines / 2 * H * W;
    std::copy(middle, middle + out.D * H * W, out.labels.begin() + at * out.D * H * W);
    if (!o.own.strong) continue;
    change_amplitudes(crop, *o.own.strong, random);
    put(crop.amplitude, at, out.strong);
  }
  return out;
}

}  // namespace kern::data
