#include "models/windowed_mlp.h"

#include "engine/ops/unary.h"

namespace kern::models {

WindowedMlp::WindowedMlp(const WindowedMlpConfig& c, SourceLocation at) {
  check({c.in >= 1 && c.out >= 1 && c.radius >= 0 && c.radius <= 1 << 14 && !c.hidden.empty(), at},
        "a fully connected network needs inputs and outputs of at least 1, a hidden layer, and a radius from 0 to ",
        1 << 14);
  for (const int units : c.hidden)
    check({units >= 1 && units <= 1 << 16, at}, "hidden layers have from 1 to 65536 units, got ", units);
  window_.emplace_back(Conv1dConfig{.in = c.in, .out = c.hidden[0], .kernel = 2 * c.radius + 1, .padding = c.radius});
  for (size_t i = 1; i < c.hidden.size(); ++i) hidden_.emplace_back(LinearConfig{c.hidden[i - 1], c.hidden[i]});
  head_.emplace_back(LinearConfig{c.hidden.back(), c.out});
}

BeforeHead WindowedMlp::before_head(const Tensor& x) {
  Tensor y = relu(window_[0](x));
  for (Linear& layer : hidden_) y = linear_relu(layer, y);
  return {y, head_[0].weight, head_[0].bias};
}

Tensor WindowedMlp::operator()(const Tensor& x) { return head_[0](before_head(x).features); }

}  // namespace kern::models
