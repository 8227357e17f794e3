#include "models/unfold_norms.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "engine/ops/batch_norm.h"
#include "engine/ops/cast.h"
#include "engine/trace.h"

namespace kern::models {
namespace {

struct Norm {
  Tensor weight, bias, mean, variance;
  double count = 0;                   // positions seen
  std::vector<double> sums, squares;  // per channel
};

// What a norm was given, [N,...,C].
void add(Norm& norm, const Tensor& given) {
  const Tensor x = cast(given, DType::f32);
  const auto n = double(x.rows());
  Tensor mean = Tensor::zeros({x.channels()}).to(x.device()), variance = Tensor::zeros({x.channels()}).to(x.device());
  if (n > 1) batch_norm(x, {}, {}, mean, variance, {.momentum = 1});  // its variance is of n - 1
  else mean.copy_from(x.reshaped({x.channels()}));
  const std::vector<float> m = mean.values(), v = variance.values();
  norm.sums.resize(m.size()), norm.squares.resize(m.size());
  for (size_t c = 0; c < m.size(); ++c) {
    norm.sums[c] += n * double(m[c]);
    norm.squares[c] += (n - 1) * double(v[c]) + n * double(m[c]) * double(m[c]);
  }
  norm.count += n;
}

std::vector<TracedOp> ops_of(const AnyModule& network, const Tensor& x) {
  const Trace trace;
  network(x);
  return trace.ops();
}

void put_back(Norm& norm, double eps) {
  std::vector<float> mean, variance, weight, bias = norm.bias.values();
  for (size_t c = 0; c < norm.sums.size(); ++c) {
    const double m = norm.sums[c] / norm.count, v = std::max(0.0, norm.squares[c] / norm.count - m * m);
    mean.push_back(float(m)), variance.push_back(float(v));
    weight.push_back(float(std::sqrt(v + eps)));
    bias[c] = float(double(bias[c]) + m);
  }
  const auto set = [](Tensor& t, const std::vector<float>& values) {
    t.copy_from(Tensor::from(t.shape(), values).to(t.device()));
  };
  set(norm.mean, mean), set(norm.variance, variance), set(norm.weight, weight), set(norm.bias, bias);
}

}  // namespace

UnfoldedNorms unfold_norms(const AnyModule& network, std::string_view path, int batches,
                           const std::function<Tensor(int)>& batch, double eps) {
  std::map<std::string, Norm> by_name;  // without ".running_mean"
  for (const NamedTensor& t : network.tensors()) {
    if (!lies_below(t.name, path) || !t.name.ends_with(".running_mean")) continue;
    by_name[t.name.substr(0, t.name.rfind('.'))].mean = t.tensor;
  }
  for (const NamedTensor& t : network.tensors()) {
    const size_t dot = t.name.rfind('.');
    const auto norm = by_name.find(t.name.substr(0, dot));
    if (dot == t.name.npos || norm == by_name.end()) continue;
    if (t.name.ends_with(".weight")) norm->second.weight = t.tensor;
    if (t.name.ends_with(".bias")) norm->second.bias = t.tensor;
    if (t.name.ends_with(".running_variance")) norm->second.variance = t.tensor;
  }
  std::map<const float*, Norm*> by_address;
  for (auto& [name, norm] : by_name) by_address[norm.mean.data()] = &norm;

  UnfoldedNorms result;
  const NoGrad off;
  network.set_training(false);
  for (int i = 0; i < batches; ++i) {
    const Tensor x = batch(i);
    result.samples += x.dim(0);
    for (const TracedOp& op : ops_of(network, x)) {
      if (op.more.empty() || !op.more[0] || op.more[0].dtype() != DType::f32) continue;
      if (const auto at = by_address.find(op.more[0].data()); at != by_address.end()) add(*at->second, op.inputs[0]);
    }
  }
  for (auto& [name, norm] : by_name) {
    if (norm.count == 0) continue;
    put_back(norm, eps);
    ++result.norms;
  }
  check(result.norms > 0, "there is no batch norm to put back: the network uses none below '", path, "'");
  network.set_training(true);
  return result;
}

}  // namespace kern::models
