#include "apps/completion.h"

#include <algorithm>

#include "apps/info.h"
#include "kernels/common/error.h"

namespace kern::apps {
namespace {
using training::KeyDescription;
using training::Schema;

struct Option {
  const char *word, *help;
  bool file = false;  // a file follows
};
constexpr Option kVerbOptions[] = {{"--json", "write the figures to this file", true},
                                   {"--quiet", "say nothing but warnings and errors"},
                                   {"--help-keys", "list every key with its default and meaning"},
                                   {"--markdown", "with --help-keys: as Markdown tables"},
                                   {"--help", "how the command is used"}};
constexpr Option kInfoOptions[] = {{"--ops", "the table of ops, devices and implementations"},
                                   {"--tuned", "what tuning measured on this machine"},
                                   {"--keys", "every key of every command"},
                                   {"--json", "write the figures to this file", true},
                                   {"--help", "how the command is used"}};
constexpr Option kProgramOptions[] = {{"--help", "what there is"}, {"--version", "the version"}};
constexpr const char* kShells[] = {"bash", "zsh", "fish"};

std::string first_sentence(const std::string& help) { return help.substr(0, help.find_first_of(";\n")); }

class Completion {
 public:
  explicit Completion(std::string partial) : partial_(std::move(partial)) {}
  void offer(const std::string& word, const std::string& help) {
    if (word.starts_with(partial_)) out_.words.push_back({word, first_sentence(help)});
  }
  template <size_t N>
  void options(const Option (&options)[N]) {
    for (const Option& o : options) offer(o.word, o.help);
  }
  void files() { out_.files = true; }
  Candidates take() { return std::move(out_); }
  const std::string& partial() const { return partial_; }

 private:
  std::string partial_;
  Candidates out_;
};

// The values of the key that stands before '='; files where it takes text that is no word.
void offer_values(Completion& to, const KeyDescription& key) {
  const std::string before = key.name + "=";
  for (const std::string& word : key.words) to.offer(before + word, "");
  if (key.kind.starts_with("true or false"))
    for (const char* word : {"true", "false"}) to.offer(before + word, "");
  if (key.words.empty() && key.kind.find("text") != key.kind.npos) to.files();
}

void offer_keys(Completion& to, const std::vector<KeyDescription>& keys, const std::vector<std::string>& words) {
  const std::string& partial = to.partial();
  const size_t equals = partial.find('=');
  for (const KeyDescription& key : keys) {
    if (equals != partial.npos) {
      if (partial.compare(0, equals, key.name) == 0 && key.name.size() == equals) offer_values(to, key);
      continue;
    }
    const bool given = std::any_of(words.begin(), words.end() - 1,
                                   [&](const std::string& w) { return w.starts_with(key.name + "="); });
    if (!given) to.offer(key.name + "=", key.help);
  }
  if (equals == partial.npos && !partial.starts_with("-")) to.files();  // a configuration, or the verb's own words
}

// --- the manual ---

// Text in the language of man: no line begins with a dot, no backslash or dash means something else.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else if (c == '\n') out += ' ';
    else out += c;
  }
  if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out = "\\&" + out;
  return out;
}

void add_keys(std::string& page, const Schema& keys) {
  std::string section;
  for (const KeyDescription& key : keys.keys()) {
    if (key.section != section) page += ".PP\n.I " + roff(section = key.section) + "\n";
    page += ".TP\n.B " + roff(key.name + "=" + (key.required ? "..." : key.default_text)) + "\n";
    page += roff(key.help + " (" + key.kind + (key.says.empty() ? "" : ", " + key.says) + ")") + "\n";
  }
}

}  // namespace

Candidates candidates(const std::vector<const Task*>& tasks, const std::vector<std::string>& given) {
  std::vector<std::string> words = given;
  if (words.empty()) words.emplace_back();
  if (words.size() > 1 && words[0] == "help") words.erase(words.begin());
  Completion to(words.back());
  const std::string before = words.size() > 1 ? words[words.size() - 2] : "";
  const auto is = [&](size_t i, const std::string& word) { return words.size() > i + 1 && words[i] == word; };
  if (words.size() == 1) {
    for (const Task* task : tasks) {
      if (!task->name.empty()) to.offer(task->name, task->help);
      else
        for (const Verb& verb : task->verbs) to.offer(verb.name, verb.help);
    }
    to.offer("info", "this build and this machine, or a model");
    to.offer("completion", "the completion script of a shell");
    to.offer("man", "the manual page");
    to.offer("help", "how a command is used");
    to.options(kProgramOptions);
    return to.take();
  }
  if (before == "--json") {
    to.files();
    return to.take();
  }
  if (is(0, "info")) {
    to.options(kInfoOptions);
    if (to.partial().starts_with("model=")) to.files();
    else to.offer("model=", "what a model says of itself");
    return to.take();
  }
  if (is(0, "completion")) {
    if (words.size() == 2)
      for (const char* shell : kShells) to.offer(shell, "");
    return to.take();
  }
  for (const Task* task : tasks) {
    const size_t at = task->name.empty() ? 0 : 1;  // where the verb stands
    if (at == 1 && !is(0, task->name)) continue;
    if (at == 1 && words.size() == 2) {
      for (const Verb& verb : task->verbs) to.offer(verb.name, verb.help);
      to.offer("--help", "what there is");
      return to.take();
    }
    for (const Verb& verb : task->verbs)
      if (is(at, verb.name)) {
        to.options(kVerbOptions);
        offer_keys(to, verb.prepare(task->command(verb)).keys.keys(), words);
        return to.take();
      }
  }
  return to.take();
}

std::string to_lines(const Candidates& c) {
  std::string out;
  for (const Candidate& w : c.words) out += w.word + "\t" + w.help + "\n";
  return out + (c.files ? ":files\n" : "");
}

std::string completion_script(const std::string& shell) {
  if (shell == "bash")
    return R"sh(# Completion of kern for bash. Try it:  source <(kern completion bash)
# Keep it:  kern completion bash > ~/.local/share/bash-completion/completions/kern
_kern() {
  local line=${COMP_LINE:0:COMP_POINT} current value candidate prefix files=
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]}-1]}
  value=$current
  [[ $current == *=* ]] && value=${current#*=}
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    if [[ $candidate == :files ]]; then files=1; else COMPREPLY+=("$candidate"); fi
  done < <("${words[0]/#\~/$HOME}" completion words "${words[@]:1}" 2> /dev/null)
  if [[ $files ]]; then
    while IFS= read -r candidate; do
      [[ -d $candidate ]] && candidate+=/
      COMPREPLY+=("${current:0:${#current}-${#value}}$(printf %q "$candidate")")
    done < <(compgen -f -- "$value")
  fi
  [[ ${COMPREPLY[*]} == *[=/] ]] && compopt -o nospace
  if [[ $current == *=* && $COMP_WORDBREAKS == *=* ]]; then  # bash completes what follows the '='
    prefix=${current%"${current##*=}"}
    COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
  fi
}
complete -F _kern kern
)sh";
  if (shell == "zsh")
    return R"sh(#compdef kern
# Completion of kern for zsh. Keep it in a folder of $fpath:  kern completion zsh > ~/.zfunc/_kern
# (with  fpath+=~/.zfunc; autoload -U compinit; compinit  in ~/.zshrc)
_kern() {
  local line word files=0
  local -a words_there keys_there words_shown keys_shown
  for line in "${(@f)$(${~words[1]} completion words "${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
    [[ -z $line ]] && continue
    [[ $line == :files ]] && { files=1; continue }
    word=${line%%$'\t'*}
    if [[ $word == *= ]]; then
      keys_there+=("$word"); keys_shown+=("$word  ${line#*$'\t'}")
    else
      words_there+=("$word"); words_shown+=("$word  ${line#*$'\t'}")
    fi
  done
  (( $#words_there )) && compadd -l -d words_shown -a words_there
  (( $#keys_there )) && compadd -l -S '' -d keys_shown -a keys_there
  if (( files )); then
    compset -P '*='
    _files
  fi
  return 0
}
if [[ $funcstack[1] == _kern ]]; then _kern "$@"; else compdef _kern kern; fi
)sh";
  if (shell == "fish")
    return R"sh(# Completion of kern for fish. Keep it:  kern completion fish > ~/.config/fish/completions/kern.fish
function __kern_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l value (string replace -r '^[^=]*=' '' -- "$current")
    set -l prefix (string sub -l (math (string length -- "$current") - (string length -- "$value")) -- "$current")
    for line in ($words[1] completion words $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            for path in (__fish_complete_path "$value")
                echo "$prefix$path"
            end
        else
            echo $line
        end
    end
end
complete -c kern -f -a '(__kern_complete)'
)sh";
  check(!shell.empty(), "kern completion takes the name of a shell: bash, zsh or fish");
  throw Error(text("there is no completion for '", shell, "': kern completion bash, zsh or fish"));
}

std::string manual_page(const std::vector<const Task*>& tasks) {
  std::string page = ".TH KERN 1 \"\" \"kern " + roff(version()) + "\" \"User Commands\"\n";
  page += ".SH NAME\nkern \\- deep learning on field data, from well logs to seismic sections\n";
  page +=
      ".SH SYNOPSIS\n.B kern\n.I TASK VERB\n[config.yaml] [key=value ...] [--json FILE] [--quiet]\n.br\n.B kern info\n";
  page += "[model=FILE] [--ops] [--tuned] [--keys]\n.br\n.B kern completion\nbash|zsh|fish\n";
  page +=
      ".SH DESCRIPTION\nTrains networks on well logs, images, seismic sections and images of what is normal, and "
      "predicts with "
      "them. Keys are given in a YAML file (key: value) and on the command line (key=value), where they override the "
      "file.\n";
  page += ".SH OPTIONS\n";
  for (const Option& o : kVerbOptions)
    page += ".TP\n.B " + roff(std::string(o.word) + (o.file ? " FILE" : "")) + "\n" + roff(o.help) + "\n";
  page += ".SH EXIT STATUS\n0 done, 1 the input, 2 usage, 3 a fault of kern, 130 stopped by Ctrl-C, 143 by SIGTERM.\n";
  for (const Task* task : tasks) {
    if (!task->name.empty()) page += ".SH KERN " + roff(task->name) + "\n" + roff(task->help) + ".\n";
    else page += ".SH FURTHER COMMANDS\n";
    for (const Verb& verb : task->verbs) {
      page += ".SS kern " + roff(task->command(verb)) + "\n" + roff(verb.help) + ".\n";
      add_keys(page, verb.prepare(task->command(verb)).keys);
    }
  }
  return page;
}

}  // namespace kern::apps
