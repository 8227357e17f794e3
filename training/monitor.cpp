#include "training/monitor.h"

#include "kernels/common/error.h"

namespace kern::training {
namespace {

double score_of(Monitor monitor, const ConfusionMatrix& m) {
  switch (monitor) {
    case Monitor::mean_iou:
      return m.mean_iou();
    case Monitor::binary_iou:
      return m.iou(1);
    case Monitor::macro_f1:
      return m.macro_f1();
    case Monitor::accuracy:
      return m.accuracy();
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
  }
  return "?";
}

Validation validation_of(const ConfusionMatrix& m, double loss, Monitor monitor) {
  return {.score = score_of(monitor, m),
          .loss = loss,
          .figures = {
              {"val_loss", loss}, {"accuracy", m.accuracy()}, {"macro_f1", m.macro_f1()}, {"mean_iou", m.mean_iou()}}};
}

}  // namespace kern::training
