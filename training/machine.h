// Where and how a command computes: the keys that every command with a network has.
#pragma once
#include "engine/card.h"
#include "training/config.h"

namespace kern::training {

enum class Precision { f32, tf32 };

struct Machine {
  DeviceChoice device = DeviceChoice::automatic;
  Precision precision = Precision::f32;
  int threads = 0;  // 0: all cores
  bool winograd = true, recompute = false;
  void apply() const;  // for the whole process
  Device where() const { return device_of(device); }
};
void describe_machine(Schema& keys, Machine& machine);

}  // namespace kern::training
