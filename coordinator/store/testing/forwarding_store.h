#pragma once

#include <utility>

#include "coordinator/store/store.h"

namespace sweep {

// Forwards every call to another store. Tests derive from it to change single calls.
class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store* store) : Store(&store->files()), store_(store) {}

  void Write(WriteFunction function, Completion done) override {
    store_->Write(std::move(function), std::move(done));
  }
  absl::Status RunRead(const ReadFunction& query) override { return store_->RunRead(query); }
  StoreLoad Load() const override { return store_->Load(); }

 private:
  Store* const store_;
};

}  // namespace sweep
