#include "apps/program.h"

#include "apps/demo.h"
#include "apps/doctor.h"
#include "apps/export.h"
#include "apps/models.h"

namespace kern::apps {

const Task& program_task() {
  static const Task task{
      "",
      "",
      {
          verb<ExportConfig>("export", "write a trained model of any task in a format that other programs read",
                             describe_export, run_export)
              .taking_one("model"),
          verb<ModelsConfig>("models", "what models come with Kern", describe_models, run_models),
          verb<DemoConfig>("demo", "from nothing to a trained model and its report: a first look, in a few minutes",
                           describe_demo, run_demo),
          verb<DoctorConfig>("doctor", "what a report of a problem needs, and whether the program works here",
                             describe_doctor, run_doctor),
      }};
  return task;
}

}  // namespace kern::apps
