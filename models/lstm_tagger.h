// The recurrent tagger of well logs: an LSTM -> ReLU -> dropout -> linear, one vector of logits per sample.
#pragma once
#include "layers/dropout.h"
#include "layers/linear.h"
#include "layers/lstm.h"
#include "layers/relu.h"

namespace kern::models {

struct LstmTaggerConfig {
  int in = 1, out = 5;
  int hidden = 256, layers = 3;
  bool bidirectional = false;  // reads every signal both ways: a label may depend on what lies below
  float dropout = 0.3f;        // between the layers, and before the last
};

struct LstmTagger {
  Lstm lstm;
  Relu relu;
  Dropout dropout;
  Linear head;
  // Errors: sizes below 1, a dropout outside 0 to 1.
  explicit LstmTagger(const LstmTaggerConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);  // [N,L,in] -> logits [N,L,out]
  BeforeHead before_head(const Tensor& x);
  template <class V>
  void visit(V&& v) {
    v("lstm", lstm), v("dropout", dropout), v("head", head);
  }
};

}  // namespace kern::models
