#include "engine/onnx_graph.h"

#include <algorithm>

namespace kern {
namespace {
// Numbers of fields and types in onnx.proto3.
namespace model_field {
enum { ir_version = 1, producer_name = 2, producer_version = 3, graph = 7, opset_import = 8, metadata_props = 14 };
}
namespace graph_field {
enum { node = 1, name = 2, initializer = 5, input = 11, output = 12 };
}
namespace node_field {
enum { input = 1, output = 2, name = 3, op_type = 4, attribute = 5 };
}
namespace attribute_field {
enum { name = 1, f = 2, i = 3, s = 4, ints = 8, type = 20 };
}
namespace attribute_type {
enum { real = 1, integer = 2, text = 3, integers = 7 };
}
namespace tensor_field {
enum { dims = 1, data_type = 2, name = 8, raw_data = 9 };
}
namespace data_type {
enum { f32 = 1, i64 = 7, f64 = 11 };
}

ProtoWriter value_info(const std::string& name, const std::vector<OnnxGraph::Dim>& dims) {
  ProtoWriter shape;
  for (const OnnxGraph::Dim& d : dims) {
    ProtoWriter dim;
    if (const auto* number = std::get_if<int64_t>(&d)) dim.integer(1, *number);
    else dim.text(2, std::get<std::string>(d));
    shape.message(1, dim);
  }
  const ProtoWriter tensor = ProtoWriter().integer(1, data_type::f32).message(2, shape);
  return ProtoWriter().text(1, name).message(2, ProtoWriter().message(1, tensor));
}

template <class T>
ProtoWriter tensor(const std::string& name, std::span<const int64_t> dims, int type, std::span<const T> values) {
  return ProtoWriter()
      .integers(tensor_field::dims, dims)
      .integer(tensor_field::data_type, type)
      .text(tensor_field::name, name)
      .text(tensor_field::raw_data, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

ProtoWriter attribute(const OnnxGraph::Attribute& a) {
  ProtoWriter out;
  out.text(attribute_field::name, a.name);
  if (const auto* i = std::get_if<int64_t>(&a.value))
    out.integer(attribute_field::i, *i).integer(attribute_field::type, attribute_type::integer);
  else if (const auto* f = std::get_if<float>(&a.value))
    out.real(attribute_field::f, *f).integer(attribute_field::type, attribute_type::real);
  else if (const auto* s = std::get_if<std::string>(&a.value))
    out.text(attribute_field::s, *s).integer(attribute_field::type, attribute_type::text);
  else
    out.integers(attribute_field::ints, std::get<std::vector<int64_t>>(a.value))
        .integer(attribute_field::type, attribute_type::integers);
  return out;
}
}  // namespace

std::string OnnxGraph::unused(const std::string& wanted) {
  const int64_t before = names_[wanted]++;
  return before == 0 ? wanted : unused(text(wanted, "_", before));
}

std::string OnnxGraph::node(const std::string& type, const std::vector<std::string>& inputs,
                            const std::vector<Attribute>& attributes, const std::string& output, int unread) {
  ProtoWriter n;
  for (const std::string& i : inputs) n.text(node_field::input, i);
  std::string name = unused(output.empty() ? type : output);
  n.text(node_field::output, name);
  for (int i = 0; i < unread; ++i) n.text(node_field::output, unused(name + "_unread"));
  n.text(node_field::name, "node_" + name).text(node_field::op_type, type);
  for (const Attribute& a : attributes) n.message(node_field::attribute, attribute(a));
  nodes_.message(graph_field::node, n);
  return name;
}

std::string OnnxGraph::floats(const std::string& wanted, const std::vector<int64_t>& dims,
                              std::span<const float> values) {
  std::string name = unused(wanted);
  initialisers_.message(graph_field::initializer, tensor(name, std::span(dims), data_type::f32, values));
  return name;
}

std::string OnnxGraph::doubles(const std::string& wanted, const std::vector<int64_t>& dims,
                               std::span<const double> values) {
  std::string name = unused(wanted);
  initialisers_.message(graph_field::initializer, tensor(name, std::span(dims), data_type::f64, values));
  return name;
}

std::string OnnxGraph::constant(const std::vector<int64_t>& values, bool scalar) {
  std::string& name = integers_[{values, scalar}];
  if (!name.empty()) return name;
  name = unused("integers");
  const std::vector<int64_t> dims = scalar ? std::vector<int64_t>() : std::vector<int64_t>{int64_t(values.size())};
  initialisers_.message(graph_field::initializer,
                        tensor(name, std::span(dims), data_type::i64, std::span<const int64_t>(values)));
  return name;
}

std::string OnnxGraph::real(float value) {
  std::string& name = reals_[value];
  if (name.empty()) name = floats("number", {}, {&value, 1});
  return name;
}

void OnnxGraph::input(const std::string& name, const std::vector<Dim>& dims) {
  inputs_.message(graph_field::input, value_info(unused(name), dims));
}
void OnnxGraph::output(const std::string& name, const std::vector<Dim>& dims) {
  outputs_.message(graph_field::output, value_info(name, dims));
}

std::string OnnxGraph::serialise(const std::string& name, const std::string& producer_version,
                                 const Metadata& metadata) const {
  const uint64_t size = uint64_t(nodes_.bytes().size()) + initialisers_.bytes().size();
  check(size < uint64_t{2'000'000'000}, "an ONNX file cannot be larger than 2 GB, this model would have ",
        size / 1'000'000, " MB; train a smaller one");
  std::string graph;
  graph.reserve(size + 4096);
  graph += nodes_.bytes();
  graph += ProtoWriter().text(graph_field::name, name).bytes();
  for (const ProtoWriter* part : {&initialisers_, &inputs_, &outputs_}) graph += part->bytes();
  constexpr int kIrVersion = 8;  // of the ONNX releases that brought opset 17
  ProtoWriter model;
  model.integer(model_field::ir_version, kIrVersion)
      .text(model_field::producer_name, "kern")
      .text(model_field::producer_version, producer_version)
      .text(model_field::graph, graph)
      .message(model_field::opset_import, ProtoWriter().text(1, "").integer(2, kOnnxOpset));
  for (const auto& [key, value] : metadata)
    model.message(model_field::metadata_props, ProtoWriter().text(1, key).text(2, value));
  return model.bytes();
}

}  // namespace kern
