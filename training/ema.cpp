#include "training/ema.h"

#include <algorithm>
#include <limits>

#include "engine/dry_run.h"
#include "engine/ops/ema_update.h"
#include "engine/profile.h"

namespace kern::training {

Ema::Ema(Optimiser& optimiser, const EmaOptions& options)
    : arena_(optimiser.arena()), o_(options), average_(optimiser.arena().values().clone()) {
  check(o_.decay >= 0 && o_.decay < 1, "the decay of averaged weights must lie in [0, 1), got ", o_.decay);
}

double Ema::next_decay() const {
  const double n = double(updates_);
  return o_.warmup ? std::min(o_.decay, (1 + n) / (10 + n)) : o_.decay;
}

void Ema::update(SourceLocation at) {
  const KeptInDryRun keep(updates_);
  ema_update(average_, arena_.values(), next_decay(), at);
  ++updates_;
  Profile::mark("ema", Profile::Direction::update, average_, {arena_.values()});
}

void Ema::swap() {
  if (in_dry_run()) return;
  const Tensor values = arena_.values().clone();
  arena_.values().copy_from(average_);
  average_.copy_from(values);
  arena_.touch(0, arena_.parameters().size());
}

std::vector<FileTensor> Ema::state(const std::string& prefix) const {
  check(updates_ <= std::numeric_limits<int32_t>::max(), "more than 2^31 updates");
  const int32_t updates[] = {int32_t(updates_)};
  return {{prefix + ".average", average_}, {prefix + ".updates", Tensor::from({1}, std::span<const int32_t>(updates))}};
}

void Ema::load_state(const TensorFile& file, const std::string& prefix) {
  const KeptInDryRun keep(updates_);
  Tensor updates = Tensor::empty({1}, {.dtype = DType::i32});
  load_into({{"average", average_}, {"updates", updates}}, file, prefix + ".");
  updates_ = updates.integers()[0];
}

}  // namespace kern::training
