#include "engine/onnx_weights.h"
#include "tests/fuzz/entry.h"

using namespace kern;
using kern::fuzz::accepted;
using kern::fuzz::expect;

// A file that reads has every tensor under its name, with a value for each of its places, and no more values than the
// file has bytes.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  TensorFile file;
  if (!accepted([&] { file = parse_onnx(fuzz::text_of(data, size), "fuzz.onnx"); })) return 0;
  size_t values = 0;
  for (const FileTensor& t : file.tensors) {
    expect(file.find(t.name) == &t.tensor, "names are unique and found");
    expect(t.tensor.dtype() == DType::f32, "weights are floats");
    values += t.tensor.values().size();
  }
  expect(values <= size, "every value has bytes of its own");
  return 0;
}
