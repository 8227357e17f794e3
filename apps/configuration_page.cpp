#include <algorithm>
#include <map>
#include <set>

#include "apps/command.h"

namespace kern::apps {
namespace {

// The rows of a page's commands, and where each of them stands: rows that are alike, word for word, stand once.
struct PageCommand {
  const Task* task;
  const Verb* verb;
  std::vector<training::Schema::Row> rows;
};

// Rows of one section together, sections and rows in the order in which they came.
std::vector<training::Schema::Row> by_section(const std::vector<training::Schema::Row>& rows) {
  std::vector<std::string> sections;
  for (const auto& r : rows)
    if (std::find(sections.begin(), sections.end(), r.section) == sections.end()) sections.push_back(r.section);
  std::vector<training::Schema::Row> out;
  for (const std::string& section : sections)
    for (const auto& r : rows)
      if (r.section == section) out.push_back(r);
  return out;
}

// "Split (by well, never by sample)" of a task is "Split" of all.
std::string short_title(const std::string& section) { return section.substr(0, section.find(" (")); }

// "Data: `strict`; Split: `folds`, `fold`"
std::string names_of(const std::vector<training::Schema::Row>& rows) {
  std::string out, section;
  for (const auto& r : rows) {
    const bool begins = out.empty() || r.section != section;
    if (begins) out += (out.empty() ? "" : "; ") + short_title(r.section) + ": ";
    section = r.section;
    out += (begins ? "`" : ", `") + r.key + "`";
  }
  return out;
}

// "kern wells", or "kern" for the commands that are of no task.
std::string title_of(const Task& task) { return task.name.empty() ? "kern" : "kern " + task.name; }
std::string anchor_of(const Task& task) { return task.name.empty() ? "kern" : "kern-" + task.name; }

}  // namespace

std::string configuration_page(const std::vector<const Task*>& tasks) {
  std::vector<PageCommand> commands;
  std::map<std::string, std::set<const Task*>> tasks_of;  // by a row's text
  std::map<std::string, std::set<const Verb*>> verbs_of;
  for (const Task* task : tasks)
    for (const Verb& verb : task->verbs) {
      commands.push_back({task, &verb, verb.prepare(task->command(verb)).keys.rows()});
      for (const auto& r : commands.back().rows) tasks_of[r.text].insert(task), verbs_of[r.text].insert(&verb);
    }
  // Where a row stands: with those of several tasks, of several commands of its task, or of its command.
  const auto of_tasks = [&](const auto& r) { return tasks_of[r.text].size() > 1; };
  const auto of_task = [&](const auto& r) { return !of_tasks(r) && verbs_of[r.text].size() > 1; };
  // The rows of commands of which `which` holds, each once.
  const auto once = [&](const Task* task, const auto& which) {
    std::set<std::string> seen;
    std::vector<training::Schema::Row> rows;
    for (const PageCommand& c : commands)
      for (const auto& r : c.rows)
        if ((!task || c.task == task) && which(r) && seen.insert(r.text).second)
          rows.push_back({task ? r.section : short_title(r.section), r.key, r.text});
    return by_section(rows);
  };
  std::string page =
      "# Configuration\n\nEvery key of every command; `kern TASK VERB --help-keys` prints those of one. This page is "
      "generated: `scripts/update_docs` writes it.\n\nKeys are given in a YAML file (`key: value`) and on the command "
      "line (`key=value`), where they override the file. A dotted key may be nested in YAML. Durations are written "
      "`90s`, `20m`, `1h30m`; lists `[a, b]` or, on the command line, `a,b`; tables `{name: value}`. An unknown key is "
      "an error that names the nearest known one.\n\nWhat several tasks have alike stands first, then, for each task, "
      "what several of its commands have alike, then what is one command's own. Every command names the keys that it "
      "has of the former.\n\n## Keys of several tasks\n\n" +
      markdown_tables(once(nullptr, of_tasks), "###");
  const Task* before = nullptr;
  for (const PageCommand& c : commands) {
    if (c.task != before) {
      before = c.task;
      page += "\n## " + title_of(*c.task) + "\n\n" + c.task->help + ".\n";
      if (const auto rows = once(c.task, of_task); !rows.empty())
        page += "\n### Keys of several commands of " + title_of(*c.task) + "\n\n" + markdown_tables(rows, "####");
    }
    std::vector<training::Schema::Row> shared, tasks_own, own;
    for (const auto& r : c.rows) (of_tasks(r) ? shared : of_task(r) ? tasks_own : own).push_back(r);
    page += "\n### kern " + c.task->command(*c.verb) + "\n\n" + c.verb->help + ".\n";
    if (!shared.empty()) page += "\nOf [several tasks](#keys-of-several-tasks): " + names_of(shared) + ".\n";
    if (!tasks_own.empty())
      page += "\nOf [several commands](#keys-of-several-commands-of-" + anchor_of(*c.task) +
              "): " + names_of(tasks_own) + ".\n";
    if (!own.empty()) page += "\n" + markdown_tables(own, "####");
  }
  return page;
}

}  // namespace kern::apps
