#include "apps/findings.h"

#include <fmt/format.h>

#include "kernels/common/log.h"

namespace kern::apps {

void say_findings(const std::vector<data::Finding>& findings, Call& call) {
  int64_t count[3] = {0, 0, 0};
  for (const data::Finding& f : findings) {
    ++count[int(f.severity)];
    fmt::print("{}: {}{}{}\n", data::to_string(f.severity), terminal_text(f.sentence), f.remedy.empty() ? "" : " -> ",
               terminal_text(f.remedy));
  }
  const int64_t notes = count[int(data::Severity::note)], warnings = count[int(data::Severity::warning)],
                errors = count[int(data::Severity::error)];
  fmt::print("{} errors, {} warnings, {} notes\n", errors, warnings, notes);
  std::string task = "kern " + call.keys.command();  // "kern wells inspect"
  task.resize(std::min(task.size(), task.rfind(' ')));
  fmt::print("next: {}\n",
             errors > 0 ? fmt::format("mend the errors, or let {} init data=... write a configuration that fits", task)
                        : fmt::format("{0} train with the same keys; {0} init data=... writes a configuration to "
                                      "begin with",
                                      task));
  call.figures.add("errors", errors);
  call.figures.add("warnings", warnings);
  call.figures.add("notes", notes);
  if (errors > 0) call.exit_code = kUsersInput;
}

}  // namespace kern::apps
