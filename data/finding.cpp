#include "data/finding.h"

namespace kern::data {

std::string to_string(const Problem& p) { return p.remedy.empty() ? p.sentence : p.sentence + ": " + p.remedy; }

const char* to_string(Severity s) {
  return s == Severity::error ? "error" : s == Severity::warning ? "warning" : "note";
}

}  // namespace kern::data
