// Compares the wire contract with proto/contract.golden: workers, coordinators and clients of
// different builds talk to each other, so nothing in the contract may ever vanish, move or change.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "sweep/v1/blobs.pb.h"
#include "sweep/v1/callers.pb.h"
#include "sweep/v1/resources.pb.h"
#include "sweep/v1/sweeps.pb.h"
#include "sweep/v1/trials.pb.h"
#include "sweep/v1/views.pb.h"
#include "sweep/v1/workers.pb.h"

namespace sweep {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

using Lines = std::set<std::string>;

std::vector<const FileDescriptor*> Files() {
  return {v1::GetBlobRequest::descriptor()->file(),  v1::Trial::descriptor()->file(),
          v1::GetSweepRequest::descriptor()->file(), v1::GetTrialRequest::descriptor()->file(),
          v1::Lease::descriptor()->file(),           v1::GetViewRequest::descriptor()->file(),
          v1::SuggestedTrial::descriptor()->file()};
}

// "int64", "message sweep.v1.Value", "map<string, string>", "repeated int32".
std::string TypeOf(const FieldDescriptor& field) {
  if (field.is_map()) {
    const Descriptor& entry = *field.message_type();
    return "map<" + TypeOf(*entry.map_key()) + ", " + TypeOf(*entry.map_value()) + ">";
  }
  std::string type = field.is_repeated()            ? "repeated "
                     : field.has_optional_keyword() ? "optional "
                                                    : "";
  type += field.type_name();
  if (field.message_type() != nullptr) type += " " + field.message_type()->full_name();
  if (field.enum_type() != nullptr) type += " " + field.enum_type()->full_name();
  return type;
}

void AddEnum(const EnumDescriptor& enumeration, Lines* lines) {
  for (int i = 0; i < enumeration.value_count(); ++i) {
    const auto& value = *enumeration.value(i);
    lines->insert(enumeration.full_name() + "." + value.name() + " = " +
                  std::to_string(value.number()));
  }
}

void AddMessage(const Descriptor& message, Lines* lines) {
  if (message.options().map_entry()) return;  // included in the field's type
  lines->insert(message.full_name() + " message");
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    std::string line = message.full_name() + "." + field.name() + " = " +
                       std::to_string(field.number()) + " " + TypeOf(field);
    if (field.real_containing_oneof() != nullptr) {
      line += " oneof " + field.real_containing_oneof()->name();
    }
    lines->insert(line);
  }
  for (int i = 0; i < message.enum_type_count(); ++i) AddEnum(*message.enum_type(i), lines);
  for (int i = 0; i < message.nested_type_count(); ++i) AddMessage(*message.nested_type(i), lines);
}

void AddService(const ServiceDescriptor& service, Lines* lines) {
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& method = *service.method(i);
    const auto side = [](bool streams, const Descriptor* type) {
      return "(" + std::string(streams ? "stream " : "") + type->full_name() + ")";
    };
    lines->insert(method.full_name() + " rpc " +
                  side(method.client_streaming(), method.input_type()) + " returns " +
                  side(method.server_streaming(), method.output_type()));
  }
}

Lines ContractOf(const FileDescriptor& file) {
  Lines lines;
  for (int i = 0; i < file.enum_type_count(); ++i) AddEnum(*file.enum_type(i), &lines);
  for (int i = 0; i < file.message_type_count(); ++i) AddMessage(*file.message_type(i), &lines);
  for (int i = 0; i < file.service_count(); ++i) AddService(*file.service(i), &lines);
  return lines;
}

Lines Contract() {
  Lines lines;
  for (const FileDescriptor* file : Files()) lines.merge(ContractOf(*file));
  return lines;
}

Lines ReadGolden() {
  std::ifstream file(SWEEP_CONTRACT_GOLDEN);
  Lines lines;
  for (std::string line; std::getline(file, line);) lines.insert(line);
  return lines;
}

// The lines of `a` that `b` lacks, one per line.
std::string Missing(const Lines& a, const Lines& b) {
  std::vector<std::string> missing;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(missing));
  std::string text;
  for (const std::string& line : missing) text += "  " + line + "\n";
  return text;
}

// Only adds lines: a vanished line stays in the file, so the test keeps failing for it.
void AddToGolden(Lines lines) {
  lines.merge(ReadGolden());
  std::ofstream file(SWEEP_CONTRACT_GOLDEN, std::ios::trunc);
  for (const std::string& line : lines) file << line << "\n";
  ASSERT_TRUE(file.flush()) << "cannot write " << SWEEP_CONTRACT_GOLDEN;
}

TEST(Contract, NothingVanishedMovedOrChanged) {
  const char* update = std::getenv("SWEEP_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") AddToGolden(Contract());
  const Lines golden = ReadGolden();
  ASSERT_FALSE(golden.empty()) << "cannot read " << SWEEP_CONTRACT_GOLDEN;
  EXPECT_EQ(Missing(golden, Contract()), "")
      << "These lines of proto/contract.golden no longer hold; programs of other builds rely on "
         "them. Put the old definition back, or, where nothing can rely on it any more, reserve "
         "its number and name in the .proto file and delete its line by hand.";
  EXPECT_EQ(Missing(Contract(), golden), "")
      << "These lines are new. Add them to proto/contract.golden by running this test with "
         "SWEEP_UPDATE_GOLDEN=1 in the environment, and commit it.";
}

// The documents of proto/sweep/documents are held by the api.ts that is made from them.
TEST(Contract, EveryProtoFileIsLookedAt) {
  std::set<std::string> known, present;
  for (const FileDescriptor* file : Files()) known.insert(file->name());
  const std::filesystem::path root = std::filesystem::path(SWEEP_CONTRACT_GOLDEN).parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(root / "sweep" / "v1")) {
    if (entry.path().extension() != ".proto") continue;
    present.insert(std::filesystem::relative(entry.path(), root).string());
  }
  EXPECT_EQ(present, known);
}

// Checks that the golden file notices changes: each of these edits must change a line.
TEST(Contract, ALineTellsNumberTypeLabelAndOneof) {
  const auto contract_of = [](const std::string& field) {
    google::protobuf::FileDescriptorProto file;
    file.set_name("x.proto");
    file.set_syntax("proto3");
    auto* message = file.add_message_type();
    message->set_name("M");
    auto* added = message->add_field();
    added->set_name("f");
    added->set_number(field == "renumbered" ? 2 : 1);
    added->set_type(field == "retyped" ? google::protobuf::FieldDescriptorProto::TYPE_INT64
                                       : google::protobuf::FieldDescriptorProto::TYPE_INT32);
    added->set_label(field == "repeated" ? google::protobuf::FieldDescriptorProto::LABEL_REPEATED
                                         : google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    if (field == "oneof") {
      message->add_oneof_decl()->set_name("kind");
      added->set_oneof_index(0);
    }
    google::protobuf::DescriptorPool pool;
    return ContractOf(*pool.BuildFile(file));
  };
  EXPECT_EQ(contract_of("as it was"), (Lines{"M message", "M.f = 1 int32"}));
  EXPECT_EQ(contract_of("renumbered"), (Lines{"M message", "M.f = 2 int32"}));
  EXPECT_EQ(contract_of("retyped"), (Lines{"M message", "M.f = 1 int64"}));
  EXPECT_EQ(contract_of("repeated"), (Lines{"M message", "M.f = 1 repeated int32"}));
  EXPECT_EQ(contract_of("oneof"), (Lines{"M message", "M.f = 1 int32 oneof kind"}));
}

TEST(Contract, EnumsBeginWithUnspecified) {
  for (const FileDescriptor* file : Files()) {
    for (int i = 0; i < file->enum_type_count(); ++i) {
      const auto* zero = file->enum_type(i)->FindValueByNumber(0);
      ASSERT_NE(zero, nullptr) << file->enum_type(i)->full_name();
      EXPECT_TRUE(zero->name().ends_with("_UNSPECIFIED")) << zero->full_name();
    }
  }
}

TEST(Contract, EveryRpcHasItsOwnRequestAndResponse) {
  for (const FileDescriptor* file : Files()) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int k = 0; k < file->service(i)->method_count(); ++k) {
        const MethodDescriptor& method = *file->service(i)->method(k);
        EXPECT_EQ(method.input_type()->name(), method.name() + "Request");
        EXPECT_EQ(method.output_type()->name(), method.name() + "Response");
      }
    }
  }
}

// True for a trimmed line of a .proto file that declares a part of the contract.
bool IsDeclaration(const std::string& line) {
  for (const char* word : {"message ", "enum ", "service ", "rpc ", "oneof "}) {
    if (line.starts_with(word)) return true;
  }
  return !line.starts_with("//") && !line.starts_with("syntax") && line.ends_with(";") &&
         line.find(" = ") != std::string::npos;
}

// Generated code carries no comments, so this reads the files.
TEST(Contract, EverythingHasAComment) {
  const std::filesystem::path root = std::filesystem::path(SWEEP_CONTRACT_GOLDEN).parent_path();
  for (const FileDescriptor* file : Files()) {
    std::ifstream stream(root / file->name());
    int declarations = 0, number = 0;
    std::string before;
    for (std::string line; std::getline(stream, line); before = line) {
      ++number;
      line.erase(0, line.find_first_not_of(' '));
      if (!IsDeclaration(line)) continue;
      ++declarations;
      EXPECT_TRUE(before.starts_with("//"))
          << file->name() << ":" << number << ": no comment above: " << line;
    }
    EXPECT_GE(declarations, file->message_type_count()) << file->name() << " was not read";
  }
}

}  // namespace
}  // namespace sweep
