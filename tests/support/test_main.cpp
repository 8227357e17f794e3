// Every test program: a warning logged in a test fails it, unless a LogCapture expected it.
#include <gtest/gtest.h>

#include "kernels/common/log.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  kern::set_log_sink([](kern::LogLevel level, const std::string& message) {
    if (level == kern::LogLevel::warning) ADD_FAILURE() << "a warning was logged: " << message;
  });
  return RUN_ALL_TESTS();
}
