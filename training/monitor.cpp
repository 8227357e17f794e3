#include "training/monitor.h"

#include "kernels/common/error.h"

namespace kern::training {
namespace {

double score_of(Monitor monitor, const ConfusionMatrix& m, const PenaltyMatrix* penalty) {
  switch (monitor) {
    case Monitor::mean_iou:
      return m.mean_iou();
    case Monitor::binary_iou:
      return m.iou(1);
    case Monitor::macro_f1:
      return m.macro_f1();
    case Monitor::accuracy:
      return m.accuracy();
    case Monitor::penalty:
      internal_check(penalty, "the monitored penalty has no matrix");
      return penalty_score(*penalty, m);
  }
  throw InternalError("no such monitor");
}

}  // namespace

const char* to_string(Monitor monitor) {
  switch (monitor) {
    case Monitor::mean_iou:
      return "mean_iou";
    case Monitor::binary_iou:
      return "binary_iou";
    case Monitor::macro_f1:
      return "macro_f1";
    case Monitor::accuracy:
      return "accuracy";
    case Monitor::penalty:
      return "penalty";
  }
  return "?";
}

Validation validation_of(const ConfusionMatrix& m, double loss, Monitor monitor, const PenaltyMatrix* penalty) {
  return {.score = score_of(monitor, m, penalty),
          .loss = loss,
          .figures = {
              {"val_loss", loss}, {"accuracy", m.accuracy()}, {"macro_f1", m.macro_f1()}, {"mean_iou", m.mean_iou()}}};
}

}  // namespace kern::training
