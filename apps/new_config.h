// A configuration that is made from data (`kern TASK init`): keys in the order in which they were given, each with the
// reason for its value beside it, so that a person can read it, change it and learn the keys from it.
#pragma once
#include <string>
#include <string_view>

#include "training/config.h"

namespace kern::apps {

class NewConfig {
 public:
  // Error: the file is there and may not be replaced. Asked before the work begins.
  NewConfig(std::string path, bool overwrite);

  void comment(std::string_view text);  // lines of its own, broken where they are long
  template <class T>
  void key(std::string_view name, const T& value, std::string_view why = {}) {
    line(std::string(name) + ": " + training::to_flow(training::field::write_value(value)), why);
  }
  void line(std::string yaml, std::string_view why = {});
  void blank() { text_ += "\n"; }

  // Reads the text as `keys` (of the verb that will be called with it) would, which is an Error where they refuse it;
  // writes it, and says what to do next.
  void write(training::Schema& keys, std::string_view next_command) const;

 private:
  std::string path_, text_;
};

}  // namespace kern::apps
