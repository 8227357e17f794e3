#include "training/self_check.h"

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "engine/atomic_file.h"
#include "engine/autograd.h"
#include "engine/model_file.h"
#include "engine/ops/cross_entropy.h"
#include "engine/random.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/parallel.h"
#include "models/unet1d.h"
#include "training/optimiser.h"

namespace kern::training {
namespace {

Tensor drawn(const Shape& shape) {
  RandomSequence random(5, RandomStream::noise);
  std::vector<float> values(size_t(shape.size()));
  for (float& v : values) v = random.normal();
  return Tensor::from(shape, values);
}

// What a small network has learnt after three updates, and its loss.
std::vector<float> trained(int threads) {
  const int before = thread_count();
  set_thread_count(threads);
  std::vector<float> out;
  try {
    set_seed(1);
    models::UNet1d net({.in = 2, .out = 3, .channels = {16, 32}, .strides = {2}});
    Optimiser optimiser(net, AdamOptions{}, 1e-3);
    const Tensor x = drawn({4, 256, 2});
    std::vector<int32_t> labels;
    for (int i = 0; i < 4 * 256; ++i) labels.push_back(i / 7 % 3);
    const Tensor target = Tensor::from({4, 256}, labels);
    for (int step = 0; step < 3; ++step) {
      const Tensor loss = cross_entropy(net(x), target);
      loss.backward();
      optimiser.step();
      default_generator().advance();
      out.push_back(loss.item());
    }
    for (const NamedTensor& p : named_parameters(net)) {
      const std::vector<float> values = p.tensor.values();
      out.insert(out.end(), values.begin(), values.end());
    }
  } catch (...) {
    set_thread_count(before);
    throw;
  }
  set_thread_count(before);
  return out;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  check(a.size() == b.size(), "two results of different sizes");
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(double(a[i]) - double(b[i]));
    if (!(d <= worst)) worst = d;  // a NaN stays
  }
  return worst;
}

void kernels_agree() {
  std::vector<float> reference;
  {
    const kernels::PreferImpl plain(
        "conv2d=reference,conv_transpose2d=reference,norm_act=reference,cross_entropy=reference,adam=reference");
    reference = trained(thread_count());
  }
  const double off = largest_difference(trained(thread_count()), reference);
  check(off <= 1e-4, "vectorised kernels differ from their references by ", off,
        " in a small training; KERN_IMPL=conv2d=reference computes without them");
}

void equal_bits() {
  const std::vector<float> all = trained(thread_count());
  check(all == trained(thread_count()), "the same training gave other bits the second time: memory or processor fail");
  check(all == trained(1), "one thread gives other bits than ", thread_count());
}

std::filesystem::path temporary_folder() {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  const char* const named = std::getenv("TMPDIR");
  check(!error, "there is no folder for temporary files, TMPDIR=", named ? named : "", ": ", error.message());
  return folder;
}

struct TemporaryFile {
  std::filesystem::path path = temporary_folder() / text("kern_doctor_", ::getpid(), ".safetensors");
  ~TemporaryFile() {
    std::error_code none;
    std::filesystem::remove(path, none);
  }
};

void files() {
  const TemporaryFile file;
  const Tensor t = drawn({64, 64});
  save_tensors(file.path, {{"t", t}}, {{"a", "b"}});
  const TensorFile read = load_tensors(file.path);
  check(read.metadata.at("a") == "b" && read.find("t") && read.find("t")->values() == t.values(), file.path.string(),
        " does not hold what was written into it");
}

void numbers() {
  char* end = nullptr;
  check(std::strtod("1.5", &end) == 1.5 && *end == '\0', "the locale reads 1.5 as another number: LC_NUMERIC=C helps");
}

}  // namespace

std::vector<SelfCheck> self_check() {
  const std::pair<const char*, std::function<void()>> checks[] = {
      {"kernels agree with their references", kernels_agree},
      {"the same bits twice and on any number of threads", equal_bits},
      {"files hold what is written", files},
      {"numbers are read with a point", numbers},
  };
  std::vector<SelfCheck> out;
  for (const auto& [name, f] : checks) {
    SelfCheck& c = out.emplace_back(SelfCheck{name, {}});
    try {
      f();
    } catch (const Error& e) {
      c.problem = e.sentence();
    } catch (const std::exception& e) {
      c.problem = e.what();
    }
  }
  return out;
}

}  // namespace kern::training
