// What a shell offers when a person presses Tab, and the manual page: from the same descriptions as --help-keys.
#pragma once
#include <string>
#include <vector>

#include "apps/command.h"

namespace kern::apps {

struct Candidate {
  std::string word, help;
};
struct Candidates {
  std::vector<Candidate> words;
  bool files = false;  // what follows the last word's '=', or the word itself, may be a file too
};
// For the words behind "kern" of which the last is not complete, maybe empty. Only what continues it.
Candidates candidates(const std::vector<const Task*>& tasks, const std::vector<std::string>& words);
// A line for each, "word<tab>help", and ":files": what the shells' scripts read.
std::string to_lines(const Candidates& candidates);
// The script that makes bash, zsh or fish ask `kern completion words`. Error naming those there are.
std::string completion_script(const std::string& shell);

// kern(1), in the language of man.
std::string manual_page(const std::vector<const Task*>& tasks);

}  // namespace kern::apps
