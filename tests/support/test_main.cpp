// Every test program: a warning logged in a test fails it, unless a LogCapture expected it; TempDir() is a folder of
// this process alone, for CTest runs many at a time. On the emulated GPU NVIDIA's libraries have stand-ins.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "kernels/common/log.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  kern::set_log_sink([](kern::LogLevel level, const std::string& message) {
    if (level == kern::LogLevel::warning) ADD_FAILURE() << "a warning was logged: " << message;
  });
  const auto folder = std::filesystem::path(::testing::TempDir()) / ("kern_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  setenv("TEST_TMPDIR", folder.c_str(), 1);
#ifdef KERN_FAKE_CUDNN
  setenv("KERN_CUDNN", KERN_FAKE_CUDNN, 0);
  setenv("KERN_CUBLASLT", KERN_FAKE_CUBLASLT, 0);
#endif
  setenv("KERN_TUNE", "off", 0);  // a test that tunes says so, and where to
  setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  const int result = RUN_ALL_TESTS();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return result;
}
