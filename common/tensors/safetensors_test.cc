#include "common/tensors/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

namespace sweep {
namespace {

using ::testing::HasSubstr;

std::string Bytes(std::initializer_list<float> values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), std::data(values), bytes.size());
  return bytes;
}

SafeTensors Example() {
  return {.metadata = {{"epoch", "3"}, {"trial", "s/1"}},
          .tensors = {{"count", "I64", {}, std::string("\x05\0\0\0\0\0\0\0", 8)},
                      {"layers.0.weight", "F32", {3, 1}, Bytes({1, -2, 0.5f})},
                      {"predictions", "U8", {3}, "abc"}}};
}

// A file with this header and `data_bytes` zeros.
std::string File(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\0');
}

std::string ParseFailure(const std::string& bytes) {
  try {
    ParseSafeTensors(bytes, "w.safetensors");
  } catch (const SafeTensorsError& error) {
    return error.what();
  }
  return "";
}

TEST(SafeTensors, WhatIsWrittenIsReadBack) {
  EXPECT_EQ(ParseSafeTensors(SerializeSafeTensors(Example()), "x"), Example());
}

TEST(SafeTensors, HasTheDocumentedLayout) {
  const SafeTensors content{.tensors = {{"w", "F32", {2}, Bytes({1, 2})}}};
  const std::string bytes = SerializeSafeTensors(content);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  const std::string header = R"({"w":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}})";
  EXPECT_EQ(bytes.substr(8, header.size()), header);
  EXPECT_EQ(bytes.substr(8 + header.size(), length - header.size()),
            std::string(length - header.size(), ' '));
  EXPECT_EQ(bytes.substr(8 + length), Bytes({1, 2}));
}

TEST(SafeTensors, WiderElementsComeFirstSoThatAllAreAligned) {
  const SafeTensors content{
      .tensors = {{"bytes", "U8", {3}, "abc"}, {"count", "I64", {1}, std::string(8, '\1')}}};
  const SafeTensors read = ParseSafeTensors(SerializeSafeTensors(content), "x");
  EXPECT_EQ(read.tensors[0].name, "count");
  EXPECT_EQ(*read.Find("bytes"), content.tensors[0]);
  EXPECT_EQ(read.Find("none"), nullptr);
}

TEST(SafeTensors, ATensorOfAWrongSizeIsNotWritten) {
  SafeTensors content = Example();
  content.tensors[1].bytes += "x";
  EXPECT_THROW(SerializeSafeTensors(content), SafeTensorsError);
  content = Example();
  content.tensors.push_back(content.tensors[0]);
  EXPECT_THROW(SerializeSafeTensors(content), SafeTensorsError);
}

TEST(SafeTensors, DamagedFilesAreRefused) {
  EXPECT_THAT(ParseFailure("abc"), HasSubstr("w.safetensors: is too short"));
  const std::string good = SerializeSafeTensors(Example());
  EXPECT_THAT(ParseFailure(good.substr(0, 20)), HasSubstr("truncated"));
  EXPECT_NE(ParseFailure(good.substr(0, good.size() - 1)), "");
  EXPECT_THAT(ParseFailure(good + "x"), HasSubstr("no tensor"));
  EXPECT_THAT(ParseFailure(File("{", 0)), HasSubstr("header"));
  EXPECT_THAT(ParseFailure(File("[]", 0)), HasSubstr("header"));
  EXPECT_THAT(ParseFailure(File("7", 0)), HasSubstr("header"));
  EXPECT_THAT(ParseFailure(File(R"({"w":{"dtype":"F32"}})", 0)), HasSubstr("header"));
}

TEST(SafeTensors, OffsetsThatLieAreRefused) {
  const auto entry = [](const std::string& shape, const std::string& offsets) {
    return "{\"w\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
  };
  EXPECT_EQ(ParseFailure(File(entry("[2]", "[0,8]"), 8)), "");
  EXPECT_NE(ParseFailure(File(entry("[2]", "[0,8]"), 4)), "");
  EXPECT_NE(ParseFailure(File(entry("[3]", "[0,8]"), 8)), "");
  EXPECT_NE(ParseFailure(File(entry("[2]", "[4,12]"), 12)), "");
  EXPECT_NE(ParseFailure(File(entry("[2]", "[-8,0]"), 8)), "");
  EXPECT_NE(ParseFailure(File(entry("[2]", "[0]"), 8)), "");
  EXPECT_NE(ParseFailure(File(entry("[-2]", "[0,8]"), 8)), "");
  EXPECT_NE(ParseFailure(File(entry("[4611686018427387904,4]", "[0,0]"), 0)), "");
}

TEST(SafeTensors, NumbersThatAreNoSizesAreRefused) {
  const auto entry = [](const std::string& shape, const std::string& offsets) {
    return File(
        "{\"w\":{\"dtype\":\"U8\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}", 1);
  };
  ASSERT_EQ(ParseFailure(entry("[1]", "[0,1]")), "");
  for (const char* shape : {"[1.0]", "[1.5]", "[true]", "[null]", "[NaN]", "[-1]", "[1e400]",
                            "[\"1\"]", "[[1]]", "1", "[18446744073709551615]",
                            "[99999999999999999999999]", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"}) {
    EXPECT_NE(ParseFailure(entry(shape, "[0,1]")), "") << shape;
  }
  for (const char* offsets : {"[0.0,1]", "[0,1.0]", "[0,true]", "[0,NaN]",
                              "[0,18446744073709551615]", "[0,1,2]", "[]", "{}", "[1,0]"}) {
    EXPECT_NE(ParseFailure(entry("[1]", offsets)), "") << offsets;
  }
}

TEST(SafeTensors, OverlappingTensorsAndNamesThatComeTwiceAreRefused) {
  const auto tensor = [](const char* name, const char* offsets) {
    return std::string("\"") + name + R"(":{"dtype":"U8","shape":[2],"data_offsets":)" + offsets +
           "}";
  };
  const auto file = [](const std::string& a, const std::string& b) {
    return File("{" + a + "," + b + "}", 4);
  };
  EXPECT_EQ(ParseFailure(file(tensor("a", "[2,4]"), tensor("b", "[0,2]"))), "");
  EXPECT_THAT(ParseFailure(file(tensor("a", "[0,2]"), tensor("b", "[0,2]"))),
              HasSubstr("overlaps"));
  EXPECT_THAT(ParseFailure(file(tensor("a", "[0,2]"), tensor("b", "[1,3]"))),
              HasSubstr("overlaps"));
  EXPECT_THAT(ParseFailure(file(tensor("a", "[0,2]"), tensor("a", "[2,4]"))),
              HasSubstr("'a' comes twice"));
}

TEST(SafeTensors, AnEmptyTensorMayStandBeforeOrAfterAnother) {
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                             R"("c":{"dtype":"U8","shape":[0,7],"data_offsets":[1,1]}})";
  EXPECT_EQ(ParseFailure(File(header, 1)), "");
}

// Each header would take gigabytes if it were believed.
TEST(SafeTensors, AHeaderMadeToExhaustMemoryIsRefused) {
  EXPECT_THAT(ParseFailure(File(std::string(1 << 20, '['), 0)), HasSubstr("nested too deeply"));
  EXPECT_THAT(ParseFailure(File(R"({"w":{"shape":)" + std::string(1 << 20, '['), 0)),
              HasSubstr("nested too deeply"));
  EXPECT_NE(ParseFailure(File(std::string((16 << 20) + 1, ' '), 0)), "");
  std::string bytes(8, '\xFF');
  EXPECT_NE(ParseFailure(bytes + "{}"), "");
  // Ten thousand tensors that all claim the same megabyte.
  std::string header = "{";
  for (int i = 0; i < 10'000; ++i) {
    header += (i ? ",\"t" : "\"t") + std::to_string(i) +
              R"(":{"dtype":"U8","shape":[1048576],"data_offsets":[0,1048576]})";
  }
  EXPECT_THAT(ParseFailure(File(header + "}", 1 << 20)), HasSubstr("overlaps"));
}

TEST(SafeTensors, AFileIsReplacedAsAWhole) {
  std::string folder = (std::filesystem::temp_directory_path() / "safetensors-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/weights.safetensors";
  WriteSafeTensors(path, {.metadata = {{"epoch", "1"}}});
  WriteSafeTensors(path, Example());
  EXPECT_EQ(ReadSafeTensors(path), Example());
  int files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder)) ++files;
  EXPECT_EQ(files, 1);
  std::filesystem::remove_all(folder);
}

TEST(SafeTensors, AMissingFileOrFolderIsNamed) {
  try {
    ReadSafeTensors("/nowhere/w.safetensors");
    FAIL() << "was read";
  } catch (const SafeTensorsError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/w.safetensors: no such file"));
  }
  EXPECT_THROW(WriteSafeTensors("/nowhere/w.safetensors", Example()), SafeTensorsError);
  EXPECT_THROW(ReadSafeTensors(std::filesystem::temp_directory_path().string()), SafeTensorsError);
}

}  // namespace
}  // namespace sweep
