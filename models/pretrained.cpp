#include "models/pretrained.h"

#include <charconv>
#include <set>
#include <vector>

namespace kern::models {
namespace {

// "features.12.conv.0.1.bias" -> {"features", "12", "conv", "0", "1", "bias"}
std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> out;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    out.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}
int number(std::string_view text) {
  int n = -1;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::string mobilenet_in_timm(std::string_view name) {
  const auto p = parts_of(name);
  if (p[0] == "classifier") return "classifier." + std::string(p.back());
  if (p[0] != "features" || p.size() < 4) return std::string(name);
  const int feature = number(p[1]);
  const std::string last(p.back());
  if (feature == 0) return (p[2] == "0" ? "conv_stem." : "bn1.") + last;
  if (feature == 18) return (p[2] == "0" ? "conv_head." : "bn2.") + last;
  constexpr int kFirst[] = {1, 2, 4, 7, 11, 14, 17};  // features of timm's stages
  int stage = 6;
  while (kFirst[stage] > feature) --stage;
  const std::string block = text("blocks.", stage, '.', feature - kFirst[stage], '.');
  const std::string inner = p.size() == 6 ? text(p[3], '.', p[4]) : std::string(p[3]);
  struct Pair {
    std::string_view ours, timms;
  };
  static constexpr Pair kFirstBlock[] = {{"0.0", "conv_dw."}, {"0.1", "bn1."}, {"1", "conv_pw."}, {"2", "bn2."}},
                        kBlock[] = {{"0.0", "conv_pw."}, {"0.1", "bn1."},    {"1.0", "conv_dw."},
                                    {"1.1", "bn2."},     {"2", "conv_pwl."}, {"3", "bn3."}};
  for (const Pair& pair : feature == 1 ? std::span<const Pair>(kFirstBlock) : std::span<const Pair>(kBlock))
    if (pair.ours == inner) return block + std::string(pair.timms) + last;
  return std::string(name);
}

constexpr const char* kBeyondMobileNet[] = {"features.18", "classifier", "conv_head", "bn2"};
constexpr const char* kBeyondVgg[] = {"features.24", "features.26", "features.28", "classifier", "pre_logits", "head"};
constexpr int kMobileNetLevels[] = {1, 3, 6, 13, 17}, kVggLevels[] = {2, 7, 14, 21, 28};

// A tensor of the model: below the path it has torchvision's name but for the running variance.
struct Target {
  std::string ours, torchvision;
  Tensor tensor;
};
std::vector<Target> targets_below(const AnyModule& network, std::string_view path) {
  std::vector<Target> out;
  for (const NamedTensor& t : network.tensors()) {
    if (!lies_below(t.name, path)) continue;
    std::string name = t.name.substr(path.empty() ? 0 : path.size() + 1);
    if (lies_below(name, "scaling")) continue;  // what the model makes of its input is not the weights' business
    if (name.ends_with(".running_variance")) name.replace(name.size() - 8, 8, "var");
    out.push_back({t.name, name, t.tensor});
  }
  internal_check(!out.empty(), "load_pretrained: the network has nothing at '", path, "'");
  return out;
}

Tensor transposed(const Tensor& filter, bool to_channels_last) {
  if (filter.rank() != 4) return filter;
  const int64_t k = filter.dim(0), c = filter.dim(to_channels_last ? 1 : 3),
                rs = filter.size() / std::max<int64_t>(1, k * c);
  const Tensor from = filter.dense() ? filter : filter.clone();
  Tensor to = Tensor::empty(to_channels_last ? Shape{k, filter.dim(2), filter.dim(3), c}
                                             : Shape{k, c, filter.dim(1), filter.dim(2)});
  const float* a = from.data();
  float* b = to.mutate();
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < c; ++j)
      for (int64_t r = 0; r < rs; ++r) {
        const int64_t first = (i * c + j) * rs + r, last = (i * rs + r) * c + j;
        if (to_channels_last) b[last] = a[first];
        else b[first] = a[last];
      }
  return to;
}
Shape torch_shape(const Shape& s) { return s.rank() == 4 ? Shape{s[0], s[3], s[1], s[2]} : s; }

// The convolution before a norm: "features.2.conv.3" -> "features.2.conv.2".
std::string before(std::string_view norm) {
  const size_t dot = norm.rfind('.');
  return text(norm.substr(0, dot + 1), number(norm.substr(dot + 1)) - 1);
}

class Mismatches {
 public:
  template <class... Parts>
  void add(const Parts&... parts) {
    if (++count_ <= kShown) sentences_ += " " + text(parts...) + ".";
  }
  void raise(const Encoder& encoder, const std::string& file) const {
    if (count_ == 0) return;
    const std::string more = count_ > kShown ? text(" And ", count_ - kShown, " more like these.") : "";
    throw Error(text(file, " does not hold the weights of this ", encoder.name, ".", sentences_, more,
                     " It takes files with the names of torchvision or timm; scripts/convert_weights.py makes them"));
  }

 private:
  static constexpr int kShown = 12;
  int count_ = 0;
  std::string sentences_;
};

}  // namespace

const Encoder kMobileNetV2{"MobileNetV2", mobilenet_in_timm, "conv_stem.weight", kBeyondMobileNet, kMobileNetLevels};
const Encoder kVgg16{"VGG16", [](std::string_view name) { return std::string(name); }, nullptr, kBeyondVgg, kVggLevels};

WeightsOrigin origin_of(const TensorFile& file) {
  WeightsOrigin origin;
  auto find = [&](const char* key) {
    const auto at = file.metadata.find(key);
    return at == file.metadata.end() ? std::string() : at->second;
  };
  if (find("padding").starts_with("TensorFlow")) origin.padding = PaddingConvention::tensorflow;
  const std::string input = find("input"), eps = find("norm_eps");
  if (input.find("x/127.5-1") != input.npos) origin.scaling = InputScaling::symmetric;
  if (input.find("ImageNet") != input.npos) origin.scaling = InputScaling::imagenet;
  if (!eps.empty()) {
    double value = 0;
    const auto [end, error] = std::from_chars(eps.data(), eps.data() + eps.size(), value);
    check(error == std::errc() && end == eps.data() + eps.size() && value > 0, file.shown_name,
          ": its metadata 'norm_eps' must be a number above 0, it is '", eps, "'");
    origin.norm_eps = value;
  }
  return origin;
}

Tensor from_torch_layout(const Tensor& filter) { return transposed(filter, true); }
Tensor to_torch_layout(const Tensor& filter) { return transposed(filter, false); }

Pretrained load_pretrained(const Encoder& encoder, const AnyModule& network, std::string_view path,
                           const TensorFile& file, double norm_eps, FoldedNorms norms_folded) {
  const std::vector<Target> targets = targets_below(network, path);
  const bool timm = encoder.timm_mark && file.find(encoder.timm_mark);
  auto in_file = [&](const std::string& name) { return timm ? encoder.timm(name) : name; };
  std::set<std::string> norms;  // by torchvision's name, without ".weight"
  for (const Target& t : targets)
    if (t.torchvision.ends_with(".running_mean")) norms.insert(t.torchvision.substr(0, t.torchvision.rfind('.')));
  bool folded = !norms.empty() && file.find(in_file(before(*norms.begin()) + ".bias"));
  for (const FileTensor& t : file.tensors) folded = folded && !t.name.ends_with("running_mean");

  Pretrained result{.names = timm ? "timm" : "torchvision", .folded = folded};
  Mismatches wrong;
  std::set<std::string> used;
  std::vector<std::pair<Tensor, Tensor>> copies;  // into, from
  for (const Target& t : targets) {
    const size_t dot = t.torchvision.rfind('.');
    const std::string part = t.torchvision.substr(0, dot), kind = t.torchvision.substr(dot + 1);
    const bool identity = folded && norms.contains(part);
    if (identity && kind != "bias") {
      const float value = kind == "weight" ? 1.0f : kind == "running_var" ? float(1 - norm_eps) : 0.0f;
      copies.emplace_back(t.tensor, Tensor::full(t.tensor.shape(), value));
      continue;
    }
    const std::string name = in_file(identity ? before(part) + ".bias" : t.torchvision);
    const Tensor* found = file.find(name);
    used.insert(name);
    const Shape wanted = torch_shape(t.tensor.shape());
    if (!found) wrong.add("'", name, "' ", wanted, " is missing, which ", t.ours, " here takes");
    else if (found->shape() != wanted || found->dtype() != DType::f32)
      wrong.add("'", name, "' is ", found->shape(), ' ', found->dtype(), ", ", t.ours, " here takes ", wanted, " f32");
    else copies.emplace_back(t.tensor, from_torch_layout(*found));
  }
  for (const FileTensor& t : file.tensors) {
    if (used.contains(t.name) || t.name.ends_with("num_batches_tracked")) continue;
    bool beyond = false;
    for (const char* prefix : encoder.beyond) beyond = beyond || lies_below(t.name, prefix);
    if (beyond) ++result.left;
    else wrong.add("'", t.name, "' ", t.tensor.shape(), " has no place here");
  }
  wrong.raise(encoder, file.shown_name);
  for (auto& [into, from] : copies) into.copy_from(from);
  result.tensors = int(used.size());
  result.note =
      text(file.shown_name, ": ", result.tensors, " tensors of ", encoder.name, " with ", result.names, "'s names");
  if (result.left > 0) result.note += text(", ", result.left, " beyond the encoder left aside");
  if (folded && norms_folded == FoldedNorms::held) {
    network.hold_in_evaluation(path);
    result.note +=
        ". Its batch norm is folded into weights and biases: the norms here are the identity and stay so, in training "
        "too. Fine-tuning then runs without normalisation in the encoder: freeze it or give it a low learning rate, or "
        "take weights that still have their norms";
  }
  return result;
}

int64_t freeze_levels(const Encoder& encoder, const AnyModule& network, std::string_view path, int levels) {
  check(levels >= 0 && levels <= int(encoder.levels.size()), encoder.name, " has ", encoder.levels.size(),
        " levels that can be frozen, got ", levels);
  int64_t values = 0;
  const std::string below = path.empty() ? "" : std::string(path) + ".";
  for (int i = 0; levels > 0 && i <= encoder.levels[size_t(levels) - 1]; ++i)
    values += network.freeze(text(below, "features.", i));
  return values;
}

}  // namespace kern::models
