#include "calibration/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "files/io.h"
#include "support/temporary_folder.h"

namespace edgejoule::calibration {
namespace {

JournalHeader header() {
  JournalHeader header;
  header.board = "a board", header.power_mode = "15W", header.rails = "VDD_IN", header.threads = "6";
  return header;
}

Block block(const std::string& name) {
  Block block;
  block.name = name;
  block.joules = 1.0 / 3;
  block.joules_error = 1e-5;
  block.seconds = 2e-3;
  block.executions = 12'345;
  block.attempt = 2;
  block.problem = "a\ttab";
  return block;
}

TEST(Journal, GivesBackWhatWasAppendedToTheBit) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("j");
  {
    Journal journal(path, header(), false);
    EXPECT_FALSE(journal.append(block("one")));
    EXPECT_FALSE(journal.append(WakeUp{1e-4, 1e-6, 3e-4, 120}));
  }
  {
    Journal journal(path, header(), true);
    EXPECT_FALSE(journal.append(block("two")));
  }
  const JournalContent content = read_journal(path);
  EXPECT_EQ(content.header, header());
  ASSERT_EQ(content.blocks.size(), 2U);
  EXPECT_EQ(content.blocks[0].joules, 1.0 / 3);
  EXPECT_EQ(content.blocks[0].executions, 12'345U);
  EXPECT_EQ(content.blocks[0].attempt, 2);
  EXPECT_EQ(content.blocks[0].problem, "a tab");
  EXPECT_EQ(content.blocks[1].name, "two");
  ASSERT_TRUE(content.wake);
  EXPECT_EQ(content.wake->wakes, 120);
}

TEST(Journal, LosesNothingButTheTornLine) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("j");
  {
    Journal journal(path, header(), false);
    for (const char* name : {"one", "two", "three"}) EXPECT_FALSE(journal.append(block(name)));
  }
  const std::string whole(files::read_file(path).text());
  for (const std::size_t cut : {std::size_t{1}, std::size_t{20}, std::size_t{60}}) {
    std::ofstream(path, std::ios::trunc) << whole.substr(0, whole.size() - cut);
    EXPECT_EQ(read_journal(path).blocks.size(), 2U);
    {
      Journal journal(path, header(), true);
      EXPECT_FALSE(journal.append(block("again")));
    }
    const JournalContent content = read_journal(path);
    ASSERT_EQ(content.blocks.size(), 3U);
    EXPECT_EQ(content.blocks[2].name, "again");
  }
}

// What flash cards do to a file: the block of a damaged line is lost, and no other.
TEST(Journal, LosesOnlyTheBlocksWhoseLinesAreDamaged) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("j");
  {
    Journal journal(path, header(), false);
    for (const char* name : {"one", "two", "three"}) {
      Block good = block(name);
      good.problem.clear();
      EXPECT_FALSE(journal.append(good));
    }
  }
  const std::string whole(files::read_file(path).text());
  const std::size_t second = whole.find("block\ttwo"), third = whole.find("block\tthree");
  const auto with_second = [&](const std::string& what, const std::string& instead) {
    std::string text = whole;
    const std::size_t at = text.find(what, second);
    EXPECT_LT(at, third) << what;
    text.replace(at, what.size(), instead);
    return text;
  };
  std::string holes = whole;
  std::fill_n(holes.begin() + static_cast<std::ptrdiff_t>(second) + 20, 40, '\0');
  for (const std::string& text :
       {with_second("joules=0.3333333333333333", "joules=0.33\t3333333333"),
        with_second("seconds=0.002", "seconds=nan"), with_second("joules=0.3333333333333333", "joules=inf"),
        with_second("attempt=2", "attempt=99999999999999999999"), with_second("executions=12345", "executions=-5"),
        with_second("\texecutions=12345", ""), with_second("block\t", "blOck\t"), holes}) {
    std::ofstream(path, std::ios::trunc) << text;
    const JournalContent content = read_journal(path);
    ASSERT_EQ(content.blocks.size(), 2U) << text.substr(second, third - second);
    EXPECT_EQ(content.blocks[1].name, "three");
    EXPECT_EQ(content.damaged, 1U);
    EXPECT_EQ(content.header, header());
  }
}

TEST(Journal, OfAPowerCutAtItsFirstLineHoldsNothing) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("j");
  for (const char* begun : {"", "edgejoule calib", "edgejoule calibration journal 1\nboard\ta bo"}) {
    std::ofstream(path, std::ios::trunc) << begun;
    EXPECT_TRUE(read_journal(path).blocks.empty());
  }
}

TEST(Journal, SaysWhichBoardOrModeIsAnother) {
  JournalHeader other = header();
  EXPECT_EQ(difference(header(), other), "");
  other.tool_version = "newer";
  EXPECT_EQ(difference(header(), other), "");
  other.power_mode = "7W";
  EXPECT_NE(difference(header(), other).find("mode is '15W', that of this machine '7W'"), std::string::npos);
  other = header();
  other.rail_gating = "off";
  EXPECT_EQ(difference(header(), other), "") << "a journal from before it was noted";
  JournalHeader gated = header();
  gated.rail_gating = "on after 500 ms";
  EXPECT_NE(difference(gated, other).find("rail_gating is 'on after 500 ms', that of this machine 'off'"),
            std::string::npos);
  other = header();
  other.board = "another";
  EXPECT_NE(difference(header(), other).find("board"), std::string::npos);
}

TEST(Journal, RefusesWhatIsNoJournalAndASecondWriter) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("j");
  std::ofstream(path) << "something else\n";
  EXPECT_THROW((void)read_journal(path), JournalError);
  const std::string taken = folder.file("k");
  const Journal journal(taken, header(), false);
  EXPECT_THROW(Journal(taken, header(), true), JournalError);
  EXPECT_THROW(Journal(taken, header(), false), JournalError);
  EXPECT_EQ(read_journal(taken).header, header()) << "a second writer empties nothing";
  EXPECT_THROW(Journal(folder.file("no/such/folder"), header(), false), JournalError);
}

// What found no room waits for the next line, and none is torn.
TEST(Journal, WritesWhatFoundNoRoomOnceThereIsSome) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("j");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  {
    Journal journal(path, header(), false);
    EXPECT_FALSE(journal.append(block("one")));
    const std::size_t room = files::read_file(path).size() + 50;
    const rlimit less{room, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &less), 0);
    const auto problem = journal.append(block("two"));
    const auto again = journal.append(block("three"));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_TRUE(problem);
    EXPECT_NE(problem->find("waits in memory"), std::string::npos);
    EXPECT_FALSE(again) << "said once";
    EXPECT_FALSE(journal.is_whole());
    EXPECT_EQ(read_journal(path).blocks.size(), 1U);
    EXPECT_EQ(files::read_file(path).text().back(), '\n') << "no torn line";
    EXPECT_FALSE(journal.append(block("four")));
    EXPECT_TRUE(journal.is_whole());
  }
  std::signal(SIGXFSZ, handler);
  const JournalContent content = read_journal(path);
  ASSERT_EQ(content.blocks.size(), 4U);
  EXPECT_EQ(content.blocks[1].name, "two");
  EXPECT_EQ(content.damaged, 0U);
}

TEST(Journal, SaysOnceThatTheDiskIsFull) {
  EXPECT_THROW(Journal("/dev/full", header(), false), JournalError);
}

}  // namespace
}  // namespace edgejoule::calibration
