#include "models/lstm_tagger.h"

namespace kern::models {
namespace {
LstmConfig recurrent(const LstmTaggerConfig& c) {
  return {.in = c.in, .hidden = c.hidden, .layers = c.layers, .bidirectional = c.bidirectional, .dropout = c.dropout};
}
}  // namespace

LstmTagger::LstmTagger(const LstmTaggerConfig& c, SourceLocation at)
    : lstm(recurrent(c), at), dropout(c.dropout), head({.in = recurrent(c).directions() * c.hidden, .out = c.out}) {}

BeforeHead LstmTagger::before_head(const Tensor& x) { return {dropout(relu(lstm(x))), head.weight, head.bias}; }
Tensor LstmTagger::operator()(const Tensor& x) { return head(before_head(x).features); }

}  // namespace kern::models
