#include "apps/new_config.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::apps {
namespace {
constexpr size_t kWidth = 110, kCommentColumn = 40;

// Blank-separated words in lines of up to so many characters.
std::vector<std::string> wrapped(std::string_view text, size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}
std::string plain(std::string_view text) {  // a name from a file must not end a comment
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 32) c = ' ';
  return out;
}
}  // namespace

NewConfig::NewConfig(std::string path, bool overwrite) : path_(std::move(path)) {
  check(!path_.empty(), "out= names nothing: give the configuration to write, out=my.yaml");
  check(overwrite || !std::filesystem::exists(path_), path_,
        " is there already; choose another name with out=, or set overwrite=true");
}

void NewConfig::comment(std::string_view text) {
  for (const std::string& l : wrapped(plain(text), kWidth)) text_ += "# " + l + "\n";
}

void NewConfig::line(std::string yaml, std::string_view why) {
  if (why.empty()) {
    text_ += yaml + "\n";
    return;
  }
  if (yaml.size() + why.size() + 4 > kWidth + 20) {
    comment(why);
    text_ += yaml + "\n";
    return;
  }
  yaml.resize(std::max(yaml.size(), std::min(kCommentColumn, kWidth)), ' ');
  text_ += yaml + "  # " + plain(why) + "\n";
}

void NewConfig::write(training::Schema& keys, std::string_view next_command) const {
  keys.load_text(text_, path_);
  keys.check();
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) make_folder(folder);
  write_file(path_, text_);
  fmt::print("written to {}: look at it, and then\n\n    {}\n", path_, next_command);
}

}  // namespace kern::apps
