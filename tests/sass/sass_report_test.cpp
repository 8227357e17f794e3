#include "tests/sass/sass_report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>

#include "tests/support/source_files.h"

namespace kern::sass {
namespace {

std::string text_of(const std::string& relative) {
  std::ifstream file(kern::testing::source_file(relative));
  EXPECT_TRUE(file) << relative;
  return {std::istreambuf_iterator<char>(file), {}};
}
// A kernel of these instructions, 16 bytes each as on every GPU since sm_70.
Kernel kernel_of(const std::vector<std::string>& instructions) {
  std::string text = "\t\tFunction : f\n";
  char address[32];
  for (size_t i = 0; i < instructions.size(); ++i) {
    std::snprintf(address, sizeof address, "/*%04zx*/ ", i * 16);
    text += address + instructions[i] + " ;   /* 0x0000000c0c0c7221 */\n";
  }
  return parse_sass(text).at(0);
}
std::vector<std::pair<int, int>> spans(const std::vector<Loop>& loops) {  // (head, instructions)
  std::vector<std::pair<int, int>> out;
  for (const Loop& loop : loops) out.emplace_back(loop.head, int(loop.body.size()));
  return out;
}
std::string message_of(const std::string& table) {
  try {
    parse_table(table, "t.txt");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was wrong";
}
std::string joined(const std::vector<std::string>& sentences) {
  std::string out;
  for (const auto& s : sentences) out += s + "; ";
  return out;
}

TEST(SassReport, ReadsWhatCuobjdumpPrints) {
  const auto kernels = parse_sass(text_of("tests/sass/excerpts/scalar_load.sass"));
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].symbol, "_ZN4kern4sass7planted18scalar_load_kernelILb0EEEvPKfPfi");
  const auto& code = kernels[0].code;
  ASSERT_EQ(code.size(), 28u);
  EXPECT_EQ(code[0].op, "LDC");
  EXPECT_EQ(code[9].address, 0x90);
  EXPECT_EQ(code[9].op, "EXIT");
  EXPECT_TRUE(code[9].predicated);
  EXPECT_EQ(code[15].op, "LDG.E.128");
  EXPECT_EQ(code[15].base(), "LDG");
  EXPECT_EQ(code[15].operands, "R8, desc[UR4][R2.64]");
  EXPECT_FALSE(code[15].predicated);
  EXPECT_EQ(code.back().op, "BRA");  // "BRA 0x1b0;": no blank there
  EXPECT_EQ(code.back().address, 0x1b0);

  const auto registers = parse_registers(text_of("tests/sass/excerpts/scalar_load.usage"));
  EXPECT_EQ(registers.size(), 2u);
  EXPECT_EQ(registers.at("_ZN4kern4sass7planted18scalar_load_kernelILb0EEEvPKfPfi"), 14);
  EXPECT_EQ(registers.at("_ZN4kern4sass7planted18scalar_load_kernelILb1EEEvPKfPfi"), 22);
  EXPECT_TRUE(parse_sass("").empty());
  EXPECT_TRUE(parse_sass("/*0000*/ NOP ;\nFunction : f").at(0).code.empty());  // nothing is before a kernel's name
}

TEST(SassReport, NamesAreShort) {
  EXPECT_EQ(short_name("_ZN4kern4sass7planted18scalar_load_kernelILb1EEEvPKfPfi"),
            "sass::planted::scalar_load_kernel<true>");
  EXPECT_EQ(
      short_name(
          "_ZN4kern7kernels51_GLOBAL__N__bf3cf87d_18_conv2d_cuda_mma_cu_0819c85617conv2d_mma_kernelILi8ELi64ELb0ELNS0_"
          "9PrecisionE2ENS_4Bf16EEEvNS1_9MmaGatherEPKfS7_S7_PT3_"),
      "conv2d_mma_kernel<8,64,false,2,Bf16>");
  EXPECT_EQ(short_name("_ZN4kern7kernels1fIjlNS0_1gIfEEEEvT_"), "f<unsigned,long,g<float>>");
  EXPECT_EQ(short_name("main"), "main");
}

TEST(SassReport, FindsLoops) {
  // Two inner loops in one, each around other code; and the endless branch that ends every kernel.
  const Kernel nested = kernel_of({"MOV R0, R1", "IADD3 R2, R2, 0x1, RZ", "@P0 BRA 0x10", "FADD R0, R0, R0",
                                   "@!P1 BRA P2, 0x30", "@P3 BRA 0x10", "EXIT", "BRA 0x70"});
  EXPECT_EQ(spans(find_loops(nested.code)), (std::vector<std::pair<int, int>>{{1, 5}, {3, 2}}));
  const Kernel two = kernel_of({"MOV R0, R1", "NOP", "@P0 BRA 0x10", "@P1 BRA 0x0", "EXIT"});
  const auto loops = find_loops(two.code);
  ASSERT_EQ(spans(loops), (std::vector<std::pair<int, int>>{{0, 4}, {1, 2}}));
  EXPECT_EQ(loops[0].own, (std::vector<int>{0, 3}));
  EXPECT_FALSE(loops[0].innermost());
  EXPECT_TRUE(loops[1].innermost());
  // A branch back to code that stands before it, but was never run: a rare path that was moved to the end.
  const Kernel moved =
      kernel_of({"MOV R0, R1", "@P0 BRA 0x40", "FADD R0, R0, R0", "EXIT", "FMUL R0, R0, R0", "BRA 0x20"});
  EXPECT_TRUE(find_loops(moved.code).empty());
  // The same in a loop is part of it, wherever it stands.
  const Kernel outside = kernel_of(
      {"MOV R0, R1", "@P0 BRA 0x50", "FADD R0, R0, R0", "@P1 BRA 0x10", "EXIT", "FMUL R0, R0, R0", "BRA 0x20"});
  EXPECT_EQ(spans(find_loops(outside.code)), (std::vector<std::pair<int, int>>{{1, 5}}));
  EXPECT_EQ(find_loops(outside.code)[0].body, (std::vector<int>{1, 2, 3, 5, 6}));
  // What a warp runs that fell apart does not count.
  const Kernel apart = kernel_of({"MOV R0, R1", "BRA.DIV ~URZ, 0x50", "FADD R0, R0, R0", "@P1 BRA 0x10", "EXIT",
                                  "SHFL.IDX PT, R0, R0, R1, R2", "BRA 0x20"});
  EXPECT_EQ(spans(find_loops(apart.code)), (std::vector<std::pair<int, int>>{{1, 3}}));
  // A loop that is left by a call which does not come back (ptxas for sm_80), and another behind it.
  const Kernel left = kernel_of({"MOV R0, R1", "FADD R0, R0, R0", "@P0 CALL.REL.NOINC 0x40", "BRA 0x10",
                                 "FMUL R0, R0, R0", "@P1 BRA 0x40", "EXIT"});
  EXPECT_EQ(spans(find_loops(left.code)), (std::vector<std::pair<int, int>>{{1, 3}, {4, 2}}));
  EXPECT_TRUE(find_loops({}).empty());
}

TEST(SassReport, LoadsAreWideOrNot) {
  const auto kernels = parse_sass(text_of("tests/sass/excerpts/scalar_load.sass"));
  const Figures wide = measure(kernels[0], 14, 0), scalar = measure(kernels[1], 22, 0);
  EXPECT_EQ(wide.registers, 14);
  EXPECT_EQ(wide.loop, 11);
  EXPECT_EQ(wide.wide_global, 100);
  EXPECT_EQ(scalar.wide_global, 0);
  EXPECT_EQ(wide.wide_shared, std::nullopt);
  EXPECT_EQ(wide.math, std::nullopt);
  EXPECT_EQ(wide.per_copy, std::nullopt);
  EXPECT_EQ(wide.spills + scalar.spills + wide.divisions + scalar.divisions, 0);
  // Outside of loops loads do not count where there is a loop; ldmatrix counts by how many matrices it gives.
  const Figures mixed =
      measure(kernel_of({"LDG.E R0, [R2]", "LDS.64 R0, [R4]", "LDSM.16.M88.4 R8, [R1]", "LDSM.16.M88.2 R8, [R1]",
                         "STS.128 [R1], R4", "LDGSTS.E.BYPASS.128 [R9], desc[UR12][R6.64]", "LDG.E.64 R0, [R2]",
                         "@P0 BRA 0x10", "STG.E [R2], R0", "EXIT"}),
              8, 0);
  EXPECT_EQ(mixed.wide_shared, 50);
  EXPECT_EQ(mixed.wide_global, 50);
  // Of global ones those of the hot loop count, where it has any: the tail that handles a few values one by one does
  // not.
  const Figures tail = measure(kernel_of({"MOV R0, R1", "LDG.E.128 R0, [R2]", "FFMA R0, R0, R0, R0", "@P0 BRA 0x10",
                                          "LDG.E R0, [R2]", "@P0 BRA 0x40", "EXIT"}),
                               8, 0);
  EXPECT_EQ(tail.wide_global, 100);
  // Without a loop all of the kernel is what is hot, but for what fills up its end.
  const Figures straight =
      measure(kernel_of({"LDG.E.128 R0, [R2]", "STG.E [R2], R0", "EXIT", "BRA 0x30", "NOP", "NOP"}), 8, 0);
  EXPECT_EQ(straight.loop, 3);
  EXPECT_EQ(straight.wide_global, 50);
}

TEST(SassReport, CountsDivisionsInTheHotLoop) {
  const auto kernels = parse_sass(text_of("tests/sass/excerpts/division.sass"));
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(measure(kernels[0], 0, 0).divisions, 1);  // the reciprocal of the divisor is made before the loop
  EXPECT_EQ(measure(kernels[1], 0, 0).divisions, 2);  // of 64 bits: a routine, or one of 32 where that is enough
  auto divisions = [](const std::vector<std::string>& loop) {
    std::vector<std::string> code{"I2F.RP R0, R1", "IMAD.HI.U32 R2, R0, R1, RZ"};
    code.insert(code.end(), loop.begin(), loop.end());
    code.insert(code.end(), {"@P0 BRA 0x20", "EXIT"});
    return measure(kernel_of(code), 0, 0).divisions;
  };
  EXPECT_EQ(divisions({"FADD R0, R0, R0"}), 0);
  EXPECT_EQ(divisions({"IMAD.HI.U32 R2, R0, 0x55555556, RZ", "IMAD.WIDE R2, R0, R1, RZ"}), 0);  // by 3
  EXPECT_EQ(divisions({"MUFU.RCP R0, R1", "I2FP.F32.S32 R0, R1"}), 0);                          // of floats
  EXPECT_EQ(
      divisions({"I2F.U32.RP R0, R1", "MUFU.RCP R0, R0", "IMAD.HI.U32 R2, R3, R4, R2", "IMAD.HI.U32 R2, R2, UR4, RZ"}),
      1);
}

TEST(SassReport, CountsSpillsAnywhere) {
  const Figures f =
      measure(kernel_of({"STL [R1], R0", "FADD R0, R0, R0", "@P0 BRA 0x10", "LDL.64 R0, [R1]", "EXIT"}), 255, 0);
  EXPECT_EQ(f.spills, 2);
  EXPECT_EQ(f.registers, 255);
  EXPECT_EQ(f.loop, 2);
}

TEST(SassReport, TheStepIsWhatCopiesAndMultiplies) {
  // A step of 12: a copy loop of 4 for one copy, a loop of 4 with 2 HMMA, and 4 around both. Behind it a larger loop of
  // FFMA.
  const Kernel k = kernel_of({"MOV R0, R1",  //
                              "LDGDEPBAR",   // 0x10
                              "IADD3 R0, R0, 0x1, RZ",
                              "IMAD R1, R0, R0, RZ",
                              "LDGSTS.E.BYPASS.128 [R9], [R6.64]",
                              "@P0 BRA 0x20",  //
                              "BAR.SYNC 0x0",  //
                              "LDSM.16.M88.4 R4, [R0]",
                              "HMMA.16816.F32.BF16 R8, R4, R5, R8",
                              "HMMA.16816.F32.BF16 R8, R4, R6, R8",
                              "@P1 BRA 0x70",  //
                              "BAR.SYNC 0x0",
                              "@P2 BRA 0x10",  //
                              "FFMA R0, R0, R0, R0",
                              "FFMA R0, R0, R0, R0",
                              "FFMA R0, R0, R0, R0",
                              "FFMA R0, R0, R0, R0",
                              "FFMA R0, R0, R0, R0",
                              "@P3 BRA 0xd0",
                              "EXIT"});
  const Figures f = measure(k, 64, 0.5);
  EXPECT_EQ(f.loop, 4);
  EXPECT_EQ(f.math, 50);
  EXPECT_EQ(f.per_copy, 4);
  EXPECT_EQ(f.step, 25);  // for each HMMA: 2 instructions, and half of the 4 for a copy
  EXPECT_EQ(f.wide_shared, 100);
  EXPECT_EQ(measure(k, 64, 0).step, std::nullopt);  // nobody says how many copies
  // Unrolled by four, with a rest that does worse: which of them runs, the code does not say.
  const Kernel rest =
      kernel_of({"MOV R0, R1",                                                                              //
                 "HMMA.1688.F32.TF32 R0, R0, R0, R0", "MOV R0, R0", "MOV R0, R0", "MOV R0, R0",             // 0x10
                 "HMMA.1688.F32.TF32 R0, R0, R0, R0", "HMMA.1688.F32.TF32 R0, R0, R0, R0", "@P0 BRA 0x50",  //
                 "LDGSTS.E.128 [R9], [R6.64]", "@P0 BRA 0x10", "EXIT"});
  const Figures worse = measure(rest, 64, 1);
  EXPECT_NEAR(worse.math.value(), 66.7, 0.1);
  EXPECT_EQ(worse.per_copy, 4);  // of the outer loop's own six what stands before the copy and does not multiply
  EXPECT_NEAR(worse.step.value(), 10, 0.1);  // 1 of 6 multiplies there: 6 + 4
  // Copies beside the multiplications, as they should be: the step is the hot loop.
  const Figures merged = measure(kernel_of({"MOV R0, R1", "LDGSTS.E.128 [R9], [R6.64]", "IADD3 R0, R0, R0, RZ",
                                            "HMMA.1688.F32.TF32 R0, R0, R0, R0", "@P0 BRA 0x10", "EXIT"}),
                                 0, 0);
  EXPECT_EQ(merged.math, 25);
  EXPECT_EQ(merged.per_copy, 3);
}

TEST(SassReport, ARowStandsForTheWorstOfItsKernels) {
  const Figures a{.registers = 8, .loop = 10, .math = 50, .wide_global = 100, .spills = 0, .divisions = 1};
  const Figures b{.registers = 16, .loop = 5, .per_copy = 7, .wide_global = 25, .spills = 2, .divisions = 0};
  const Figures both = worst(a, b);
  EXPECT_EQ(both.registers, 16);
  EXPECT_EQ(both.loop, 10);
  EXPECT_EQ(both.math, 50);
  EXPECT_EQ(both.per_copy, 7);
  EXPECT_EQ(both.step, std::nullopt);
  EXPECT_EQ(both.wide_global, 25);
  EXPECT_EQ(both.spills, 2);
  EXPECT_EQ(both.divisions, 1);
}

constexpr const char* kTable =
    "# A comment stays.\n"
    "# nvcc 13.0.88\n"
    "# arch   source  kernel   copies  registers  loop  math%  step%  per_copy  global%  shared%  spills  divisions\n"
    "sm_80    conv    f<4,*>    0.082        126   133     48     17        39      100      100       0          0  # "
    "bf16\n"
    "\n"
    "sm_90a   conv    f<*>          -         96    85      -      -         -        -        -       2         17\n"
    "sm_90a   conv    another       -\n";

TEST(SassTable, IsReadAndWritten) {
  const Table table = parse_table(kTable, "t.txt");
  EXPECT_EQ(table.compiler, "13.0.88");
  ASSERT_EQ(table.rows.size(), 3u);
  const Row& first = table.rows.begin()->second;
  EXPECT_EQ(first.arch, "sm_80");
  EXPECT_EQ(first.copies, 0.082);
  EXPECT_EQ(first.note, "bf16");
  EXPECT_EQ(first.figures->per_copy, 39);
  EXPECT_TRUE(first.fits("f<4,Bf16>"));
  EXPECT_FALSE(first.fits("f<8,4,Bf16>"));
  EXPECT_FALSE(first.fits("f<4,Bf16>2"));
  EXPECT_FALSE(table.rows.rbegin()->second.figures);
  const std::string written = format(table);
  EXPECT_EQ(written, format(parse_table(written, "again")));
  EXPECT_NE(written.find("# A comment stays.\n# nvcc 13.0.88\n# arch  source  kernel   copies  registers  loop"),
            written.npos)
      << written;
  EXPECT_NE(written.find("sm_80   conv    f<4,*>    0.082        126   133     48     17        39      100      100   "
                         "    0          0  # bf16\n\nsm_90a"),
            written.npos)
      << written;
  EXPECT_NE(written.find("sm_90a  conv    another       -\n"), written.npos) << written;
  const std::string page = fill_page("above\n<!-- hot kernels -->\nold\n<!-- end -->\nbelow\n", table);
  EXPECT_EQ(page, "above\n<!-- hot kernels -->\n" + format_markdown(table) + "<!-- end -->\nbelow\n");
  EXPECT_NE(page.find("| conv | `f<4,*>` bf16 | 126 / ? | 133 / ? | 48 % / ? |"), page.npos) << page;
  EXPECT_THROW(fill_page("nothing", table), std::runtime_error);
}

TEST(SassTable, RefusesWhatIsNoRow) {
  EXPECT_EQ(message_of("# c\nsm_80 conv f\n"),
            "t.txt:2: a row is 'arch source kernel copies' with or without its 9 figures, but there are 3 words");
  EXPECT_EQ(message_of("sm_80 conv f many\n"), "t.txt:1: 'many' is no figure: give a number or -");
  EXPECT_EQ(message_of("sm_80 conv f - 1 2 3 4 nan 6 7 8 9\n"), "t.txt:1: 'nan' is no figure: give a number or -");
  EXPECT_EQ(message_of("sm_80 conv f - 1 2 -3 4 5 6 7 8 9\n"), "t.txt:1: '-3' is no figure: give a number or -");
  EXPECT_EQ(message_of("sm_80 conv f - 1 2 3 4 5 6 7 8\n").substr(0, 9), "t.txt:1: ");
}

TEST(SassTable, WorseIsToldFromBetter) {
  const Figures held{
      .registers = 126, .loop = 133, .math = 48, .step = 17, .per_copy = 39, .wide_global = 100, .wide_shared = 50};
  auto change = [&](auto&& f) {
    Figures now = held;
    f(now);
    return compare(held, now, true);
  };
  auto is = [](const Verdict& v, const std::string& worse, const std::string& better) {
    return joined(v.worse).starts_with(worse) && joined(v.better).starts_with(better) &&
           v.worse.empty() == worse.empty() && v.better.empty() == better.empty();
  };
  EXPECT_TRUE(is(compare(held, held, true), "", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.spills = 6; }),
                 "6 LDL and STL (registers put into memory) where the table has 0; ", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.divisions = 1; }), "1 integer divisions", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.registers = 128; }), "", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.registers = 134; }), "registers: 134 where the table has 126; ", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.loop = 136; }), "", ""));
  EXPECT_TRUE(
      is(change([](Figures& f) { f.loop = 138; }), "instructions in the hot loop: 138 where the table has 133; ", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.loop = 120; }), "", "instructions in the hot loop"));
  EXPECT_TRUE(is(change([](Figures& f) { f.math = 47; }), "", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.math = 46; }), "percent of mathematics in the hot loop: 46 where", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.step = 40; }), "", "percent of mathematics in a step"));
  EXPECT_TRUE(is(change([](Figures& f) { f.per_copy = 41; }), "instructions for an asynchronous copy", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.per_copy.reset(); }),
                 "instructions for an asynchronous copy: none where the table has 39", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.wide_global = 50; }), "percent of global loads and stores", ""));
  EXPECT_TRUE(is(change([](Figures& f) { f.wide_shared = 100; }), "", "percent of shared loads and stores"));
  EXPECT_TRUE(is(change([](Figures& f) { f.math = std::nan(""); }), "percent of mathematics in the hot loop", ""));
  // Another compiler unrolls otherwise; a spill and a division are faults with any.
  const Figures now{.registers = 255, .loop = 500, .math = 10, .spills = 1, .divisions = 1};
  EXPECT_EQ(compare(held, now, false).worse.size(), 2u);
  const Figures spilled{.spills = 4};
  EXPECT_TRUE(is(compare(spilled, Figures{.spills = 2}, false), "", "2 LDL and STL"));
}

// What is committed: every hot kernel for both architectures, with figures, and the page that shows them.
TEST(SassTable, TheCommittedOneIsWhole) {
  const std::string text = text_of("tests/sass/hot_kernels.txt");
  const Table table = parse_table(text, "tests/sass/hot_kernels.txt");
  EXPECT_EQ(text, format(table)) << "run scripts/sass_gate --update";
  EXPECT_FALSE(table.compiler.empty());
  std::set<std::string> sources;
  for (const auto& file : std::filesystem::recursive_directory_iterator(kern::testing::source_file("kernels")))
    if (file.path().extension() == ".cu") sources.insert(file.path().stem().string());
  std::map<std::string, int> archs;
  for (const auto& [line, row] : table.rows) {
    ++archs[row.source + " " + row.name];
    EXPECT_TRUE(row.arch == "sm_80" || row.arch == "sm_90a") << row.arch;
    EXPECT_TRUE(row.figures) << row.source << " " << row.name << " has no figures";
    EXPECT_TRUE(sources.contains(row.source)) << row.source;
  }
  EXPECT_GE(archs.size(), 40u);
  for (const auto& [name, count] : archs) EXPECT_EQ(count, 2) << name;
  const std::string page = text_of("docs/benchmarks.md");
  EXPECT_TRUE(page == fill_page(page, table)) << "docs/benchmarks.md shows another table:"
                                                 "run scripts/sass_gate --update";
}

}  // namespace
}  // namespace kern::sass
