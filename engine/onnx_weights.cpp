#include "engine/onnx_weights.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <vector>

#include "engine/atomic_file.h"
#include "engine/half.h"
#include "engine/protobuf.h"

namespace kern {
namespace {
// Numbers of fields and types in onnx.proto3.
enum ModelField { kGraph = 7, kMetadataProps = 14 };
enum GraphField { kInitializer = 5 };
enum TensorField {
  kDims = 1,
  kDataType = 2,
  kFloatData = 4,
  kInt32Data = 5,
  kName = 8,
  kRawData = 9,
  kDoubleData = 10,
  kDataLocation = 14
};
enum DataType { kFloat = 1, kFloat16 = 10, kDouble = 11, kBfloat16 = 16 };

// f(reader) for every field of a message.
template <class F>
void each_field(std::string_view message, const std::string& where, F f) {
  ProtoReader reader(message);
  while (reader.next()) f(reader);
  check(!reader.damaged(), where, ": not an ONNX file, or it is cut short or damaged");
}

template <class T>
void append(std::vector<T>& to, std::string_view bytes, const std::string& where) {
  check(bytes.size() % sizeof(T) == 0, where, "its values end in the middle of one; the file is damaged");
  const size_t before = to.size();
  to.resize(before + bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(to.data() + before, bytes.data(), bytes.size());
}

struct Initialiser {
  std::string name;
  Shape shape;
  bool shaped = true;  // no more dimensions than Kern's tensors have, and none beyond any memory
  int64_t type = 0, size = 1;
  std::optional<std::string_view> raw;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<uint64_t> integers;  // halves, where they are not raw
  bool elsewhere = false;
};

void add_dim(Initialiser& t, int64_t d) {
  constexpr int64_t kMost = int64_t{1} << 40;
  if (t.shape.rank() == Shape::kMaxRank || d < 0 || d > kMost || (d > 0 && t.size > kMost / d)) t.shaped = false;
  if (!t.shaped) return;
  t.shape.push_back(d);
  t.size *= d;
}

Initialiser read_initialiser(std::string_view message, const std::string& shown_name) {
  Initialiser t;
  each_field(message, shown_name, [&](const ProtoReader& r) {  // the name stands behind other fields
    if (r.field() == kName && r.is_bytes()) t.name = r.bytes();
  });
  const std::string where = shown_name + ": tensor '" + t.name + "': ";
  const auto packed = [&](std::string_view bytes, const auto& f) {
    while (!bytes.empty()) {
      const std::optional<uint64_t> v = ProtoReader::take_varint(bytes);
      check(v.has_value(), where, "a number is cut short; the file is damaged");
      f(*v);
    }
  };
  each_field(message, shown_name, [&](const ProtoReader& r) {
    switch (r.field()) {
      case kDims:
        if (r.is_integer()) add_dim(t, r.integer());
        else if (r.is_bytes()) packed(r.bytes(), [&](uint64_t d) { add_dim(t, int64_t(d)); });
        break;
      case kDataType:
        t.type = r.integer();
        break;
      case kFloatData:
        if (r.is_bytes()) append(t.floats, r.bytes(), where);
        else t.floats.push_back(std::bit_cast<float>(uint32_t(r.integer())));
        break;
      case kDoubleData:
        if (r.is_bytes()) append(t.doubles, r.bytes(), where);
        else t.doubles.push_back(std::bit_cast<double>(r.integer()));
        break;
      case kInt32Data:
        if (r.is_bytes()) packed(r.bytes(), [&](uint64_t v) { t.integers.push_back(v); });
        else t.integers.push_back(uint64_t(r.integer()));
        break;
      case kRawData:
        if (r.is_bytes()) t.raw = r.bytes();
        break;
      case kDataLocation:
        t.elsewhere = r.integer() == 1;
        break;
      default:
        break;
    }
  });
  return t;
}

// The values as floats; nothing where they are of no type of weights.
std::optional<std::vector<float>> floats_of(const Initialiser& t, const std::string& where) {
  std::vector<float> out;
  const auto convert = [&](const auto& values, auto to_float) {
    for (const auto v : values) out.push_back(to_float(v));
  };
  const auto half = [](auto v) { return half_to_float(uint16_t(v)); };
  const auto bf16 = [](auto v) { return std::bit_cast<float>(uint32_t(uint16_t(v)) << 16); };
  const auto wide = [](double v) { return float(v); };
  switch (t.type) {
    case kFloat:
      if (!t.raw) return t.floats;
      append(out, *t.raw, where);
      return out;
    case kDouble: {
      std::vector<double> values = t.doubles;
      if (t.raw) append(values, *t.raw, where);
      convert(values, wide);
      return out;
    }
    case kFloat16:
    case kBfloat16: {
      std::vector<uint16_t> values;
      if (t.raw) append(values, *t.raw, where);
      if (t.type == kFloat16) convert(values, half), convert(t.integers, half);
      else convert(values, bf16), convert(t.integers, bf16);
      return out;
    }
    default:
      return {};
  }
}

}  // namespace

TensorFile parse_onnx(std::string_view bytes, const std::string& shown_name) {
  TensorFile file{shown_name, {}, {}};
  bool graph = false;
  const auto add = [&](std::string_view message) {
    const Initialiser t = read_initialiser(message, shown_name);
    const std::string where = shown_name + ": tensor '" + t.name + "': ";
    check(!t.elsewhere, where, "its values are kept in another file; save the model as one ONNX file");
    const std::optional<std::vector<float>> values = floats_of(t, where);
    if (!values) return;
    check(t.shaped, where, "it has more than ", Shape::kMaxRank, " dimensions, or sizes beyond any memory");
    check(int64_t(values->size()) == t.size, where, "shape ", t.shape, " has ", t.size, " values, the file gives it ",
          values->size());
    file.tensors.push_back({t.name, Tensor::from(t.shape.rank() == 0 ? Shape{1} : t.shape, *values)});
  };
  each_field(bytes, shown_name, [&](const ProtoReader& model) {
    if (model.field() == kMetadataProps && model.is_bytes()) {
      std::string key, value;
      each_field(model.bytes(), shown_name, [&](const ProtoReader& r) {
        if (r.is_bytes()) (r.field() == 1 ? key : value) = r.bytes();
      });
      file.metadata[key] = value;
    }
    if (model.field() != kGraph || !model.is_bytes()) return;
    graph = true;
    each_field(model.bytes(), shown_name, [&](const ProtoReader& r) {
      if (r.field() == kInitializer && r.is_bytes()) add(r.bytes());
    });
  });
  check(graph, shown_name, ": not an ONNX file: there is no graph in it");
  std::sort(file.tensors.begin(), file.tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(file.tensors.begin(), file.tensors.end(),
                                        [](const auto& a, const auto& b) { return a.name == b.name; });
  check(twice == file.tensors.end(), shown_name, ": the tensor '", twice == file.tensors.end() ? "" : twice->name,
        "' stands twice in it; the file is damaged");
  return file;
}

TensorFile load_weights(const std::filesystem::path& path) {
  if (path.extension() != ".onnx" && path.extension() != ".ONNX") return load_tensors(path);
  check_regular(path);
  return parse_onnx(read_file(path), path.string());
}

}  // namespace kern
