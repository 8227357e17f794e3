#include "data/wells_batches.h"

#include <algorithm>
#include <numeric>

#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr int64_t kBatchesPerBucket =
    8;  // this many batches' worth of windows are sorted by length before they are cut

// Of a view of a window, in a stream that the windows themselves use by their numbers, which are far smaller.
uint32_t sequence_of_view(int64_t window) { return ~uint32_t(window); }

StrongView view_of(const Augmentation& a) {
  return {.gain = 0, .drift = a.drift, .noise = 0, .stretch = a.stretch, .hide = a.hide};
}
}  // namespace

WellBatches::WellBatches(const std::vector<Well>& wells, std::span<const int64_t> which,
                         const Normalisation& normalisation, const BatchOptions& options)
    : options_(options),
      channels_(normalisation.channels()),
      curves_(int64_t(normalisation.curves.size())),
      mask_(normalisation.mask) {
  check(options.batch >= 1, "wells: batch=", options.batch, " is not 1 or more");
  check(options.window >= 0, "wells: window=", options.window, " is not a number of samples, nor 0 for whole wells");
  check(options.augmentation.gain >= 0 && options.augmentation.shift >= 0 && options.augmentation.noise >= 0,
        "wells: an augmentation's gain, shift and noise must not be negative");
  check(options.augmentation.hide_curve >= 0 && options.augmentation.hide_curve < 1,
        "wells: hide_curve is a probability below 1, got ", options.augmentation.hide_curve);
  check_options(view_of(options.augmentation));
  if (options.strong) check_options(*options.strong);
  check(!which.empty(), "wells: there are no wells to make batches of");
  int64_t longest = 0;
  for (const int64_t w : which) longest = std::max(longest, wells.at(size_t(w)).length());
  options_.window = std::min(options.window, longest);  // a window that no well fills would be padding
  for (const int64_t w : which) {
    const Well& well = wells.at(size_t(w));
    const int64_t length = well.length();
    Source s{.well = w,
             .length = length,
             .first_label = 0,
             .last_label = length - 1,
             .inputs = network_inputs(well, normalisation)};
    s.labels.assign(size_t(length), kUnlabelled);
    std::copy(well.labels.begin(), well.labels.end(), s.labels.begin());
    const auto labelled = [](int32_t label) { return label != kUnlabelled; };
    if (const auto first = std::find_if(s.labels.begin(), s.labels.end(), labelled);
        first != s.labels.end() && !options_.anywhere) {
      s.first_label = first - s.labels.begin();
      s.last_label = s.labels.rend() - std::find_if(s.labels.rbegin(), s.labels.rend(), labelled) - 1;
    }
    const int64_t window = options_.window > 0 ? options_.window : length;
    for (int64_t start = 0; start < length; start += window) windows_.push_back({int64_t(sources_.size()), start});
    sources_.push_back(std::move(s));
  }
}

int64_t WellBatches::start_of(const Epoch& epoch, int64_t number) const {
  const Window& window = windows_[size_t(number)];
  if (!options_.shuffle || options_.window == 0) return window.start;
  const Source& s = sources_[size_t(window.source)];
  // Inside the labelled stretch; where that is shorter than the window, anywhere that covers it; always inside the
  // well.
  const int64_t a = s.first_label, b = s.last_label + 1 - options_.window,
                last = std::max<int64_t>(0, s.length - options_.window);
  const int64_t low = std::clamp<int64_t>(std::min(a, b), 0, last), high = std::clamp<int64_t>(std::max(a, b), 0, last);
  RandomSequence random(options_.seed, RandomStream::augment, epoch.number, uint32_t(number));
  return low + int64_t(random.below(uint32_t(high - low + 1)));
}

int64_t WellBatches::longest() const {
  int64_t length = 0;
  for (int64_t i = 0; i < windows(); ++i) length = std::max(length, length_of(i));
  return length;
}

int64_t WellBatches::length_of(int64_t number) const {
  return options_.window > 0 ? options_.window : sources_[size_t(windows_[size_t(number)].source)].length;
}

WellBatches::Epoch WellBatches::epoch(int64_t number) const {
  check(number >= 0, "wells: epoch ", number, " is not 0 or more");
  Epoch epoch{.number = uint32_t(number), .batches = {}};
  std::vector<int64_t> order(windows_.size());
  std::iota(order.begin(), order.end(), 0);
  RandomSequence random(options_.seed, RandomStream::shuffle, epoch.number);
  if (options_.shuffle) {
    random.shuffle(std::span<int64_t>(order));
    const int64_t bucket = options_.batch * kBatchesPerBucket;
    for (int64_t begin = 0; begin < int64_t(order.size()); begin += bucket)
      std::stable_sort(order.begin() + begin, order.begin() + std::min<int64_t>(begin + bucket, int64_t(order.size())),
                       [&](int64_t a, int64_t b) { return length_of(a) < length_of(b); });
  }
  for (size_t begin = 0; begin < order.size(); begin += size_t(options_.batch))
    epoch.batches.emplace_back(order.begin() + int64_t(begin),
                               order.begin() + int64_t(std::min(order.size(), begin + size_t(options_.batch))));
  if (options_.shuffle) random.shuffle(std::span<std::vector<int64_t>>(epoch.batches));
  return epoch;
}

// inputs [length, channels] and labels [length] of one window; what is missing stays missing.
void WellBatches::augment(float* inputs, int32_t* labels, int64_t length, const Epoch& epoch, int64_t number) const {
  const Augmentation& a = options_.augmentation;
  if (a.hide_curve > 0) {
    RandomSequence draw(options_.seed, RandomStream::augment, epoch.number, uint32_t(number));
    hide_curves(inputs, length, curves_, mask_, drawn_curves(curves_, a.hide_curve, draw));
  }
  RandomSequence random(options_.seed, RandomStream::noise, epoch.number, uint32_t(number));
  for (int64_t c = 0; c < curves_ && a.any(); ++c) {
    const float gain = 1 + float(random.uniform(-a.gain, a.gain)), shift = float(random.uniform(-a.shift, a.shift));
    for (int64_t i = 0; i < length; ++i) {
      float& value = inputs[i * channels_ + c];
      const float noise = a.noise > 0 ? float(random.normal(0, a.noise)) : 0;
      if (!mask_ || inputs[i * channels_ + curves_ + c] > 0) value = value * gain + shift + noise;
    }
  }
  if (!a.any_view()) return;
  RandomSequence again(options_.seed, RandomStream::noise, epoch.number, sequence_of_view(number));
  const ViewOfWindow view = strong_view(inputs, length, curves_, mask_, view_of(a), again);
  std::copy(view.inputs.begin(), view.inputs.end(), inputs);
  const std::vector<int32_t> before(labels, labels + length);
  for (int64_t i = 0; i < length; ++i)
    labels[i] = view.origin[size_t(i)] < 0 ? kUnlabelled : before[size_t(view.origin[size_t(i)])];
}

WellBatch WellBatches::batch(const Epoch& epoch, int64_t index, const Share& share) const {
  check(index >= 0 && index < int64_t(epoch.batches.size()), "wells: batch ", index, " of an epoch of ",
        epoch.batches.size());
  const std::vector<int64_t>& numbers = epoch.batches[size_t(index)];
  const auto part = share.of(int64_t(numbers.size()));
  WellBatch out{.N = part.size(), .C = channels_, .whole = {int64_t(numbers.size()), part.lent}};
  for (const int64_t number : numbers) out.L = std::max(out.L, length_of(number));
  out.inputs.assign(size_t(out.N * out.L * out.C), 0.0f);
  out.labels.assign(size_t(out.N * out.L), kUnlabelled);
  if (options_.strong) {
    out.strong.assign(out.inputs.size(), 0.0f);
    out.origin.assign(out.labels.size(), -1);
  }
  for (int64_t n = 0; n < out.N; ++n) {
    const int64_t number = numbers[size_t(part.first + n)], start = start_of(epoch, number);
    const Source& s = sources_[size_t(windows_[size_t(number)].source)];
    const int64_t length = std::min(length_of(number), s.length - start);
    std::copy_n(s.inputs.begin() + start * channels_, length * channels_, out.inputs.begin() + n * out.L * out.C);
    std::copy_n(s.labels.begin() + start, length, out.labels.begin() + n * out.L);
    augment(out.inputs.data() + n * out.L * out.C, out.labels.data() + n * out.L, length, epoch, number);
    if (options_.strong) {
      RandomSequence random(options_.seed, RandomStream::augment, epoch.number, sequence_of_view(number));
      const ViewOfWindow view =
          strong_view(out.inputs.data() + n * out.L * out.C, length, curves_, mask_, *options_.strong, random);
      std::copy(view.inputs.begin(), view.inputs.end(), out.strong.begin() + n * out.L * out.C);
      std::copy(view.origin.begin(), view.origin.end(), out.origin.begin() + n * out.L);
    }
    out.wells.push_back(s.well);
    out.starts.push_back(start);
    out.lengths.push_back(length);
  }
  return out;
}

}  // namespace kern::data
