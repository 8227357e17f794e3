#include "engine/onnx_weights.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/atomic_file.h"
#include "engine/protobuf.h"
#include "tests/support/error_of.h"

namespace kern {
namespace {
using testing::error_of;

std::string file_of(const std::vector<ProtoWriter>& initialisers) {
  ProtoWriter graph;
  for (const ProtoWriter& t : initialisers) graph.message(5, t);
  return ProtoWriter().integer(1, 8).message(7, graph).bytes();
}
ProtoWriter tensor(const std::string& name, std::vector<int64_t> dims, int type) {
  ProtoWriter t;
  for (const int64_t d : dims) t.integer(1, d);  // not packed, as other writers may
  return t.integer(2, type).text(8, name);
}
template <class T>
std::string raw(std::vector<T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

TEST(OnnxWeights, EveryWayOfKeepingFloats) {
  const std::vector<float> floats{1.5f, -2};
  const std::vector<double> doubles{1.5, -2};
  const std::vector<int64_t> halves{0x3e00, 0xc000}, brains{0x3fc0, 0xc000};
  const TensorFile file = parse_onnx(
      file_of({tensor("raw", {2, 1}, 1).text(9, raw(floats)), tensor("list", {2}, 1).reals(4, floats),
               tensor("one by one", {2}, 1).real(4, 1.5f).real(4, -2), tensor("wide", {2}, 11).wide_reals(10, doubles),
               tensor("wide raw", {2}, 11).text(9, raw(doubles)), tensor("half", {2}, 10).integers(5, halves),
               tensor("half raw", {2}, 10).text(9, raw<uint16_t>({0x3e00, 0xc000})),
               tensor("brain", {2}, 16).integers(5, brains), tensor("shape", {1}, 7).integer(7, int64_t{1} << 60),
               tensor("scalar", {}, 1).real(4, 3)}),
      "f.onnx");
  EXPECT_EQ(file.tensors.size(), 9u);  // integers are no weights
  for (const FileTensor& t : file.tensors) {
    if (t.name == "scalar") EXPECT_EQ(t.tensor.values(), std::vector<float>{3});
    else EXPECT_EQ(t.tensor.values(), floats) << t.name;
  }
  EXPECT_EQ(file.find("raw")->shape(), (Shape{2, 1}));
}

TEST(OnnxWeights, SaysWhatIsWrongWithAFile) {
  const auto error = [](const std::string& bytes) { return error_of([&] { parse_onnx(bytes, "f.onnx"); }); };
  const std::vector<float> two{1, 2};
  const std::string good = file_of({tensor("w", {2}, 1).reals(4, two)});
  EXPECT_EQ(error(""), "f.onnx: not an ONNX file: there is no graph in it");
  EXPECT_EQ(error("{\"a\": 1}"), "f.onnx: not an ONNX file, or it is cut short or damaged");
  for (size_t cut = 1; cut < good.size(); ++cut) {
    const std::string said = error(good.substr(0, cut));
    EXPECT_TRUE(said.find("not an ONNX file") != said.npos) << cut << ": " << said;
  }
  EXPECT_EQ(error(file_of({tensor("w", {3}, 1).reals(4, two)})),
            "f.onnx: tensor 'w': shape [3] has 3 values, the file gives it 2");
  EXPECT_EQ(error(file_of({tensor("w", {int64_t{1} << 39, 1 << 20}, 1).reals(4, two)})),
            "f.onnx: tensor 'w': it has more than 6 dimensions, or sizes beyond any memory");
  EXPECT_EQ(error(file_of({tensor("w", {-2}, 1).reals(4, two)})),
            "f.onnx: tensor 'w': it has more than 6 dimensions, or sizes beyond any memory");
  EXPECT_EQ(error(file_of({tensor("w", {2}, 1).text(9, "1234567")})),
            "f.onnx: tensor 'w': its values end in the middle of one; the file is damaged");
  EXPECT_EQ(error(file_of({tensor("w", {2}, 1).integer(14, 1)})),
            "f.onnx: tensor 'w': its values are kept in another file; save the model as one ONNX file");
  EXPECT_EQ(error(file_of({tensor("w", {2}, 1).reals(4, two), tensor("w", {2}, 1).reals(4, two)})),
            "f.onnx: the tensor 'w' stands twice in it; the file is damaged");
}

}  // namespace
}  // namespace kern
