// Names of files as they lie in a folder. A link to a file keeps its own name there; it is not followed to the file that
// it stands for, whose name is another's affair.
#pragma once
#include <filesystem>

namespace kern::data {

// deep/a.png of data/deep/a.png in data. Both may be absolute or not, and hold dots; nothing is looked up on the disk.
std::filesystem::path name_below(const std::filesystem::path& file, const std::filesystem::path& folder);

// Whether a file, or a link to one, lies in the folder or below it, by whichever way both are named. file need not exist.
bool lies_below(const std::filesystem::path& file, const std::filesystem::path& folder);

}  // namespace kern::data
