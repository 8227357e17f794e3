#include "engine/capture.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "engine/dry_run.h"
#include "engine/random.h"

namespace kern {
namespace {

constexpr size_t kMaxRecords = 32;
// A record that was used in so many last runs makes no room for a new one: of more shapes in turn than there are
// records, these are replayed and the rest run eagerly, where otherwise each would drive out the next before it comes
// again.
constexpr uint64_t kPatience = 4 * kMaxRecords;

bool& enabled() {
  static bool on = [] {
    const char* value = std::getenv("KERN_GRAPH");
    const std::string_view v = value ? value : "on";
    check(v == "on" || v == "off", "KERN_GRAPH=", v, ": use on (a step on a GPU is recorded and replayed) or off");
    return v == "on";
  }();
  return on;
}

size_t bytes_of(const Tensor& t) { return size_t(t.size()) * size_of(t.dtype()); }
// Each input begins at a multiple of 64 bytes.
size_t staged_bytes(const Tensor& t) { return (bytes_of(t) + 63) / 64 * 64; }

size_t bytes_to_stage(const std::vector<Tensor>& inputs) {
  size_t bytes = 0;
  for (const Tensor& t : inputs)
    if (t.device() == Device::cpu) bytes += staged_bytes(t);
  return bytes;
}

const std::byte* first_byte(const Tensor& t) {
  return t.impl().storage->data() + size_t(t.impl().offset) * size_of(t.dtype());
}

std::vector<int64_t> key_of(const std::vector<Tensor>& inputs, const std::vector<int64_t>& circumstances) {
  // The seed is in the arguments of random kernels, the step is not.
  std::vector<int64_t> key{int64_t(default_generator().seed()), int64_t(circumstances.size())};
  key.insert(key.end(), circumstances.begin(), circumstances.end());
  for (const Tensor& t : inputs) {
    key.push_back(int64_t(t.dtype()));
    key.push_back(t.rank());
    for (int i = 0; i < t.rank(); ++i) key.push_back(t.dim(i));
  }
  return key;
}

}  // namespace

bool graphs_enabled() { return enabled(); }
void set_graphs(bool on) { enabled() = on; }

std::vector<Tensor> StepGraphs::run(const std::vector<Tensor>& inputs, const Work& work,
                                    const std::vector<int64_t>& circumstances) {
  last_ = Last::eager;
  if (device_ == Device::cpu || in_dry_run()) {
    std::vector<Tensor> staging;
    if (const auto bytes = int64_t(bytes_to_stage(inputs)); device_ != Device::cpu && bytes > 0)
      for (int i = 0; i < 2; ++i) staging.push_back(Tensor::empty({bytes}, {.dtype = DType::u8, .device = device_}));
    std::vector<Tensor> there;
    for (const Tensor& t : inputs) there.push_back(t.to(device_));
    if (device_ == Device::cpu || !graphs_enabled()) return work(there);
    if (!dry_filters_) dry_filters_ = std::make_unique<PackedFilters>();
    const PackedFilters::Scope packed(*dry_filters_);  // from the second step of a dry run on all of them are there
    return work(there);
  }
  dry_filters_.reset();
  ++runs_;
  Staging* const staging = staging_for(inputs);  // before a record, which makes room for whatever is allocated
  Record* const found = record_of(key_of(inputs, circumstances), inputs);
  if (!found) {
    const std::vector<Tensor> there = empty_on_gpu(inputs);
    upload(inputs, there, staging);
    return work(there);
  }
  Record& record = *found;
  upload(inputs, record.inputs, staging);
  if (!graphs_enabled()) return work(record.inputs);
  if (!record.graph) {
    // The warm-up too: so recording finds every block here and allocates nothing.
    const KeptBlocks::Scope scope(*record.blocks);
    const PackedFilters::Scope packed(record.filters);
    if (!record.warm) {
      record.warm = true;
      return work(record.inputs);
    }
    record.filters.allocate();
    record.graph.emplace([&] {
      record.filters.pack();
      record.outputs = work(record.inputs);
    });
    for (Tensor& t : record.outputs) t = t.detach();
    last_ = Last::recorded;
  } else {
    last_ = Last::replayed;
  }
  record.graph->launch();
  return record.outputs;
}

std::vector<Tensor> StepGraphs::empty_on_gpu(const std::vector<Tensor>& like) const {
  std::vector<Tensor> there;
  for (const Tensor& t : like) there.push_back(Tensor::empty(t.shape(), {.dtype = t.dtype(), .device = device_}));
  return there;
}

StepGraphs::Record* StepGraphs::record_of(std::vector<int64_t> key, const std::vector<Tensor>& inputs) {
  const auto found = std::find_if(records_.begin(), records_.end(), [&](const Record& r) { return r.key == key; });
  if (found != records_.end()) {
    records_.splice(records_.begin(), records_, found);
    found->last_run = runs_;
    return &*found;
  }
  if (records_.size() == kMaxRecords) {
    if (runs_ - records_.back().last_run <= kPatience) return nullptr;
    records_.pop_back();
  }
  std::vector<Tensor> there = empty_on_gpu(inputs);
  records_.emplace_front();
  const auto made = records_.begin();
  made->key = std::move(key);
  made->last_run = runs_;
  made->inputs = std::move(there);
  made->blocks.emplace([this, made] { records_.erase(made); });
  return &*made;
}

StepGraphs::Staging* StepGraphs::staging_for(const std::vector<Tensor>& inputs) {
  const size_t bytes = bytes_to_stage(inputs);
  if (bytes == 0) return nullptr;
  auto& staging = staging_[next_staging_];
  next_staging_ ^= 1;
  if (!staging) staging = std::make_unique<Staging>();
  staging->uploaded.wait();
  if (!staging->host || staging->host->bytes() < bytes) staging->host = std::make_unique<PinnedMemory>(bytes);
  if (!staging->gpu || staging->gpu.size() < int64_t(bytes)) {
    staging->taken.wait();
    staging->gpu = Tensor::empty({int64_t(bytes)}, {.dtype = DType::u8, .device = device_});
    staging->taken.record();  // work given before may still use a block that was handed on
  }
  return staging.get();
}

void StepGraphs::upload(const std::vector<Tensor>& from, const std::vector<Tensor>& to, Staging* staging) {
  size_t bytes = 0;
  for (const Tensor& t : from) {
    if (t.device() != Device::cpu) continue;
    const Tensor dense = t.dense() ? t : t.clone();
    std::memcpy(staging->host->data() + bytes, first_byte(dense), bytes_of(dense));
    bytes += staged_bytes(dense);
  }
  if (staging) {
    staging->taken.hold(CudaStream::upload);
    copy_later(device_, const_cast<std::byte*>(first_byte(staging->gpu)), Device::cpu, staging->host->data(), bytes,
               CudaStream::upload);
    staging->uploaded.record(CudaStream::upload);
    staging->uploaded.hold(CudaStream::work);
  }
  const std::byte* place = staging ? first_byte(staging->gpu) : nullptr;
  for (size_t i = 0; i < from.size(); ++i) {
    Tensor target = to[i];
    if (from[i].device() != Device::cpu) {
      target.copy_from(from[i]);
      continue;
    }
    target.impl().version->bump();
    copy_bytes(device_, const_cast<std::byte*>(first_byte(target)), bytes_of(target), device_, place, bytes_of(target),
               bytes_of(target), 1);
    place += staged_bytes(target);
  }
  if (staging) staging->taken.record();
}

}  // namespace kern
