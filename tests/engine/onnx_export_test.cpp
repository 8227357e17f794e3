// What is refused, and what stands in a file; that runtimes compute the same is tested with whole models
// (tests/apps/export_test.cpp).
#include "engine/onnx_export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/onnx_weights.h"
#include "engine/ops/add.h"
#include "engine/ops/conv1d.h"
#include "engine/ops/instance_norm.h"
#include "engine/ops/norm_act.h"
#include "engine/ops/pad.h"
#include "engine/ops/reshape.h"
#include "engine/ops/sum.h"
#include "engine/ops/unary.h"
#include "engine/protobuf.h"
#include "engine/trace.h"
#include "tests/support/error_of.h"

namespace kern {
namespace {
using testing::error_of;

std::vector<float> rising(int64_t n) {
  std::vector<float> out;
  for (int64_t i = 0; i < n; ++i) out.push_back(float(i));
  return out;
}

OnnxSource source(std::function<Tensor(const Tensor&)> f, std::vector<FileTensor> constants = {},
                  bool any_size = true) {
  return {.name = "test",
          .input = "x",
          .shape = {8, 2},
          .any_size = any_size,
          .outputs = {"y"},
          .run = [f](const Tensor& x) { return std::vector<Tensor>{f(x)}; },
          .constants = std::move(constants),
          .metadata = {{"answer", "42"}}};
}

// The types of the graph's nodes in order.
std::vector<std::string> nodes_of(const std::string& file) {
  std::vector<std::string> out;
  ProtoReader model(file);
  while (model.next()) {
    if (model.field() != 7) continue;
    ProtoReader graph(model.bytes());
    while (graph.next()) {
      if (graph.field() != 1) continue;
      ProtoReader node(graph.bytes());
      while (node.next())
        if (node.field() == 4) out.emplace_back(node.bytes());
    }
  }
  return out;
}

TEST(OnnxExport, WritesTheActivationOfAFusedNorm) {
  const NormActParts parts{.running_mean = Tensor::full({2}, 0.5f), .running_variance = Tensor::full({2}, 2)};
  for (const auto& [act, node] :
       {std::pair{Activation::relu, "Relu"}, {Activation::relu6, "Clip"}, {Activation::silu, "Sigmoid"}}) {
    const auto net = [&, act = act](const Tensor& x) { return norm_act(x, parts, {.training = false, .act = act}); };
    const std::vector<std::string> nodes =
        nodes_of(onnx_file(source(net, {{"mean", parts.running_mean}, {"variance", parts.running_variance}}), ""));
    EXPECT_EQ(std::count(nodes.begin(), nodes.end(), node), 1) << node;
  }
}

TEST(OnnxExport, FollowsTheOpsAndKeepsTheParametersNames) {
  const Tensor w = Tensor::from({3, 5, 2}, rising(30)), b = Tensor::from({3}, rising(3));
  const auto net = [&](const Tensor& x) { return relu(conv1d(x, w, b, {.padding = 2})); };
  const std::string file = onnx_file(source(net, {{"conv.weight", w}, {"conv.bias", b}}), "1.2.3");
  EXPECT_EQ(nodes_of(file), (std::vector<std::string>{"Shape", "Conv", "Relu", "Identity"}));
  const TensorFile weights = parse_onnx(file, "file.onnx");
  EXPECT_EQ(weights.metadata, (Metadata{{"answer", "42"}}));
  const Tensor* filter = weights.find("conv.weight");
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->shape(), (Shape{3, 2, 5}));  // [K,C,S]
  EXPECT_EQ(filter->values()[1], 2);             // of w [0,1,0]
  EXPECT_EQ(filter->values()[5], 1);             // [0,0,1]
  EXPECT_EQ(weights.find("conv.bias")->values(), rising(3));
  EXPECT_EQ(file, onnx_file(source(net, {{"conv.weight", w}, {"conv.bias", b}}), "1.2.3"));
}

TEST(OnnxExport, MirrorsToTheMultipleThatTheNetworkPadsTo) {
  const auto net = [](const Tensor& x) {
    const int more = int((4 - x.dim(1) % 4) % 4);
    return crop1d(relu(mirror_pad1d(x, {0, more})), {0, more});
  };
  const std::vector<std::string> nodes = nodes_of(onnx_file(source(net), ""));
  EXPECT_EQ(std::count(nodes.begin(), nodes.end(), "Gather"), 1);
  EXPECT_EQ(std::count(nodes.begin(), nodes.end(), "Slice"), 1);
  EXPECT_EQ(std::count(nodes.begin(), nodes.end(), "Pad"), 0);
}

TEST(OnnxExport, RefusesWhatItCannotSay) {
  EXPECT_EQ(error_of([] { onnx_file(source([](const Tensor& x) { return cumsum(x, 1); }), ""); }),
            "the op cumsum of this network cannot be written as ONNX: it has no counterpart in engine/onnx_ops.cpp");
  const Tensor unknown = Tensor::from({2}, rising(2));
  EXPECT_EQ(error_of([&] { onnx_file(source([&](const Tensor& x) { return add(x, unknown); }), ""); }),
            "a tensor [2] that this network reads is no parameter, and no op that ONNX could be told of made it");
  EXPECT_EQ(error_of([&] { onnx_file(source([](const Tensor& x) { return sum(x); }), ""); }),
            "the op sum of this network cannot be written as ONNX: it is over all values, the batch among them");
  EXPECT_EQ(error_of([&] { onnx_file(source([](const Tensor& x) { return norm_act(x, {}, {}); }, {}, false), ""); }),
            "the op norm_act of this network cannot be written as ONNX: its network is in training mode");
  const auto flat = [](const Tensor& x) { return reshape(x, Shape{x.dim(0), x.dim(1) * x.dim(2)}); };
  EXPECT_EQ(error_of([&] { onnx_file(source(flat), ""); }),
            "this network does other things at other sizes of its input, which an ONNX file cannot say");
  EXPECT_NO_THROW(onnx_file(source(flat, {}, false), ""));
  const auto over_batch = [](const Tensor& x) { return reshape(x, Shape{x.dim(1), x.dim(0) * x.dim(2)}); };
  EXPECT_EQ(error_of([&] { onnx_file(source(over_batch, {}, false), ""); }),
            "this network does other things at other sizes of the batch, which an ONNX file cannot say");
  const auto weight_of_input = [&](const Tensor& x) { return conv1d(x, reshape(sum(x, {0}), Shape{1, x.dim(1), 2})); };
  EXPECT_EQ(error_of([&] { onnx_file(source(weight_of_input, {}, false), ""); }),
            "the op conv1d of this network has a weight that the network computes; ONNX is given those that are "
            "parameters");
}

TEST(Trace, HoldsWhatRanAndEndsWithItsScope) {
  const Tensor x = Tensor::from({1, 4, 2}, rising(8));
  {
    const Trace trace;
    const Tensor y = relu(instance_norm(x));
    ASSERT_EQ(trace.ops().size(), 2u);
    EXPECT_EQ(trace.ops()[0].name, "instance_norm");
    EXPECT_EQ(&trace.ops()[0].output.impl(), &trace.ops()[1].inputs[0].impl());
    EXPECT_EQ(&trace.ops()[1].output.impl(), &y.impl());
    {
      const Trace inner;
      relu(x);
      EXPECT_EQ(inner.ops().size(), 1u);
    }
    EXPECT_EQ(trace.ops().size(), 2u);
  }
  EXPECT_EQ(Trace::current(), nullptr);
}

}  // namespace
}  // namespace kern
