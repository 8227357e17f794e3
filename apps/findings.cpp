#include "apps/findings.h"

#include <fmt/format.h>

#include "kernels/common/log.h"

namespace kern::apps {

void say_findings(const std::vector<data::Finding>& findings, Call& call) {
  int64_t count[3] = {0, 0, 0};
  for (const data::Finding& f : findings) {
    ++count[int(f.severity)];
    fmt::print("{}: {}{}{}\n", data::to_string(f.severity), terminal_text(f.sentence),
               f.remedy.empty() ? "" : " -> ", terminal_text(f.remedy));
  }
  const int64_t notes = count[int(data::Severity::note)], warnings = count[int(data::Severity::warning)],
                errors = count[int(data::Severity::error)];
  fmt::print("{} errors, {} warnings, {} notes\n", errors, warnings, notes);
  call.figures.add("errors", errors);
  call.figures.add("warnings", warnings);
  call.figures.add("notes", notes);
  if (errors > 0) call.exit_code = kUsersInput;
}

}  // namespace kern::apps
