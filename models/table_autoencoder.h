// The networks that reconstruct images: one row per model, found by name.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "layers/prepare.h"
#include "models/dense_autoencoder.h"

namespace kern::models {

// Any of them behind one type: a module (x -> image) that can also say more about its reconstruction.
class AnyAutoencoder {
 public:
  AnyAutoencoder() = default;
  template <UnaryModule M>
  explicit AnyAutoencoder(M model) {
    const auto m = std::make_shared<M>(std::move(model));
    reconstruct_ = [m](const Tensor& x, std::optional<bool> draws) {
      if constexpr (requires { m->reconstruct(x, draws); }) return m->reconstruct(x, draws);
      else return Reconstruction{.image = (*m)(x)};
    };
    module_ = AnyModule(Shared<M>{m});
  }
  // In training a drawn code, in evaluation its mean, unless `draws` says otherwise.
  Reconstruction operator()(const Tensor& x, std::optional<bool> draws = {}) const { return reconstruct_(x, draws); }
  const AnyModule& module() const { return module_; }
  friend AnyAutoencoder prepare(const AnyAutoencoder& network, const Preparation& preparation);  // as layers/prepare.h

 private:
  template <class M>
  struct Shared {
    std::shared_ptr<M> m;
    Tensor operator()(const Tensor& x) { return (*m)(x); }
    template <class V>
    void visit(V&& v) {
      m->visit(v);
    }
  };
  std::function<Reconstruction(const Tensor&, std::optional<bool>)> reconstruct_;
  AnyModule module_;
};

AnyAutoencoder prepare(const AnyAutoencoder& network, const Preparation& preparation);

// What a person may choose about such a network; a model uses what concerns it.
struct AutoencoderConfig {
  ImageSize size;
  std::vector<int> channels;  // of the levels or hidden layers, from the image to the code; empty: the model's own
  int code = 0;               // width; 0: the model's own
  // Of models whose code is drawn; absent: the model's own.
  std::optional<Spread> spread;    // what the network gives for the code's width
  std::optional<bool> divergence;  // whether the distance of the code's distribution from N(0, 1) is part of the loss
};

struct AutoencoderModel {
  const char* name;
  const char* help;
  bool draws;    // its code from a distribution, in training
  int multiple;  // what the images' sides must be multiples of, by the model's own channels
  AnyAutoencoder (*make)(const AutoencoderConfig&);
};
std::span<const AutoencoderModel> autoencoder_models();

const AutoencoderModel& autoencoder_model(const std::string& name);  // Error naming the models there are
// [N,H,W,C] in [0, 1] of the given size. Errors: no such model; a code or a spread where the model has none.
AnyAutoencoder make_autoencoder(const std::string& name, const AutoencoderConfig& config);

}  // namespace kern::models
