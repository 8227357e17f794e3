#pragma once
#include "engine/ops/concat.h"
#include "engine/ops/dropout.h"
#include "engine/ops/lstm.h"
#include "layers/init.h"
#include "layers/module.h"

namespace kern {

struct LstmConfig {
  int in, hidden;
  int layers = 1;
  bool bidirectional = false;
  float dropout = 0;  // of what a layer hands to the next, in training
  int directions() const { return bidirectional ? 2 : 1; }
};

// x [N,L,in] -> [N,L,directions * hidden], from states of zero; both directions side by side, forwards first. Names,
// order of the gates and initial values are those of torch.nn.LSTM, so that its weights carry over: for layer k
// weight_ih_lk [4 hidden, in], weight_hh_lk [4 hidden, hidden], bias_ih_lk, bias_hh_lk [4 hidden], and the same with
// _reverse. Hochreiter and Schmidhuber 1997; Schuster and Paliwal 1997.
struct Lstm {
  struct Direction {
    Parameter weight_ih, weight_hh, bias_ih, bias_hh;
  };
  LstmConfig config;
  std::vector<Direction> parts;  // layer by layer; of a layer, forwards and then backwards
  Mode mode;

  explicit Lstm(const LstmConfig& c, SourceLocation at = SourceLocation::current()) : config(c) {
    check({c.in >= 1 && c.hidden >= 1 && c.layers >= 1, at},
          "an LSTM needs inputs, hidden states and layers of at least 1, got ", c.in, ", ", c.hidden, " and ",
          c.layers);
    check({c.dropout >= 0 && c.dropout <= 1, at}, "an LSTM's dropout must be from 0 to 1, got ", c.dropout);
    for (int k = 0; k < c.layers; ++k)
      for (int i = 0; i < c.directions(); ++i) {
        const int64_t rows = 4 * int64_t{c.hidden}, in = k == 0 ? c.in : c.directions() * c.hidden;
        auto start = [&](const Shape& shape) { return Parameter(init_fan_in(shape, c.hidden)); };
        Direction& part = parts.emplace_back();
        part.weight_ih = start({rows, in}), part.weight_hh = start({rows, c.hidden});
        part.bias_ih = start({rows}), part.bias_hh = start({rows});
      }
  }
  Tensor operator()(const Tensor& input) {
    check(input.rank() == 3 && input.channels() == config.in, "this LSTM takes [N,L,", config.in, "], got ",
          input.shape());
    const std::vector<int64_t> widths(size_t(config.directions()), config.hidden);
    Tensor x = input;
    for (int k = 0; k < config.layers; ++k) {
      if (k > 0 && mode.training && config.dropout > 0) x = dropout(x, config.dropout);
      std::vector<Tensor> slices = Tensor::empty_channel_slices({x.dim(0), x.dim(1)}, widths, x.options());
      for (size_t i = 0; i < slices.size(); ++i) {
        const Direction& p = parts[size_t(k) * slices.size() + i];
        slices[i] = lstm(x, p.weight_ih, p.weight_hh, p.bias_ih, p.bias_hh, i == 1, slices[i]);
      }
      x = slices.size() == 1 ? slices[0] : concat(slices);
    }
    return x;
  }
  template <class V>
  void visit(V&& v) {
    for (size_t i = 0; i < parts.size(); ++i) {
      const size_t directions = size_t(config.directions());
      const std::string suffix = text("_l", i / directions, i % directions == 1 ? "_reverse" : "");
      v(("weight_ih" + suffix).c_str(), parts[i].weight_ih), v(("weight_hh" + suffix).c_str(), parts[i].weight_hh);
      v(("bias_ih" + suffix).c_str(), parts[i].bias_ih), v(("bias_hh" + suffix).c_str(), parts[i].bias_hh);
    }
    v("mode", mode);
  }
};

}  // namespace kern
