// An ONNX graph that is put together node by node, and its bytes. ONNX is a protocol buffers message (onnx.proto3); the fields
// that Kern writes are named in onnx_graph.cpp, so no library is needed.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/model_file.h"
#include "engine/protobuf.h"

namespace kern {

inline constexpr int kOnnxOpset = 17;

class OnnxGraph {
 public:
  struct Attribute {
    std::string name;
    std::variant<int64_t, float, std::string, std::vector<int64_t>> value;
  };
  using Dim = std::variant<int64_t, std::string>;  // a number, or the name of one that varies

  // A node of one output, whose name is returned; where its type has more of them, nobody reads those.
  std::string node(const std::string& type, const std::vector<std::string>& inputs,
                   const std::vector<Attribute>& attributes = {}, const std::string& output = {}, int unread = 0);
  // An initialiser; its name is the given one, or that with a number where it is taken.
  std::string floats(const std::string& name, const std::vector<int64_t>& dims, std::span<const float> values);
  std::string doubles(const std::string& name, const std::vector<int64_t>& dims, std::span<const double> values);
  // Constants, each written once: lists are 1-D, numbers have no dimension.
  std::string integers(const std::vector<int64_t>& values) { return constant(values, false); }
  std::string integer(int64_t value) { return constant({value}, true); }
  std::string real(float value);
  void input(const std::string& name, const std::vector<Dim>& dims);
  void output(const std::string& name, const std::vector<Dim>& dims);

  // The file. Error where it would not fit the format: 2 GB.
  std::string serialise(const std::string& name, const std::string& producer_version, const Metadata& metadata) const;

 private:
  std::string constant(const std::vector<int64_t>& values, bool scalar);
  std::string unused(const std::string& wanted);
  ProtoWriter nodes_, initialisers_, inputs_, outputs_;  // fields of the graph's message
  std::map<std::string, int64_t> names_;                 // how often each was wanted
  std::map<std::pair<std::vector<int64_t>, bool>, std::string> integers_;
  std::map<float, std::string> reals_;
};

}  // namespace kern
