#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

namespace sweep {

// The messages of documents.proto as TypeScript: dashboards/web/src/api.ts. Requires a file with
// source info, which has the comments.
std::string DocumentsAsTypeScript(const google::protobuf::FileDescriptor& file);

}  // namespace sweep
