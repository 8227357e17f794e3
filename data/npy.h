// Arrays as numpy.save writes them (.npy, format versions 1 to 3; numpy.lib.format): read piece by piece, and written.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/segy_format.h"
#include "engine/atomic_file.h"

namespace kern::data {

class NpyFile {
 public:
  // Errors, one sentence each: no .npy file, cut short, numbers that are no integers or floats, Fortran order.
  explicit NpyFile(const std::filesystem::path& path);
  ~NpyFile();
  NpyFile(const NpyFile&) = delete;
  NpyFile& operator=(const NpyFile&) = delete;

  const std::string& name() const { return name_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  int64_t size() const { return size_; }  // values
  // Values from the index `first` on, the last dimension fastest, as floats. Thread-safe.
  void read(int64_t first, std::span<float> values) const;

 private:
  void read_header();
  void read_bytes(int64_t from, std::span<std::byte> to) const;
  std::string name_;
  int descriptor_ = -1;
  std::vector<int64_t> shape_;
  int64_t size_ = 0, data_start_ = 0;
  SegyFormat format_ = SegyFormat::float32;
  ByteOrder order_ = ByteOrder::little;
};

// A file of floats; it appears whole, at commit(), or not at all.
class NpyWriter {
 public:
  // shared: by all ranks together, each of which writes some of the values; commit() is called by all.
  NpyWriter(const std::filesystem::path& path, std::span<const int64_t> shape,
            AtomicFile::Temporary temporary = AtomicFile::Temporary::unnamed);
  void write(std::span<const float> values);                    // the next ones, the last dimension fastest
  void write_at(int64_t first, std::span<const float> values);  // from the index `first` on
  void commit();                                                // InternalError when values are missing

 private:
  AtomicFile file_;
  bool shared_ = false;
  int64_t size_ = 1, written_ = 0, data_start_ = 0;
};

}  // namespace kern::data
