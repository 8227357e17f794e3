// The pages: links and pictures that they name are there, headings that links jump to exist, and every command in a block of code is one
// that the program takes: task, verb, keys, configuration files, scripts. docs/*.md are what scripts/docs makes a site of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "apps/anomalies/anomalies.h"
#include "apps/bench/bench.h"
#include "apps/faults/faults.h"
#include "apps/images/images.h"
#include "apps/program.h"
#include "apps/wells/wells.h"
#include "engine/atomic_file.h"
#include "tests/support/source_files.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

std::vector<fs::path> pages() {
  std::vector<fs::path> found;
  for (const char* name : {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "python/README.md"})
    found.emplace_back(source_file(name));
  for (const auto& entry : fs::recursive_directory_iterator(source_file("docs")))
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

struct Line {
  std::string text;
  int number = 0;
  bool code = false;
};

// A line that begins with a fence, or stands four columns in after a blank line or such a line, is code.
std::vector<Line> lines_of(const fs::path& page) {
  std::vector<Line> out;
  std::istringstream in(read_file(page));
  bool fenced = false, indented = false, blank = true;
  int number = 0;
  for (std::string text; std::getline(in, text); ++number) {
    const size_t first = text.find_first_not_of(' ');
    const bool fence = first != text.npos && text.compare(first, 3, "```") == 0;
    const bool in_list = !out.empty() && !indented && first != text.npos && first < 6 && !blank;
    indented = !fenced && first != text.npos && first >= 4 && (blank || indented) && !in_list;
    out.push_back({text, number + 1, !fence && (fenced || indented)});
    if (fence) fenced = !fenced;
    blank = first == text.npos;
  }
  return out;
}

// As GitHub and MkDocs make it of a heading: lower case, blanks as dashes, no punctuation.
std::string anchor_of(std::string heading) {
  heading.erase(0, heading.find_first_not_of("# "));
  std::string out;
  for (const char c : heading) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') out += char(std::tolower(c));
    else if (c == ' ') out += '-';
    else if (static_cast<unsigned char>(c) >= 128) out += c;
  }
  return out;
}

std::set<std::string> anchors_of(const fs::path& page) {
  std::set<std::string> out;
  for (const Line& line : lines_of(page))
    if (!line.code && line.text.starts_with("#")) out.insert(anchor_of(line.text));
  return out;
}

// The targets of [text](target) and ![text](target) in a line.
Words targets_in(const std::string& text) {
  Words out;
  for (size_t at = text.find("]("); at != text.npos; at = text.find("](", at + 1)) {
    const size_t end = text.find_first_of(") ", at);
    if (end != text.npos) out.push_back(text.substr(at + 2, end - at - 2));
  }
  return out;
}

TEST(Pages, LinksAndPicturesResolve) {
  int links = 0;
  std::map<fs::path, std::set<std::string>> anchors;
  for (const fs::path& page : pages())
    for (const Line& line : lines_of(page)) {
      if (line.code) continue;
      for (const std::string& target : targets_in(line.text)) {
        if (target.find("://") != target.npos || target.starts_with("mailto:")) continue;
        ++links;
        const std::string at = page.string() + ":" + std::to_string(line.number) + ": ";
        const size_t hash = target.find('#');
        const fs::path file = hash == 0 ? page : page.parent_path() / target.substr(0, hash);
        ASSERT_TRUE(fs::exists(file)) << at << "there is no " << target;
        if (hash == target.npos || file.extension() != ".md") continue;
        const fs::path there = fs::weakly_canonical(file);
        if (!anchors.contains(there)) anchors[there] = anchors_of(there);
        EXPECT_TRUE(anchors[there].contains(target.substr(hash + 1))) << at << "no heading of that page is " << target;
      }
    }
  EXPECT_GT(links, 100);
}

// A command line as a shell parts it, as far as pages write any: quotes, and what ends a command.
Words words_of(const std::string& text) {
  Words words;
  std::string word;
  char quote = 0;
  bool any = false;
  for (const char c : text) {
    if (quote) {
      if (c == quote) quote = 0;
      else word += c;
    } else if (c == '\'' || c == '"') {
      quote = c, any = true;
    } else if (c == ' ') {
      if (any || !word.empty()) words.push_back(word);
      word.clear(), any = false;
    } else if (c == '#' && word.empty()) {
      break;
    } else if (c == '|' || c == ';' || c == '>' || c == '&' || c == ')' || c == '\\') {
      break;
    } else {
      word += c;
    }
  }
  if (any || !word.empty()) words.push_back(word);
  return words;
}

const std::vector<const apps::Task*>& tasks() {
  static const std::vector<const apps::Task*> all{&apps::program_task(), &apps::wells_task(),     &apps::images_task(),
                                                  &apps::faults_task(),  &apps::anomalies_task(), &apps::bench_task()};
  return all;
}

// What is wrong with the words of a command behind "kern"; empty: nothing.
std::string fault_of(Words words) {
  if (words.empty() || words[0].starts_with("-")) return {};
  for (const char* other : {"info", "completion", "man", "help"})
    if (words[0] == other) return {};
  const apps::Task* task = &apps::program_task();
  for (const apps::Task* t : tasks())
    if (!t->name.empty() && t->name == words[0]) task = t;
  if (!task->name.empty()) words.erase(words.begin());
  if (words.empty()) return {};
  Words verbs;  // "wells|images init" stands for both
  std::istringstream list(words[0]);
  for (std::string verb; std::getline(list, verb, '/');) verbs.push_back(verb);
  for (const std::string& name : verbs) {
    if (name.starts_with("-")) continue;
    const auto verb =
        std::find_if(task->verbs.begin(), task->verbs.end(), [&](const apps::Verb& v) { return v.name == name; });
    if (verb == task->verbs.end()) return "'" + name + "' is no verb of kern " + task->name;
    const training::Schema keys = verb->prepare(task->command(*verb)).keys;
    std::set<std::string> tables;
    for (const training::KeyDescription& key : keys.keys()) tables.insert(key.name);
    for (size_t i = 1; i < words.size(); ++i) {
      const std::string& word = words[i];
      const size_t equals = word.find('=');
      if (word.starts_with("configs/") && equals == word.npos && !fs::exists(source_file(word)))
        return "there is no " + word;
      if (equals == word.npos || word.starts_with("-")) continue;
      const std::string key = word.substr(0, equals);
      if (key.empty() || !std::islower(static_cast<unsigned char>(key[0]))) continue;
      const bool row = key.find('.') != key.npos && tables.contains(key.substr(0, key.find('.')));
      if (!keys.has(key) && !row) return "'" + key + "' is no key of kern " + task->command(*verb);
    }
  }
  return {};
}

TEST(Pages, CommandsAreTaken) {
  int commands = 0;
  for (const fs::path& page : pages())
    for (const Line& line : lines_of(page)) {
      if (!line.code) continue;
      const std::string at = page.string() + ":" + std::to_string(line.number) + ": ";
      for (const std::string name : {"kern ", "build/kern ", "build/emulated/kern ", "build/release/kern "}) {
        size_t first = line.text.find_first_not_of(" $");
        if (first == line.text.npos) continue;
        for (const char* launcher : {"mpirun ", "srun "})  // several processes of it
          if (line.text.compare(first, std::strlen(launcher), launcher) == 0 && name == "kern ")
            if (const size_t at_kern = line.text.find(" kern "); at_kern != line.text.npos) first = at_kern + 1;
        if (line.text.compare(first, name.size(), name) != 0) continue;
        ++commands;
        EXPECT_EQ(fault_of(words_of(line.text.substr(first + name.size()))), "") << at << line.text;
      }
      for (const std::string& word : words_of(line.text))
        if (word.starts_with("scripts/")) {
          EXPECT_TRUE(fs::exists(source_file(word))) << at << "there is no " << word;
        }
    }
  EXPECT_GT(commands, 60);
}

TEST(Pages, WhatIsLookedForIsFound) {
  EXPECT_EQ(fault_of({"wells", "train", "lr=1", "configs/wells.yaml"}), "");
  EXPECT_NE(fault_of({"wells", "trian"}), "");
  EXPECT_NE(fault_of({"wells", "train", "nonsense=1"}), "");
  EXPECT_NE(fault_of({"wells", "train", "configs/nothing.yaml"}), "");
  EXPECT_EQ(anchor_of("## Files, and `more`"), "files-and-more");
}

// Every page stands in the site's navigation, and nothing else does.
TEST(Pages, TheSiteHasThemAll) {
  const std::string site = read_file(source_file("mkdocs.yml"));
  for (const fs::path& page : pages()) {
    const fs::path relative = page.lexically_relative(source_file("docs"));
    if (*relative.begin() == "..") continue;
    EXPECT_NE(site.find(": " + relative.string() + "\n"), site.npos) << relative << " is not in mkdocs.yml";
  }
  std::istringstream in(site);
  for (std::string line; std::getline(in, line);)
    if (line.ends_with(".md")) {
      const std::string named = line.substr(line.rfind(' ') + 1);
      EXPECT_TRUE(fs::exists(source_file("docs/" + named))) << "mkdocs.yml names " << named;
    }
}

}  // namespace
}  // namespace kern::testing
