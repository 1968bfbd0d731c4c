#include "files/io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "support/temporary_folder.h"

namespace edgejoule::files {
namespace {

using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const FileError& error) {
    return error.what();
  }
  return "no error";
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777U;
}

TEST(ReadFile, GivesTheBytesOnAnEightByteBoundary) {
  const TemporaryFolder folder;
  const std::string content("\0one\xFFtwo", 8);
  write_file(folder.file("a"), content);
  const FileBytes bytes = read_file(folder.file("a"));
  EXPECT_EQ(bytes.text(), content);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.span().data()) % 8, 0U);
}

TEST(ReadFile, ReadsEmptyFilesAndFilesThatSayTheyAreEmpty) {
  const TemporaryFolder folder;
  write_file(folder.file("empty"), "");
  EXPECT_EQ(read_file(folder.file("empty")).size(), 0U);
  EXPECT_GT(read_file("/proc/self/status").size(), 0U);
}

TEST(ReadFile, ReadsAPipeToItsEnd) {
  const TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string content(200000, 'x');
  std::thread writer([&] { write_file(pipe, content); });
  const FileBytes bytes = read_file(pipe);
  writer.join();
  EXPECT_EQ(bytes.text(), content);
}

TEST(ReadFile, NamesThePathAndTheNextStep) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { (void)read_file(folder.file("missing.ejt")); }),
              AllOf(HasSubstr("missing.ejt"), HasSubstr("No such file"), HasSubstr("check the path")));
  EXPECT_THAT(error_of([&] { (void)read_file(folder.path()); }), HasSubstr("it is a folder"));
  EXPECT_THAT(error_of([&] { (void)read_file("a\x1b[31m"); }), HasSubstr("\\x1b"));
}

TEST(WriteFile, LeavesNothingButTheFile) {
  const TemporaryFolder folder;
  write_file(folder.file("table.ejt"), "old");
  write_file(folder.file("table.ejt"), "new");
  EXPECT_EQ(read_file(folder.file("table.ejt")).text(), "new");
  EXPECT_THAT(folder.names(), ElementsAre("table.ejt"));
}

TEST(WriteFile, GivesNewFilesTheUsualPermissionsAndKeepsThoseOfOldOnes) {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(0027);
  write_file(folder.file("new"), "x");
  ::umask(mask);
  EXPECT_EQ(mode_of(folder.file("new")), 0640U);
  ASSERT_EQ(::chmod(folder.file("new").c_str(), 0604), 0);
  write_file(folder.file("new"), "y");
  EXPECT_EQ(mode_of(folder.file("new")), 0604U);
}

TEST(WriteFile, FollowsLinks) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "inner");
  std::filesystem::create_symlink("inner/target", folder.path() / "link");
  write_file(folder.file("link"), "through");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "link"));
  EXPECT_EQ(read_file(folder.file("inner/target")).text(), "through");
}

TEST(WriteFile, KeepsTheOldFileWhereTheNewOneDoesNotFit) {
  const TemporaryFolder folder;
  write_file(folder.file("table.ejt"), "old");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 1000;
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = error_of([&] { write_file(folder.file("table.ejt"), std::string(5000, 'n')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_THAT(error, AllOf(HasSubstr("table.ejt"), HasSubstr("too large"), HasSubstr("ulimit -f")));
  EXPECT_EQ(read_file(folder.file("table.ejt")).text(), "old");
  EXPECT_THAT(folder.names(), ElementsAre("table.ejt"));
}

TEST(WriteFile, SaysThatADiskIsFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  EXPECT_THAT(error_of([] { write_file("/dev/full", "x"); }),
              AllOf(HasSubstr("/dev/full"), HasSubstr("free some space")));
}

TEST(WriteFile, NamesAFolderItCannotWriteInto) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { write_file(folder.file("no/such/table.ejt"), "x"); }),
              AllOf(HasSubstr("no/such"), HasSubstr("check the path")));
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere: permissions cannot be tried";
  std::filesystem::create_directory(folder.path() / "locked");
  ASSERT_EQ(::chmod(folder.file("locked").c_str(), 0500), 0);
  EXPECT_THAT(error_of([&] { write_file(folder.file("locked/table.ejt"), "x"); }), HasSubstr("permissions"));
}

TEST(Sha256, AgreesWithTheStandard) {
  // FIPS 180-2, appendix B.1, and the empty message.
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace edgejoule::files
