// Model files: safetensors (https://github.com/huggingface/safetensors): an 8-byte little-endian header length, a JSON
// header with names, shapes, offsets and string metadata, then the raw values.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tensor.h"

namespace kern {

using Metadata = std::map<std::string, std::string>;

struct FileTensor {
  std::string name;
  Tensor tensor;
};
struct TensorFile {
  std::string shown_name;  // for error texts
  Metadata metadata;
  std::vector<FileTensor> tensors;  // sorted by name
  const Tensor* find(std::string_view name) const;
};

// The bytes of a model file, piece by piece; the same bytes for the same input. Names must differ.
void write_tensors(std::vector<FileTensor> tensors, const Metadata& metadata,
                   const std::function<void(const void*, size_t)>& write);
// Those bytes as a file, written whole or not at all.
void save_tensors(const std::filesystem::path& path, std::vector<FileTensor> tensors, const Metadata& metadata);

// F16, BF16 and F64 become f32; I64 becomes i32 where it fits. Errors name the file: not a safetensors file, truncated,
// offsets outside it or overlapping, a shape that does not match its bytes.
TensorFile load_tensors(const std::filesystem::path& path);
TensorFile parse_tensors(std::string_view bytes, const std::string& shown_name);
// The metadata alone: reads no more of the file than its header, however large it is. Error too where the file ends
// before the values that the header announces.
Metadata load_metadata(const std::filesystem::path& path);

// Copies values into `targets` (handles into a model). Every missing, extra and misshapen name is listed in one Error;
// with prefix, only the file's names that begin with it take part, e.g. "model.".
void load_into(const std::vector<FileTensor>& targets, const TensorFile& file, std::string_view prefix = "");

}  // namespace kern
