// Synthetic seismic of layers, folds and plane faults alone: everything that may come on top is off.
#pragma once
#include "data/seismic_synthetic.h"

namespace kern::data {

inline SyntheticSeismic plain_seismic(SyntheticSeismic o = {}) {
  o.bin = {1, 1}, o.facies = {0, 0};
  o.drag = o.damage = {0, 0}, o.conjugate = o.en_echelon = o.linear = o.listric = o.curved = 0;
  o.unconformity = o.channels = o.chaos = o.bright = o.salt = o.chimney = 0;
  o.ormsby = 0, o.phase = {0, 0}, o.absorption = {0, 0}, o.period = {8, 8}, o.smear = {0, 0};
  o.noise = {0, 0}, o.footprint = o.smiles = o.ground_roll = 0;
  o.decay = o.seam = o.agc = o.stripes = o.mute = o.dead = o.holes = 0;
  o.least_period = 0;
  return o;
}

}  // namespace kern::data
