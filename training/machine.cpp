#include "training/machine.h"

#include "engine/autograd.h"
#include "engine/tuner.h"
#include "kernels/common/log.h"
#include "kernels/common/parallel.h"
#include "kernels/common/precision.h"
#include "kernels/conv/conv2d.h"

namespace kern::training {

void Machine::apply() const {
  if (threads > 0) set_thread_count(threads);
  if (!winograd) kernels::set_winograd(false);
  if (recompute) set_recompute(true);
  kernels::set_precision(precision);
  if (precision != kernels::Precision::f32 && where() == Device::cpu)
    inform("precision=", name_of(precision), " concerns GPUs: on the CPU everything is f32");
  set_tuning(tune, where());
}

void Machine::keep_choices(const std::filesystem::path& run, bool resumed) const {
  const std::filesystem::path file = run / "tuned.txt";
  std::error_code ignored;
  if (resumed && tune == "off") return;
  if (!resumed) std::filesystem::remove(file, ignored);
  // A run that began without tuning goes on without, whatever the environment or the default say now.
  if (resumed && tune == "auto" && !std::filesystem::exists(file, ignored)) set_tuning("off", where());
  keep_tuned_choices(file, where());
}

void describe_machine(Schema& keys, Machine& m) {
  keys.section("Machine")
      .choice("device", m.device, "where to compute; auto: on a GPU where there is one",
              {{"auto", DeviceChoice::automatic}, {"cpu", DeviceChoice::cpu}, {"cuda", DeviceChoice::cuda}})
      .choice(
          "precision", m.precision,
          "of products on a GPU; tf32: tensor cores round their factors to 10 bits of "
          "mantissa, bf16: to 7, and activations are kept so, in half the memory; weights and sums stay f32; the CPU "
          "always computes f32",
          {{"f32", kernels::Precision::f32}, {"tf32", kernels::Precision::tf32}, {"bf16", kernels::Precision::bf16}})
      .key("threads", m.threads, "CPU threads; 0: all cores. Results do not depend on it", between(0, 1024))
      .key("winograd", m.winograd,
           "3x3 convolutions and signals' of 3 by Winograd's algorithm where that is faster; false: direct sums, whose "
           "rounding errors are a few times smaller")
      .key("recompute", m.recompute,
           "make activations again in backward instead of keeping them: about a quarter less memory, a few percent "
           "slower")
      .key("tune", m.tune,
           "choose among the implementations of an op by measuring, shape by shape; the choices are kept for the next "
           "time. auto: what KERN_TUNE says, else on for a GPU and off for the CPU; off; on; "
           "only:conv2d,linear for these ops alone");
}

}  // namespace kern::training
