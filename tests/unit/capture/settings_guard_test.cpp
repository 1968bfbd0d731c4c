#include "capture/settings_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "support/temporary_folder.h"

namespace edgejoule::capture {
namespace {

using ::testing::HasSubstr;

class SettingsGuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write(samples, "1");
    write(interval, "7");
  }
  static void write(const std::string& path, const std::string& value) { std::ofstream(path) << value; }
  static std::string read(const std::string& path) {
    std::ifstream file(path);
    std::string value;
    std::getline(file, value);
    return value;
  }
  static bool becomes(const std::string& path, const std::string& value) {
    for (int i = 0; i < 300 && read(path) != value; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return read(path) == value;
  }
  test::TemporaryFolder folder;
  std::string samples = folder.file("samples");
  std::string interval = folder.file("update_interval");
};

TEST_F(SettingsGuardTest, PutsBackWhatWasThere) {
  {
    SettingsGuard guard;
    guard.apply({{samples, "512"}, {interval, "100"}});
    EXPECT_EQ(read(samples), "512");
    EXPECT_EQ(read(interval), "100");
  }
  EXPECT_EQ(read(samples), "1");
  EXPECT_EQ(read(interval), "7");
}

TEST_F(SettingsGuardTest, AllOrNothing) {
  SettingsGuard guard;
  try {
    guard.apply({{samples, "512"}, {folder.file("missing"), "1"}});
    FAIL();
  } catch (const SettingError& error) {
    EXPECT_THAT(error.what(), HasSubstr("missing"));
  }
  EXPECT_EQ(read(samples), "1");
}

TEST_F(SettingsGuardTest, SurvivesEveryWayToDie) {
  for (const int number : {SIGKILL, SIGTERM, SIGINT, SIGSEGV}) {
    const pid_t program = ::fork();
    ASSERT_GE(program, 0);
    if (program == 0) {
      std::signal(number, SIG_DFL);
      SettingsGuard guard;
      guard.apply({{samples, "512"}});
      ::pause();
      ::_exit(0);
    }
    ASSERT_TRUE(becomes(samples, "512"));
    ASSERT_EQ(::kill(program, number), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(program, &status, 0), program);
    EXPECT_TRUE(becomes(samples, "1")) << "signal " << number;
  }
}

}  // namespace
}  // namespace edgejoule::capture
