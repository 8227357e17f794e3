// What is said of data in plain words: what was left out, and what a person ought to know before a training.
#pragma once
#include <string>

namespace kern::data {

// A file, well or image that was left out, or something a person ought to know about one that was not.
struct Problem {
  std::string file, sentence, remedy;  // the sentence names the file too; the remedy may be empty
};
std::string to_string(const Problem& problem);

enum class Severity {
  note,     // good to know
  warning,  // the result will suffer
  error,    // training makes no sense before it is mended
};
const char* to_string(Severity severity);

struct Finding {
  Severity severity;
  std::string where;     // a well, image or file, or empty when it concerns the whole set
  std::string sentence;  // complete in itself
  std::string remedy;    // what to do, or empty
};

}  // namespace kern::data
