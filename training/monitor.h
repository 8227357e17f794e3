// Which figure of a segmentation's validation makes an epoch the best.
#pragma once
#include "training/loop.h"
#include "training/metrics.h"
#include "training/penalty.h"

namespace kern::training {

enum class Monitor { mean_iou, binary_iou, macro_f1, accuracy, penalty };  // binary_iou: the second class's IoU
const char* to_string(Monitor monitor);

// val_loss, accuracy, macro_f1 and mean_iou; the score is the monitored figure. penalty: what mistakes cost, which
// Monitor::penalty asks for.
Validation validation_of(const ConfusionMatrix& matrix, double loss, Monitor monitor,
                         const PenaltyMatrix* penalty = nullptr);

}  // namespace kern::training
