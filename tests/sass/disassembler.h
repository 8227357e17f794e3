// cuobjdump, asked for the kernels of object files.
#pragma once
#include <functional>
#include <utility>

#include "tests/sass/sass_report.h"

namespace kern::sass {

// Every kernel of an object file for an architecture, or those alone to which `copies` (of measure(); asked by short
// name) gives a value. Throws std::runtime_error with a sentence where cuobjdump fails.
std::vector<std::pair<std::string, Figures>> measure_object(
    const std::string& cuobjdump, const std::string& object, const std::string& arch,
    const std::function<std::optional<double>(const std::string& name)>& copies);

// What every row of the table is now, in its order: the worst of the kernels that are the row's; none where there is no
// such kernel. A row's object file is <source>.cu.o, anywhere below the folder.
std::vector<std::pair<Row*, std::optional<Figures>>> measure_rows(const std::string& cuobjdump,
                                                                  const std::string& folder, Table& table);

}  // namespace kern::sass
