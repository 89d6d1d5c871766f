#pragma once

#include <google/protobuf/message.h>

namespace sweep::cli {

// Copies what a message of the wire says under the names of a document's fields, those of messages
// that it `extends` too. Times become text, integers of 64 bits without a sign as well, maps lists
// of entries by name, words of enumerations those of the same name. An integer that is 0 on the
// wire is null where the document allows it: it means unknown there. What has another name is left
// alone.
void CopyFacts(const google::protobuf::Message& from, google::protobuf::Message* document);

}  // namespace sweep::cli
