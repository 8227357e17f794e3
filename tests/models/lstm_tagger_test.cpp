#include "models/lstm_tagger.h"

#include "engine/model_file.h"
#include "layers/head_loss.h"
#include "models/table1d.h"
#include "tests/support/golden.h"
#include "tests/support/source_files.h"

namespace kern::models {
namespace {
using kern::testing::distance;

class LstmTaggerGolden : public ::testing::TestWithParam<const char*> {};

// Forward, loss and every gradient as torch.nn.LSTM computes them in float64 (tests/models/make_lstm_tagger_golden.py).
TEST_P(LstmTaggerGolden, forward_loss_and_all_gradients_are_pytorchs) {
  const TensorFile golden = load_tensors(testing::source_file("tests/models/goldens/" + std::string(GetParam())));
  auto number = [&](const char* key) { return std::stoi(golden.metadata.at(key)); };
  LstmTagger net({.in = number("in"),
                  .out = number("out"),
                  .hidden = number("hidden"),
                  .layers = number("layers"),
                  .bidirectional = number("bidirectional") != 0});
  set_training(net, false);
  std::vector<FileTensor> targets;
  for (const NamedTensor& t : named_tensors(net)) targets.push_back({t.name, t.tensor});
  load_into(targets, golden, "weight.");  // the names are PyTorch's: none missing, none left over
  Tensor x = golden.find("x")->clone();
  x.require_grad();
  EXPECT_LE(distance(net(x), *golden.find("logits")), 2e-6);
  const AnyModule network(net);
  for (const bool fused : {false, true}) {  // the head and its loss
    const Tensor &target = *golden.find("target"),
                 loss = fused ? cross_entropy_of(network, x, target) : cross_entropy(net(x), target);
    EXPECT_NEAR(loss.item(), golden.find("loss")->item(), 1e-6);
    backward(loss);
    EXPECT_LE(distance(x.grad(), *golden.find("dx")), 1e-5);
    x.clear_grad();
    for (FileTensor& t : targets) {
      ASSERT_TRUE(t.tensor.grad()) << t.name << " got no gradient";
      EXPECT_LE(distance(t.tensor.grad(), *golden.find("grad." + t.name)), 1e-5) << t.name;
      t.tensor.clear_grad();
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Files, LstmTaggerGolden,
                         ::testing::Values("lstm_tagger.safetensors", "lstm_tagger_bidirectional.safetensors"),
                         [](const auto& i) { return std::string(i.param).substr(0, std::string(i.param).find('.')); });

TEST(LstmTagger, parameter_counts_are_exact) {
  LstmTagger tagger({});
  EXPECT_EQ(parameter_count(tagger), 1319173);
  EXPECT_EQ(named_tensors(tagger)[0].name, "lstm.weight_ih_l0");
  const Signal1dConfig small{.in = 2, .out = 3, .channels = {8, 8}};
  EXPECT_EQ(make_signal1d_model("lstm", {.in = 1, .out = 5}).parameter_count(), 1319173);
  EXPECT_EQ(make_signal1d_model("lstm", small).parameter_count(), 32 * (2 + 8 + 2) + 32 * (8 + 8 + 2) + 27);
  EXPECT_EQ(make_signal1d_model("bilstm", small).parameter_count(),
            2 * 32 * (2 + 8 + 2) + 2 * 32 * (16 + 8 + 2) + 17 * 3);
}

TEST(LstmTagger, any_length_works_and_wrong_use_is_a_sentence) {
  set_seed(3);
  LstmTagger net({.in = 2, .out = 3, .hidden = 5, .layers = 2, .bidirectional = true});
  for (int64_t length : {1, 2, 37}) {
    const Tensor y = net(Tensor::full({2, length, 2}, 0.5f));
    EXPECT_EQ(y.shape(), (Shape{2, length, 3}));
    for (float v : y.values()) ASSERT_TRUE(std::isfinite(v));
  }
  EXPECT_THROW(net(Tensor::zeros({1, 8, 3})), Error);
  EXPECT_THROW(LstmTagger({.layers = 0}), Error);
  EXPECT_THROW(make_signal1d_model("lstm", {.channels = {4, 8}}), Error);
}

}  // namespace
}  // namespace kern::models
