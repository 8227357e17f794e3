#include "engine/model_file.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>

#include "engine/atomic_file.h"
#include "engine/half.h"
#include "engine/json.h"

namespace kern {
namespace {
using nlohmann::json;
static_assert(std::endian::native == std::endian::little,
              "safetensors are little-endian, and so is every machine Kern is built for");

constexpr const char* kMetadata = "__metadata__";  // the one entry of the header that is no tensor

template <class From, class Convert>
Tensor converted(const Shape& shape, const char* bytes, Convert convert) {
  Tensor t = Tensor::empty(shape);
  float* to = t.mutate();
  for (int64_t i = 0; i < t.size(); ++i) {
    From v;
    std::memcpy(&v, bytes + size_t(i) * sizeof v, sizeof v);
    to[i] = convert(v);
  }
  return t;
}
template <class T>
Tensor copied(const Shape& shape, const char* bytes, const std::string&) {
  Tensor t = Tensor::empty(shape, {.dtype = dtype_of<T>()});
  if (t.size() > 0) std::memcpy(t.mutate<T>(), bytes, size_t(t.size()) * sizeof(T));
  return t;
}

struct Format {
  const char* name;
  size_t width;
  Tensor (*read)(const Shape&, const char*, const std::string& where);
};
Tensor read_i64(const Shape& shape, const char* bytes, const std::string& where) {
  Tensor t = Tensor::empty(shape, {.dtype = DType::i32});
  int32_t* to = t.mutate<int32_t>();
  for (int64_t i = 0; i < t.size(); ++i) {
    int64_t v;
    std::memcpy(&v, bytes + i * 8, 8);
    check(v == int32_t(v), where, "its integer ", v, " does not fit 32 bits; convert the tensor to I32");
    to[i] = int32_t(v);
  }
  return t;
}
constexpr Format kFormats[] = {
    {"F32", 4, copied<float>},
    {"I32", 4, copied<int32_t>},
    {"U8", 1, copied<uint8_t>},
    {"I64", 8, read_i64},
    {"F16", 2,
     [](const Shape& s, const char* b, const std::string&) { return converted<uint16_t>(s, b, half_to_float); }},
    {"BF16", 2,
     [](const Shape& s, const char* b, const std::string&) {
       return converted<uint16_t>(s, b, [](uint16_t v) { return std::bit_cast<float>(uint32_t{v} << 16); });
     }},
    {"F64", 8,
     [](const Shape& s, const char* b, const std::string&) {
       return converted<double>(s, b, [](double v) { return float(v); });
     }},
};

std::string_view format_name(DType t) {
  switch (t) {
    case DType::f32:
      return "F32";
    case DType::i32:
      return "I32";
    case DType::u8:
      return "U8";
    case DType::bf16:
      break;
  }
  throw InternalError("saving bf16 tensors has no meaning: parameters are kept in f32");
}

Shape read_shape(const json& j, const std::string& where) {
  check(j.is_array() && j.size() <= size_t(Shape::kMaxRank), where, "its shape must be a list of at most ",
        Shape::kMaxRank, " sizes");
  Shape shape;
  int64_t size = 1;
  for (const json& d : j) {
    check(d.is_number_unsigned() && d.get<uint64_t>() <= uint64_t{1} << 40, where,
          "its shape holds something that is not a size");
    shape.push_back(d.get<int64_t>());
    check(shape[-1] == 0 || size <= (int64_t{1} << 40) / std::max<int64_t>(1, shape[-1]), where,
          "its shape is larger than any memory");
    size *= shape[-1];
  }
  return shape;
}

// What the first 8 of a file's bytes say, if they can be right.
uint64_t header_length(std::string_view beginning, uint64_t file_bytes, const std::string& shown_name) {
  check(file_bytes >= 8 && beginning.size() >= 8, shown_name, ": not a safetensors file, it has only ", file_bytes,
        " bytes");
  const bool is_text = std::all_of(beginning.begin(), beginning.begin() + 8,
                                   [](char c) { return (c >= 32 && c < 127) || c == '\n' || c == '\r' || c == '\t'; });
  check(!is_text, shown_name,
        " is text, not a model: a model is what a training saved, model.safetensors in its run folder (or the folder "
        "itself)");
  uint64_t length = 0;
  std::memcpy(&length, beginning.data(), 8);
  check(length <= file_bytes - 8 && length <= (uint64_t{100} << 20), shown_name,
        ": not a safetensors file, or cut short: its header claims ", length, " bytes of ", file_bytes - 8);
  return length;
}

json parse_header(std::string_view head, const std::string& shown_name) {
  // Depth is bounded before parsing: a header is an object of objects of lists.
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < head.size(); ++i) {
    const char ch = head[i];
    if (in_string) {
      if (ch == '\\') ++i;
      else if (ch == '"') in_string = false;
    } else if (ch == '"') in_string = true;
    else if (ch == '{' || ch == '[')
      check(++depth <= 4, shown_name, ": the header is nested too deeply for a safetensors file");
    else if (ch == '}' || ch == ']') --depth;
  }
  json header = json::parse(head, nullptr, false);
  check(header.is_object(), shown_name, ": not a safetensors file: its header is not a JSON object");
  return header;
}

Metadata read_metadata(const json& header, const std::string& shown_name) {
  Metadata metadata;
  const auto entry = header.find(kMetadata);
  if (entry == header.end()) return metadata;
  check(entry->is_object(), shown_name, ": its metadata is not an object of strings");
  for (const auto& [key, value] : entry->items()) {
    check(value.is_string(), shown_name, ": its metadata '", key, "' is not a string");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}
}  // namespace

const Tensor* TensorFile::find(std::string_view name) const {
  const auto it = std::lower_bound(tensors.begin(), tensors.end(), name,
                                   [](const FileTensor& t, std::string_view n) { return t.name < n; });
  return it != tensors.end() && it->name == name ? &it->tensor : nullptr;
}

void write_tensors(std::vector<FileTensor> tensors, const Metadata& metadata,
                   const std::function<void(const void*, size_t)>& write) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  json header = json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  size_t offset = 0;
  for (const FileTensor& t : tensors) {
    const size_t bytes = size_t(t.tensor.size()) * size_of(t.tensor.dtype());
    json shape = json::array();
    for (int64_t d : t.tensor.shape()) shape.push_back(d);
    internal_check(t.name != kMetadata && !header.contains(t.name), "the tensor name '", t.name,
                   "' stands twice in a model file");
    header[t.name] = {{"dtype", format_name(t.tensor.dtype())},
                      {"shape", std::move(shape)},
                      {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string head = header.dump(-1, ' ', false, json::error_handler_t::replace);
  head.append((8 - head.size() % 8) % 8, ' ');
  const uint64_t length = head.size();
  write(&length, 8);
  write(head.data(), head.size());
  for (const FileTensor& t : tensors) {
    const Tensor here = t.tensor.to(Device::cpu), values = here.dense() ? here : here.clone();
    const void* data = values.dtype() == DType::f32   ? static_cast<const void*>(values.data())
                       : values.dtype() == DType::i32 ? static_cast<const void*>(values.data<int32_t>())
                                                      : values.data<uint8_t>();
    write(data, size_t(values.size()) * size_of(values.dtype()));
  }
}

void save_tensors(const std::filesystem::path& path, std::vector<FileTensor> tensors, const Metadata& metadata) {
  AtomicFile file(path);
  write_tensors(std::move(tensors), metadata, [&](const void* data, size_t bytes) { file.write(data, bytes); });
  file.commit();
}

TensorFile parse_tensors(std::string_view bytes, const std::string& shown_name) {
  const uint64_t length = header_length(bytes, bytes.size(), shown_name);
  const std::string_view data = bytes.substr(8 + length);
  const json header = parse_header(bytes.substr(8, length), shown_name);
  TensorFile file{shown_name, read_metadata(header, shown_name), {}};
  struct Span {
    size_t begin, end;
    std::string name;
    Shape shape;
    const Format* format;
  };
  std::vector<Span> spans;
  for (const auto& [name, entry] : header.items()) {
    const std::string where = shown_name + ": tensor '" + name + "': ";
    if (name == kMetadata) continue;
    check(entry.is_object() && entry.contains("dtype") && entry["dtype"].is_string() && entry.contains("shape") &&
              entry.contains("data_offsets"),
          where, "dtype, shape or data_offsets are missing");
    const std::string dtype = entry["dtype"].get<std::string>();
    const auto format =
        std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& f) { return f.name == dtype; });
    check(format != std::end(kFormats), where, "type ", dtype, " is not supported; convert the file to F32");
    const Shape shape = read_shape(entry["shape"], where);
    const json& o = entry["data_offsets"];
    check(o.is_array() && o.size() == 2 && o[0].is_number_unsigned() && o[1].is_number_unsigned(), where,
          "data_offsets must be two numbers");
    const uint64_t begin = o[0].get<uint64_t>(), end = o[1].get<uint64_t>();
    check(begin <= end && end <= data.size(), where, "its values lie at ", begin, " to ", end, " of ", data.size(),
          " bytes: the file is cut short or damaged");
    check(end - begin == uint64_t(shape.size()) * format->width, where, "shape ", shape, " of ", dtype, " needs ",
          uint64_t(shape.size()) * format->width, " bytes, the file gives it ", end - begin);
    spans.push_back({begin, end, name, shape, format});
  }
  // Before anything is read: a small file whose tensors all lie on the same bytes must not fill the memory.
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  const Span* last = nullptr;
  for (const Span& s : spans) {
    if (s.begin == s.end) continue;
    check(!last || s.begin >= last->end, shown_name, ": tensors '", last ? last->name : "", "' and '", s.name,
          "' overlap: the file is damaged");
    last = &s;
  }
  for (const Span& s : spans)
    file.tensors.push_back(
        {s.name, s.format->read(s.shape, data.data() + s.begin, shown_name + ": tensor '" + s.name + "': ")});
  std::sort(file.tensors.begin(), file.tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return file;
}

TensorFile load_tensors(const std::filesystem::path& path) {
  check_regular(path);
  return parse_tensors(read_file(path), path.string());
}

Metadata load_metadata(const std::filesystem::path& path) {
  const std::string shown = path.string();
  check_regular(path);
  std::error_code error;
  std::ifstream in(path, std::ios::binary);
  const uint64_t bytes = in ? std::filesystem::file_size(path, error) : 0;
  check(in && !error, "cannot read ", shown, ": ", std::strerror(errno));
  std::string head(std::min<uint64_t>(8, bytes), '\0');
  in.read(head.data(), std::streamsize(head.size()));
  head.resize(header_length(head, bytes, shown));
  check(bool(in.read(head.data(), std::streamsize(head.size()))), "cannot read ", shown, ": ", std::strerror(errno));
  const json header = parse_header(head, shown);
  for (const auto& [name, entry] : header.items()) {
    const auto o = entry.find("data_offsets");
    if (name == kMetadata || o == entry.end() || !o->is_array() || o->size() != 2 || !(*o)[1].is_number_unsigned())
      continue;
    const uint64_t end = (*o)[1].get<uint64_t>(), there = bytes - 8 - head.size();
    check(end <= there, shown, ": tensor '", name, "': its values end at ", end, " of ", there,
          " bytes: the file is cut short or damaged");
  }
  return read_metadata(header, shown);
}

void load_into(const std::vector<FileTensor>& targets, const TensorFile& file, std::string_view prefix) {
  std::string missing, misshapen, extra;
  auto list = [](std::string& to, const std::string& item) { to += (to.empty() ? "" : ", ") + item; };
  std::vector<std::string_view> wanted;
  for (const FileTensor& t : targets) {
    const std::string name = std::string(prefix) + t.name;
    const Tensor* found = file.find(name);
    if (!found) list(missing, name);
    else if (found->shape() != t.tensor.shape() || found->dtype() != t.tensor.dtype())
      list(misshapen, text(name, " (file ", found->shape(), ' ', found->dtype(), ", model ", t.tensor.shape(), ' ',
                           t.tensor.dtype(), ")"));
    wanted.push_back(t.name);
  }
  std::sort(wanted.begin(), wanted.end());
  for (const FileTensor& t : file.tensors)
    if (t.name.starts_with(prefix) &&
        !std::binary_search(wanted.begin(), wanted.end(), std::string_view(t.name).substr(prefix.size())))
      list(extra, t.name);
  check(missing.empty() && misshapen.empty() && extra.empty(), file.shown_name, " does not fit this model.",
        missing.empty() ? "" : " Missing: " + missing + ".", extra.empty() ? "" : " Not in the model: " + extra + ".",
        misshapen.empty() ? "" : " Of another shape: " + misshapen + ".", " Was it saved from another architecture?");
  for (FileTensor t : targets) t.tensor.copy_from(*file.find(std::string(prefix) + t.name));
}

}  // namespace kern
