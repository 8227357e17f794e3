#include "tests/sass/disassembler.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <future>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <thread>

namespace kern::sass {
namespace {

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}
std::string output_of(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) throw std::runtime_error("no process could be started for " + command);
  std::string out;
  std::array<char, 1 << 16> part;
  for (size_t n; (n = fread(part.data(), 1, part.size(), pipe)) > 0;) out.append(part.data(), n);
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error(command.substr(0, 200) + " failed: " + out.substr(0, 500));
  return out;
}

struct Release {
  std::counting_semaphore<>& of;
  ~Release() { of.release(); }
};

// <source>.cu.o, wherever it lies below the folder; where it does not, the folder's own, which cuobjdump then names.
std::string object_of(const std::string& folder, const std::string& source) {
  const std::string name = source + ".cu.o";
  if (std::filesystem::is_directory(folder))
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder))
      if (file.path().filename() == name) return file.path().string();
  return folder + "/" + name;
}

}  // namespace

std::vector<std::pair<std::string, Figures>> measure_object(
    const std::string& cuobjdump, const std::string& object, const std::string& arch,
    const std::function<std::optional<double>(const std::string& name)>& copies) {
  const std::string ask = quoted(cuobjdump) + " -arch " + arch + " ";
  const auto registers = parse_registers(output_of(ask + "-res-usage " + quoted(object)));
  std::vector<std::pair<std::string, Figures>> out;
  if (std::none_of(registers.begin(), registers.end(), [&](const auto& r) { return copies(short_name(r.first)); }))
    return out;
  for (const Kernel& kernel :
       parse_sass(output_of(ask + "-sass " + quoted(object)))) {  // -fun takes longer for a few than all
    const std::string name = short_name(kernel.symbol);
    if (const auto said = copies(name)) out.emplace_back(name, measure(kernel, registers.at(kernel.symbol), *said));
  }
  return out;
}

std::vector<std::pair<Row*, std::optional<Figures>>> measure_rows(const std::string& cuobjdump,
                                                                  const std::string& folder, Table& table) {
  std::vector<std::pair<Row*, std::optional<Figures>>> out;
  std::map<const Row*, size_t> place;
  std::set<std::pair<std::string, std::string>> asked;
  for (auto& [line, row] : table.rows) {
    place[&row] = out.size();
    out.emplace_back(&row, std::nullopt);
    asked.insert({row.source, row.arch});
  }
  auto row_of = [&table](const std::string& source, const std::string& arch, const std::string& name) -> const Row* {
    for (const auto& [line, row] : table.rows)
      if (row.source == source && row.arch == arch && row.fits(name)) return &row;
    return nullptr;
  };
  std::vector<std::future<std::vector<std::pair<std::string, Figures>>>> found;
  std::counting_semaphore<> free_cores(std::max(1u, std::thread::hardware_concurrency()));
  for (const auto& [source, arch] : asked)
    found.push_back(std::async(std::launch::async, [&, source = source, arch = arch] {
      free_cores.acquire();
      const Release release{free_cores};
      return measure_object(cuobjdump, object_of(folder, source), arch, [&](const std::string& name) {
        const Row* row = row_of(source, arch, name);
        return row ? std::optional(row->copies) : std::nullopt;
      });
    }));
  auto next = found.begin();
  for (const auto& [source, arch] : asked)
    for (const auto& [name, figures] : (next++)->get()) {
      auto& now = out[place.at(row_of(source, arch, name))].second;
      now = now ? worst(*now, figures) : figures;
    }
  return out;
}

}  // namespace kern::sass
