#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace sweep {

// The words of an enumeration of the documents, by number: those of its values in lower case,
// without the enumeration's name in front, or what their option `word` says. Requires numbers
// without gaps from 0 on.
std::vector<std::string> DocumentWords(const google::protobuf::EnumDescriptor& enumeration);

// The keys of a message that is an object, in order.
std::vector<std::string> DocumentKeys(const google::protobuf::Descriptor& message);

}  // namespace sweep
