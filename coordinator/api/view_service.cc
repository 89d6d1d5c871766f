#include "coordinator/api/view_service.h"

#include <utility>

#include "coordinator/api/reactors.h"

namespace sweep {

grpc::ServerUnaryReactor* ViewService::GetView(grpc::CallbackServerContext* context,
                                               const v1::GetViewRequest* request,
                                               v1::GetViewResponse* response) {
  return RespondFrom(reads_, context, [=, this] {
    absl::StatusOr<ViewAnswer> answer =
        views_->Get({.path = request->path(), .query = request->query()});
    if (!answer.ok()) return answer.status();
    response->set_json(std::move(answer->json));
    response->set_etag(std::move(answer->etag));
    return absl::OkStatus();
  });
}

}  // namespace sweep
