// What the machine code of a CUDA kernel says before any GPU runs it. `cuobjdump -sass` prints the code; from that text
// come its loops, the instructions of the loop where the work is done, how much of that is the mathematics itself, and
// what costs that nobody sees in the source: registers put into memory, integer divisions, narrow loads.
// docs/kernels_without_a_gpu.md.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kern::sass {

struct Instruction {
  int64_t address = 0;      // bytes from the kernel's beginning
  std::string op;           // "LDG.E.128"
  std::string operands;     // "R4, desc[UR12][R6.64]"
  bool predicated = false;  // "@P0 …", "@!UP1 …"

  // The operation without what qualifies it: "LDG".
  std::string_view base() const { return std::string_view(op).substr(0, op.find('.')); }
};

struct Kernel {
  std::string symbol;  // as the object file has it
  std::vector<Instruction> code;
};

// The kernels of `cuobjdump -sass` of one architecture, in its order.
std::vector<Kernel> parse_sass(std::string_view text);

// Registers of each kernel, by symbol, from `cuobjdump -res-usage`.
std::map<std::string, int> parse_registers(std::string_view text);

// "void kern::kernels::(anonymous namespace)::f<4, (kern::kernels::Precision)2, kern::Bf16>(int)" as "f<4,2,Bf16>";
// takes the mangled name. A name that is none of C++ stays.
std::string short_name(const std::string& symbol);

// A natural loop: all that is run between two arrivals at its first instruction.
struct Loop {
  int head = 0;           // index of that instruction
  std::vector<int> body;  // indices, ascending; loops within it included
  std::vector<int> own;   // without those
  bool innermost() const { return own.size() == body.size(); }
};
std::vector<Loop> find_loops(const std::vector<Instruction>& code);

// What a row of the table holds. An empty optional: the kernel has none of that.
struct Figures {
  int registers = 0;  // of a thread
  // The hot loop is that with most tensor-core instructions, or else most FFMA, or else the largest of the innermost
  // ones; what is in loops within it does not count. Where no loop is, it is the whole kernel.
  int loop = 0;                     // instructions
  std::optional<double> math = {};  // percent of them that are HMMA (or HGMMA, …), or else FFMA
  // The step is the smallest loop that holds the hot one and copies (or is it). Of its loops those count that do worst:
  // where a loop was unrolled, what runs in the case that matters may well be the rest of it.
  std::optional<double> step = {};      // percent of mathematics in what a step runs; an estimate, see measure()
  std::optional<double> per_copy = {};  // instructions that lead to one asynchronous copy
  // Percent of loads and stores that move 16 bytes for each thread: of global ones in the hot loop, or, where it has
  // none, in any; of shared ones in the hot loop.
  std::optional<double> wide_global = {}, wide_shared = {};
  int spills = 0;     // LDL and STL, in the whole kernel
  int divisions = 0;  // of integers, by what is no constant, in the step, or else in the hot loop
};

// copies: asynchronous copies of a thread for each multiplication (HMMA, …) of its warp, in the case for which the
// kernel is held; 0 where nobody says. How often inner loops turn cannot be read from the code, but this says what it
// comes to:
//   step = 1 / (1 / math + copies * per_copy).
Figures measure(const Kernel& kernel, int registers, double copies);

// The worse of both, figure by figure: what a row says that stands for several kernels.
Figures worst(const Figures& a, const Figures& b);

// A row of the table of hot kernels.
struct Row {
  std::string arch;    // "sm_90a"
  std::string source;  // "conv2d_cuda_mma": the kernel's file
  std::string name;    // as short_name() writes it; * stands for any characters. A kernel is the first row's that fits
  double copies = 0;   // see measure()
  std::optional<Figures> figures;  // none: nobody measured it yet
  std::string note;                // behind #

  bool fits(std::string_view kernel) const;
};

// The file that is committed: comments, rows, and the compiler whose code was measured.
struct Table {
  std::string compiler;            // "13.0.88", from a line "# nvcc 13.0.88"
  std::vector<std::string> lines;  // the file's; a row's is empty
  std::map<size_t, Row> rows;      // by line
};

// Throws std::runtime_error with a sentence that names the line (`path` is only for that) where a row cannot be read.
Table parse_table(std::string_view text, const std::string& path);
// The file again, in columns.
std::string format(const Table& table);
// Rows as a table of Markdown, an architecture beside the other.
std::string format_markdown(const Table& table);
// A page with that between the lines <!-- hot kernels --> and <!-- end -->; throws std::runtime_error where it lacks
// them.
std::string fill_page(const std::string& page, const Table& table);

// How a row differs from what is measured now.
struct Verdict {
  std::vector<std::string> worse;   // sentences without the kernel's name: "6 LDL and STL where the table has none"
  std::vector<std::string> better;  // by so much that the table should hold it
};
// same_compiler: false where another nvcc made the code. Its loops may be others; spills and divisions are faults all
// the same.
Verdict compare(const Figures& held, const Figures& now, bool same_compiler);

}  // namespace kern::sass
