#include "coordinator/store/write_verdict.h"

#include <sqlite3.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sweep {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Every result code that the installed header defines, by name without "SQLITE_".
std::map<std::string, int> CodesOfHeader() {
  const std::string text = ReadAll(SQLITE_HEADER);
  std::map<std::string, int> codes;
  // The primary ones are the list that begins with SQLITE_OK and ends with SQLITE_DONE.
  const std::size_t begin = text.find("#define SQLITE_OK ");
  const std::size_t end = text.find("\n", text.find("#define SQLITE_DONE "));
  const std::string list = text.substr(begin, end - begin);
  const std::regex primary(R"(#define SQLITE_(\w+)\s+(\d+))");
  for (std::sregex_iterator match(list.begin(), list.end(), primary), none; match != none;
       ++match) {
    codes[(*match)[1]] = std::stoi((*match)[2]);
  }
  const std::regex extended(R"(#define SQLITE_(\w+)\s+\(SQLITE_(\w+)\s*\|\s*\((\d+)<<8\)\))");
  for (std::sregex_iterator match(text.begin(), text.end(), extended), none; match != none;
       ++match) {
    if (codes.contains((*match)[2])) {
      codes[(*match)[1]] = codes[(*match)[2]] | (std::stoi((*match)[3]) << 8);
    }
  }
  return codes;
}

TEST(WriteVerdict, DecidesEveryCodeOfTheInstalledSqlite) {
  std::map<std::string, int> table;
  std::set<int> codes;
  for (const WriteVerdictOfCode& entry : WriteVerdicts()) {
    table[entry.name] = entry.code;
    EXPECT_TRUE(codes.insert(entry.code).second) << entry.name << " stands there twice";
  }
  const std::map<std::string, int> header = CodesOfHeader();
  EXPECT_GT(header.size(), 95u);
  for (const auto& [name, code] : header) {
    EXPECT_TRUE(table.contains(name) && table[name] == code) << name << " = " << code;
  }
}

TEST(WriteVerdict, WaitsWhereTheCauseMayPassAndEndsWhereTheDiskIsInDoubt) {
  for (const int code : {SQLITE_FULL, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHMOPEN,
                         SQLITE_IOERR_SHMMAP, SQLITE_BUSY, SQLITE_NOMEM, SQLITE_READONLY_DBMOVED}) {
    for (const int error : {0, ENOSPC, EIO, ENOENT}) {
      EXPECT_EQ(VerdictOfWrite(code, error), WriteVerdict::kWait) << code << " " << error;
    }
  }
  for (const int error : {ENOSPC, EDQUOT, EFBIG, EROFS}) {
    EXPECT_EQ(VerdictOfWrite(SQLITE_IOERR_WRITE, error), WriteVerdict::kWait) << error;
    // The kernel may have dropped the data, whatever the errno.
    EXPECT_EQ(VerdictOfWrite(SQLITE_IOERR_FSYNC, error), WriteVerdict::kEnd) << error;
    EXPECT_EQ(VerdictOfWrite(SQLITE_IOERR_DIR_FSYNC, error), WriteVerdict::kEnd) << error;
  }
  EXPECT_EQ(VerdictOfWrite(SQLITE_IOERR_WRITE, EIO), WriteVerdict::kEnd);
  EXPECT_EQ(VerdictOfWrite(SQLITE_IOERR_WRITE, 0), WriteVerdict::kEnd);
  EXPECT_EQ(VerdictOfWrite(SQLITE_CONSTRAINT_UNIQUE, 0), WriteVerdict::kRefuse);
  EXPECT_EQ(VerdictOfWrite(SQLITE_OK, ENOSPC), WriteVerdict::kNoError);
}

TEST(WriteVerdict, WhatANewerSqliteSaysCountsAsItsPrimaryCode) {
  EXPECT_EQ(VerdictOfWrite(SQLITE_IOERR | (99 << 8), 0), WriteVerdict::kEnd);
  EXPECT_EQ(VerdictOfWrite(SQLITE_BUSY | (99 << 8), 0), WriteVerdict::kWait);
  EXPECT_EQ(VerdictOfWrite(SQLITE_CONSTRAINT | (99 << 8), 0), WriteVerdict::kRefuse);
  EXPECT_EQ(VerdictOfWrite(77, 0), WriteVerdict::kEnd);
}

TEST(WriteVerdict, TheIndexOfTheLogFindsNoRoomWhateverTheSystemsErrorWas) {
  for (const int error : {0, ENOENT, ENOSPC}) {
    EXPECT_TRUE(MeansDiskFull(SQLITE_IOERR_SHMSIZE, error));
    EXPECT_TRUE(MeansDiskFull(SQLITE_FULL, error));
  }
  EXPECT_TRUE(MeansDiskFull(SQLITE_CANTOPEN, ENOSPC));
  EXPECT_TRUE(MeansDiskFull(SQLITE_IOERR_WRITE, EDQUOT));
  EXPECT_FALSE(MeansDiskFull(SQLITE_IOERR_WRITE, EROFS));
  EXPECT_FALSE(MeansDiskFull(SQLITE_IOERR_FSYNC, ENOSPC));
  EXPECT_FALSE(MeansDiskFull(SQLITE_BUSY, 0));
}

// The page has a row per verdict, with the codes in its last cell.
TEST(WriteVerdict, TheDocumentedTableIsThisOne) {
  const std::string text = ReadAll(std::string(SWEEP_SOURCE_DIR) + "/docs/reliability.md");
  const std::map<WriteVerdict, std::string> rows = {{WriteVerdict::kRefuse, "| refuse |"},
                                                    {WriteVerdict::kWait, "| wait |"},
                                                    {WriteVerdict::kWaitForRoom, "| wait or end |"},
                                                    {WriteVerdict::kEnd, "| end |"}};
  for (const auto& [verdict, start] : rows) {
    const std::size_t begin = text.find("\n" + start);
    ASSERT_NE(begin, std::string::npos) << start;
    const std::string row = text.substr(begin, text.find('\n', begin + 1) - begin);
    for (const WriteVerdictOfCode& entry : WriteVerdicts()) {
      const bool named = row.find("`" + std::string(entry.name) + "`") != std::string::npos;
      EXPECT_EQ(named, entry.verdict == verdict) << entry.name << " in row " << start;
    }
  }
}

}  // namespace
}  // namespace sweep
