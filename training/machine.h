// Where and how a command computes: the keys that every command with a network has.
#pragma once
#include <filesystem>
#include <string>

#include "engine/gpu.h"
#include "kernels/common/precision.h"
#include "training/config.h"

namespace kern::training {

struct Machine {
  DeviceChoice device = DeviceChoice::automatic;
  kernels::Precision precision = kernels::Precision::f32;
  int threads = 0;  // 0: all cores
  bool winograd = true, recompute = false;
  std::string tune = "auto";  // engine/tuner.h
  void apply() const;         // for the whole process
  // Of a training, after apply(): the rows that tuning chooses are kept in the run's tuned.txt, and a resumed run goes
  // on with those it began with.
  void keep_choices(const std::filesystem::path& run, bool resumed) const;
  Device where() const { return device_of(device); }
};
void describe_machine(Schema& keys, Machine& machine);

}  // namespace kern::training
