// Where the tests' files lie: goldens, small images, scripts. They are looked for in the checkout that was compiled; on
// another machine the environment variable KERN_SOURCE_DIR names a checkout there (scripts/gpu_check sets it).
#pragma once
#include <string>

namespace kern::testing {

// The path of a file of the checkout, e.g. source_file("tests/models/goldens/unet1d.safetensors"). It need not exist.
std::string source_file(const std::string& relative);
// The same below the build folder.
std::string build_file(const std::string& relative);

}  // namespace kern::testing
