#include "apps/program.h"

#include "apps/export.h"

namespace kern::apps {

const Task& program_task() {
  static const Task task{
      "",
      "",
      {
          verb<ExportConfig>("export", "write a trained model of any task in a format that other programs read",
                             describe_export, run_export)
              .taking_one("model"),
      }};
  return task;
}

}  // namespace kern::apps
