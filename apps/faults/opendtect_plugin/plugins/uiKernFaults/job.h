// SPDX-License-Identifier: GPL-3.0-or-later
// The work behind the dialog: cube out, `kern faults predict`, result in.
#pragma once
#include <string>

class IOObj;
class uiParent;

namespace kern::opendtect_plugin {

struct PredictionOrder {
  const IOObj& cube;
  const IOObj& result;
  std::string program, model;
};

// Runs it under a progress window that says what went wrong. False: nothing is stored. Else `inline_number` is a line
// in the middle of what is.
bool predict_with_progress(uiParent* parent, const PredictionOrder& order, int& inline_number);

}  // namespace kern::opendtect_plugin
