// Which figure of a segmentation's validation makes an epoch the best.
#pragma once
#include "training/loop.h"
#include "training/metrics.h"

namespace kern::training {

enum class Monitor { mean_iou, binary_iou, macro_f1, accuracy };  // binary_iou: the second class's IoU
const char* to_string(Monitor monitor);

// val_loss, accuracy, macro_f1 and mean_iou; the score is the monitored figure.
Validation validation_of(const ConfusionMatrix& matrix, double loss, Monitor monitor);

}  // namespace kern::training
