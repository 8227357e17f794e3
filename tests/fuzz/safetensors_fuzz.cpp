#include <cstring>

#include "engine/model_file.h"
#include "tests/fuzz/entry.h"

using namespace kern;
using kern::fuzz::accepted;
using kern::fuzz::expect;

namespace {
std::string bytes_of(const TensorFile& file) {
  std::string bytes;
  write_tensors(file.tensors, file.metadata,
                [&](const void* data, size_t size) { bytes.append(static_cast<const char*>(data), size); });
  return bytes;
}
bool same_values(const Tensor& a, const Tensor& b) {
  auto same = [&]<class T>(T) {
    return a.size() == 0 || std::memcmp(a.data<T>(), b.data<T>(), size_t(a.size()) * sizeof(T)) == 0;
  };
  return a.dtype() == DType::f32 ? same(float{}) : a.dtype() == DType::i32 ? same(int32_t{}) : same(uint8_t{});
}
}  // namespace

// A file that reads has every tensor under its name, and written anew it reads as the same, bit for bit.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  TensorFile file;
  if (!accepted([&] { file = parse_tensors(fuzz::text_of(data, size), "fuzz.safetensors"); })) return 0;
  size_t values = 0;
  for (const FileTensor& t : file.tensors) {
    expect(file.find(t.name) == &t.tensor, "names are unique and found");
    values += size_t(t.tensor.size());
  }
  expect(values <= size, "every value has bytes of its own");
  const std::string bytes = bytes_of(file);
  TensorFile again;
  expect(accepted([&] { again = parse_tensors(bytes, "again.safetensors"); }), "what was written reads");
  expect(again.metadata == file.metadata && again.tensors.size() == file.tensors.size(), "metadata and tensors stay");
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    const FileTensor &a = file.tensors[i], &b = again.tensors[i];
    expect(a.name == b.name && a.tensor.shape() == b.tensor.shape() && a.tensor.dtype() == b.tensor.dtype(),
           "name, shape and type stay");
    expect(same_values(a.tensor, b.tensor), "values stay");
  }
  expect(bytes_of(again) == bytes, "the same content gives the same bytes");
  return 0;
}
