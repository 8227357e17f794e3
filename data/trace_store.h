// Traces of numbers in a file of their own, for what is larger than memory and is needed again. What was never written
// reads as zeros and takes no room on disk.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>

namespace kern::data {

class TraceStore {
 public:
  // The file as it stands, or a new one. Errors name the file.
  TraceStore(std::filesystem::path path, int64_t samples);
  ~TraceStore();
  TraceStore(TraceStore&& other) noexcept;
  TraceStore& operator=(TraceStore&&) = delete;

  int64_t samples() const { return samples_; }
  // `values` from the sample `first` of a trace on. Zeros are not written over what was never written.
  void write(int64_t trace, std::span<const float> values, int64_t first = 0);
  // Returns when what was written is on the disk.
  void sync();
  void read(int64_t trace, std::span<float> values, int64_t first = 0) const;

 private:
  std::filesystem::path path_;
  int64_t samples_;
  int descriptor_ = -1;
};

}  // namespace kern::data
