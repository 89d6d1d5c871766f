// dashboards/web/src/api.ts against the contract that it is generated from.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "proto/documents/testing/typescript.h"

namespace sweep {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ApiTs, IsWhatTheContractSays) {
  google::protobuf::FileDescriptorSet set;
  ASSERT_TRUE(set.ParseFromString(ReadFile(SWEEP_DOCUMENT_DESCRIPTORS)));
  google::protobuf::DescriptorPool pool;
  const google::protobuf::FileDescriptor* file = nullptr;
  for (const auto& each : set.file()) file = pool.BuildFile(each);  // the last imports the others
  ASSERT_NE(file, nullptr);
  const std::string made = DocumentsAsTypeScript(*file);
  if (std::getenv("SWEEP_UPDATE_GOLDEN") != nullptr) std::ofstream(SWEEP_API_TS) << made;
  EXPECT_EQ(made, ReadFile(SWEEP_API_TS))
      << "SWEEP_UPDATE_GOLDEN=1 build/release/bin/documents_test writes it again";
}

}  // namespace
}  // namespace sweep
