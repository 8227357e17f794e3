// ONNX files (https://onnx.ai) of functions of tensors. The function is run dry and its ops are followed (engine/trace.h), so
// what it does is what is exported: an op that is not known here is refused with a sentence. How each op is written
// stands in onnx_ops.cpp.
//
// Kern keeps channels last, ONNX wants them second: inputs and outputs of three to five dimensions are [N,C,L], [N,C,H,W]
// and [N,C,D,H,W], filters are transposed when they are written, and what works on channels in the last place (an LSTM, a
// reshape) gets a Transpose before and after it.
//
// Where any size is allowed, a network that mirrors its input to a multiple of so many positions does so in the file
// too, by nodes that know the input's size.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/model_file.h"

namespace kern {

struct OnnxSource {
  std::string name;                  // of the graph
  std::string input;                 // its input's name
  Shape shape;                       // of the input without the batch: [L,C], [H,W,C] or [D,H,W,C]
  bool any_size = false;             // all of them but C are then examples
  std::vector<std::string> outputs;  // their names
  // What is made of the input first, at its own sizes: what lies beyond them is mirrored afterwards. May be empty.
  std::function<Tensor(const Tensor& x)> prepare = {};
  std::function<std::vector<Tensor>(const Tensor& x)> run;  // x [N, shape] -> the outputs; in evaluation mode
  std::vector<FileTensor> constants;                        // every tensor that it reads and does not make
  Metadata metadata;                                        // goes into the file as it is
};

// What the file computes, computed by Kern.
inline std::vector<Tensor> computed(const OnnxSource& s, const Tensor& x) {
  return s.run(s.prepare ? s.prepare(x) : x);
}

// The file's bytes: the same for the same source. Errors: an op that ONNX is not told of, or whose result depends on
// the input's size in another way than any size allows; training mode; more than 2 GB.
std::string onnx_file(const OnnxSource& source, const std::string& producer_version);

// A tensor of an input's or output's kind as the file has it: channels second where it has three to five dimensions.
Tensor channels_second(const Tensor& t);

}  // namespace kern
