// The gate on the machine code of hot kernels (docs/kernels_without_a_gpu.md). scripts/sass_gate starts it, and
// scripts/test cuda that.
//
//   sass_gate --table=tests/sass/hot_kernels.txt --objects=FOLDER [--cuobjdump=PATH] [--compiler=13.0.88]
//   sass_gate … --update [--page=FILE]  writes the table as the code is now, and the page of it
//   sass_gate --list=FILE.cu.o          every kernel of an object file, with its figures: for a new row
//
// Exit code 0: the code is as the table says, or better; 1: worse; 2: it could not be read.
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "tests/sass/disassembler.h"

namespace {
using namespace kern::sass;

std::string read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text) {
  if (!(std::ofstream(path) << text << std::flush)) throw std::runtime_error(path + " cannot be written");
  std::cout << path << " is written anew: look at what changed before it is committed\n";
}

struct Options {
  std::string table, page, objects, cuobjdump = "cuobjdump", compiler, list;
  bool update = false;

  explicit Options(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      const auto equals = word.find('=');
      const std::string key = word.substr(0, equals), value = equals == word.npos ? "" : word.substr(equals + 1);
      if (key == "--table") table = value;
      else if (key == "--objects") objects = value;
      else if (key == "--cuobjdump") cuobjdump = value;
      else if (key == "--compiler") compiler = value;
      else if (key == "--list") list = value;
      else if (key == "--update") update = true;
      else if (key == "--page") page = value;
      else
        throw std::runtime_error("sass_gate does not know " + word +
                                 ": its options are the first lines of tests/sass/sass_gate.cpp");
    }
    if (list.empty() && (table.empty() || objects.empty()))
      throw std::runtime_error("sass_gate wants --table=FILE and --objects=FOLDER, or --list=FILE.cu.o");
  }
};

void list_kernels(const Options& options) {
  Table table;
  table.lines.push_back("# arch");
  for (const char* arch : {"sm_80", "sm_90a"})
    for (const auto& [name, figures] :
         measure_object(options.cuobjdump, options.list, arch, [](const std::string&) { return 0.0; })) {
      table.rows[table.lines.size()] = {.arch = arch, .source = "-", .name = name, .figures = figures};
      table.lines.emplace_back();
    }
  std::cout << format(table);
}

int hold(const Options& options, Table& table) {
  const bool same_compiler = options.compiler.empty() || options.compiler == table.compiler;
  if (!same_compiler)
    std::cout << "the table is of nvcc " << table.compiler << ", this code of " << options.compiler
              << ": spills and divisions are held, other figures are not\n";
  int worse = 0, better = 0;
  auto say = [](const Row& row, const std::vector<std::string>& what, const char* verdict, int& total) {
    for (const auto& sentence : what)
      std::cout << row.arch << " " << row.source << " " << row.name << " is " << verdict << ": " << sentence << "\n";
    total += int(what.size());
  };
  for (auto& [row, now] : measure_rows(options.cuobjdump, options.objects, table)) {
    if (!now) {
      std::cout << row->arch << " " << row->source << " " << row->name
                << ": no kernel of this name is in its object file: mend or remove the row\n";
      ++worse;
      continue;
    }
    if (options.update) {
      row->figures = now;
    } else if (!row->figures) {
      std::cout << row->arch << " " << row->source << " " << row->name
                << " has no figures in the table yet: run with --update\n";
      ++worse;
    } else {
      const Verdict verdict = compare(*row->figures, *now, same_compiler);
      say(*row, verdict.worse, "worse", worse);
      say(*row, verdict.better, "better", better);
    }
  }
  if (options.update) {
    if (!options.compiler.empty()) table.compiler = options.compiler;
    write(options.table, format(table));
    if (!options.page.empty()) write(options.page, fill_page(read(options.page), table));
  }
  std::cout << table.rows.size() << " rows of hot kernels, " << worse << " figures worse, " << better << " better\n";
  if (worse) std::cout << "where that is meant, run scripts/sass_gate --update and say why in the commit\n";
  else if (better) std::cout << "run scripts/sass_gate --update and commit the table, so that it stays so\n";
  return worse ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options(argc, argv);
  if (!options.list.empty()) return list_kernels(options), 0;
  Table table = parse_table(read(options.table), options.table);
  return hold(options, table);
} catch (const std::exception& error) {
  std::cerr << "sass_gate: " << error.what() << "\n";
  return 2;
}
