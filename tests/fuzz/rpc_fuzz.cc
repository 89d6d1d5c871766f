// Random calls to a live coordinator: every method of the contract, with messages that are valid
// (callers are workers with real leases, and people), valid except for one field, made up field by
// field, partly from earlier answers, or broken bytes. The coordinator must answer each with a
// documented status, stay alive, and count correctly afterwards. Prints the share of accepted calls
// of each method.
//
// usage: rpc_fuzz [CALLS [SEED]]       prints the seed; the same seed makes the same messages per
//                                      thread, though not the same interleaving

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "coordinator/api/server.h"
#include "spdlog/spdlog.h"
#include "sweep/v1/blobs.grpc.pb.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "sweep/v1/trials.grpc.pb.h"
#include "sweep/v1/workers.grpc.pb.h"
#include "tests/fuzz/valid_calls.h"
#include "tests/load/raw_call.h"

namespace sweep {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::Reflection;
using testing::AllMethods;
using testing::MethodPath;
using testing::ToBuffer;
using testing::ToText;
using testing::Wait;

constexpr int kThreads = 4;
constexpr std::size_t kMaxWords = 400;
constexpr int kMaxDepth = 4;

constexpr char kSweepText[] =
    "model: cnn-18718\ndataset: {name: synthetic, train: 512, test: 200}\nmethod: random\n"
    "parameters:\n  lr: {min: 0.01, max: 0.3}\nepochs: 3\nrun_cap: 20\nrequire: {accuracy: \">= "
    "0.994\"}\n";

// Words that mean something to the coordinator: some fixed, others taken from its answers.
class Dictionary {
 public:
  Dictionary()
      : words_{"",
               "sweeps/fuzz",
               "sweeps/fuzz/trials/1",
               "sweeps/fuzz/trials/2",
               "workers/a",
               "a",
               "b",
               "fuzz",
               "sweeps/",
               "sweeps/fuzz/trials/0",
               "sweeps/fuzz/trials/99999999999999999999",
               "lr desc",
               "best_accuracy",
               "lr > 0.05 and parameters < 20000",
               "lr > ",
               std::string("name: fuzz\n") + kSweepText,
               std::string("name: other\n") + kSweepText,
               "name: [",
               std::string(64, '0'),
               "\xc3\xa9\xf0\x9f\x98\x80",
               "../../etc/passwd",
               std::string(5000, 'x')} {}

  std::string Pick(std::mt19937_64* random) {
    const std::lock_guard lock(mutex_);
    return words_[(*random)() % words_.size()];
  }

  void Learn(const std::string& word, std::mt19937_64* random) {
    if (word.empty() || word.size() > 200) return;
    const std::lock_guard lock(mutex_);
    if (!known_.insert(word).second) return;
    if (words_.size() < kMaxWords) {
      words_.push_back(word);
    } else {
      words_[22 + (*random)() % (kMaxWords - 22)] = word;
    }
    if (known_.size() > 10 * kMaxWords) known_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> words_;
  std::set<std::string> known_;
};

class MessageMaker {
 public:
  MessageMaker(std::uint64_t seed, Dictionary* dictionary)
      : random_(seed), dictionary_(*dictionary) {}

  std::mt19937_64& random() { return random_; }

  void Fill(Message* message, int depth = 0) {
    const Descriptor* const type = message->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* const field = type->field(i);
      if (random_() % 4 == 0) continue;
      if (!field->is_repeated()) {
        SetField(message, field, depth);
        continue;
      }
      for (std::uint64_t count = random_() % 4; count > 0; --count) SetField(message, field, depth);
    }
  }

  // Changes one field of a valid message.
  void ChangeOne(Message* message) {
    const Descriptor* const type = message->GetDescriptor();
    if (type->field_count() == 0) return;
    const int index = static_cast<int>(random_() % static_cast<unsigned>(type->field_count()));
    const FieldDescriptor* const field = type->field(index);
    message->GetReflection()->ClearField(message, field);
    if (random_() % 4 != 0) SetField(message, field, 0);
  }

  void Learn(const Message& message) {
    const Reflection* const reflection = message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection->ListFields(message, &fields);
    for (const FieldDescriptor* const field : fields) {
      const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
      for (int i = 0; i < count; ++i) {
        if (field->type() == FieldDescriptor::TYPE_STRING) {  // bytes are no text
          dictionary_.Learn(field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                                 : reflection->GetString(message, field),
                            &random_);
        } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
          Learn(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                     : reflection->GetMessage(message, field));
        }
      }
      if (field->full_name() == "sweep.v1.Lease.token")
        Keep(reflection->GetMessage(message, field));
    }
  }

 private:
  std::int64_t Integer() {
    static constexpr std::int64_t kSpecial[] = {0, 1, 2, 3, 16, -1, 1000, INT32_MAX, INT32_MIN};
    if (random_() % 8 == 0) return static_cast<std::int64_t>(random_());
    return kSpecial[random_() % std::size(kSpecial)];
  }

  double Real() {
    static constexpr double kSpecial[] = {0, 0.5, 0.99, 1, -1, 1e300, HUGE_VAL, NAN};
    return kSpecial[random_() % std::size(kSpecial)];
  }

  // Keeps granted tokens: most requests use one, so that reports get past the first check.
  void Keep(const Message& token) {
    if (tokens_.size() < 32) tokens_.emplace_back();
    std::string& slot = tokens_[random_() % tokens_.size()];
    slot = token.SerializeAsString();
  }

  void SetMessage(Message* target, int depth) {
    if (target->GetDescriptor()->name() == "LeaseToken" && !tokens_.empty() && random_() % 8 != 0) {
      target->ParseFromString(tokens_[random_() % tokens_.size()]);
    } else if (depth < kMaxDepth) {
      Fill(target, depth + 1);
    }
  }

  void SetField(Message* message, const FieldDescriptor* field, int depth) {
    const Reflection* const r = message->GetReflection();
    const bool many = field->is_repeated();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32: {
        const auto value = static_cast<std::int32_t>(Integer());
        return many ? r->AddInt32(message, field, value) : r->SetInt32(message, field, value);
      }
      case FieldDescriptor::CPPTYPE_INT64:
        // Small values, since a sweep that has been extended to the limit cannot be extended again.
        if (field->name() == "run_cap" && random_() % 512 != 0) {
          return r->SetInt64(message, field, static_cast<std::int64_t>(random_() % 30) - 5);
        }
        return many ? r->AddInt64(message, field, Integer())
                    : r->SetInt64(message, field, Integer());
      case FieldDescriptor::CPPTYPE_UINT32: {
        const auto value = static_cast<std::uint32_t>(Integer());
        return many ? r->AddUInt32(message, field, value) : r->SetUInt32(message, field, value);
      }
      case FieldDescriptor::CPPTYPE_UINT64: {
        const auto value = static_cast<std::uint64_t>(Integer());
        return many ? r->AddUInt64(message, field, value) : r->SetUInt64(message, field, value);
      }
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return many ? r->AddDouble(message, field, Real()) : r->SetDouble(message, field, Real());
      case FieldDescriptor::CPPTYPE_FLOAT: {
        const auto value = static_cast<float>(Real());
        return many ? r->AddFloat(message, field, value) : r->SetFloat(message, field, value);
      }
      case FieldDescriptor::CPPTYPE_BOOL: {
        // Mostly true, because calls that park only cost time.
        const bool value = field->name() == "no_wait" ? random_() % 50 != 0 : random_() % 2 == 0;
        return many ? r->AddBool(message, field, value) : r->SetBool(message, field, value);
      }
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int value = static_cast<int>(random_() % 7);
        return many ? r->AddEnumValue(message, field, value)
                    : r->SetEnumValue(message, field, value);
      }
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string value = dictionary_.Pick(&random_);
        if (field->name() == "protocol") value = "1";
        return many ? r->AddString(message, field, value) : r->SetString(message, field, value);
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return SetMessage(many ? r->AddMessage(message, field) : r->MutableMessage(message, field),
                          depth);
    }
  }

  std::mt19937_64 random_;
  Dictionary& dictionary_;
  std::vector<std::string> tokens_;
};

bool IsDocumented(const MethodDescriptor& method, grpc::StatusCode code, bool broken) {
  static const std::set<grpc::StatusCode> kDocumented = {grpc::StatusCode::OK,
                                                         grpc::StatusCode::INVALID_ARGUMENT,
                                                         grpc::StatusCode::NOT_FOUND,
                                                         grpc::StatusCode::ALREADY_EXISTS,
                                                         grpc::StatusCode::FAILED_PRECONDITION,
                                                         grpc::StatusCode::RESOURCE_EXHAUSTED,
                                                         grpc::StatusCode::ABORTED,
                                                         grpc::StatusCode::CANCELLED,
                                                         grpc::StatusCode::DEADLINE_EXCEEDED};
  // gRPC's own answers to bytes that are no message.
  const bool refused =
      code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::UNIMPLEMENTED;
  // A filter is refused until the index of its sweep is ready.
  const bool comes_again = method.name() == "GetView" && code == grpc::StatusCode::UNAVAILABLE;
  return kDocumented.contains(code) || comes_again || (broken && refused);
}

// The results of the calls of one method.
struct Tally {
  std::int64_t calls = 0;
  std::int64_t accepted = 0;
  std::map<int, std::int64_t> codes;
};
using Tallies = std::map<std::string, Tally>;

// One thread's calls, one after another.
class Caller {
 public:
  Caller(const std::string& address, int number, std::uint64_t seed, Dictionary* dictionary)
      : stub_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        maker_(seed, dictionary),
        valid_("w" + std::to_string(number), &maker_.random()),
        methods_(AllMethods()) {}

  // False, after a message, when an answer is not a documented one.
  bool CallOnce() {
    const MethodDescriptor* const method = methods_[maker_.random()() % methods_.size()];
    const bool broken = maker_.random()() % 16 == 0;
    bool by_plan = maker_.random()() % 4 != 0;
    Messages messages;
    if (by_plan) messages = valid_.Make(*method);
    by_plan = !messages.empty();
    if (!by_plan) messages = MakeUp(*method);
    if (by_plan && maker_.random()() % 4 == 0) maker_.ChangeOne(messages.front().get());
    last_response_.reset();
    const grpc::Status status = Send(*method, messages, broken);
    // A stream that is still open when its time is over counts as accepted.
    const bool accepted = status.ok() || (method->server_streaming() && last_response_ != nullptr);
    if (by_plan) valid_.Learn(accepted ? last_response_.get() : nullptr);
    Tally& tally = tallies_[method->name()];
    ++tally.calls;
    tally.accepted += accepted;
    ++tally.codes[status.error_code()];
    if (IsDocumented(*method, status.error_code(), broken)) return true;
    std::fprintf(stderr, "%s answered %d: %s\n%s\n", method->full_name().c_str(),
                 status.error_code(), status.error_message().c_str(),
                 messages.front()->ShortDebugString().substr(0, 2000).c_str());
    return false;
  }

  const Tallies& tallies() const { return tallies_; }

 private:
  using Messages = std::vector<std::unique_ptr<Message>>;

  static void* Tag(std::intptr_t number) { return reinterpret_cast<void*>(number); }

  Messages MakeUp(const MethodDescriptor& method) {
    Messages messages;
    const std::uint64_t count = method.client_streaming() ? 1 + maker_.random()() % 3 : 1;
    for (std::uint64_t i = 0; i < count; ++i) {
      Message* const message =
          messages
              .emplace_back(google::protobuf::MessageFactory::generated_factory()
                                ->GetPrototype(method.input_type())
                                ->New())
              .get();
      maker_.Fill(message);
    }
    return messages;
  }

  grpc::Status Send(const MethodDescriptor& method, const Messages& messages, bool broken) {
    grpc::ClientContext context;
    const auto patience = std::chrono::milliseconds(method.server_streaming() ? 30 : 300);
    context.set_deadline(std::chrono::system_clock::now() + patience);
    grpc::CompletionQueue queue;
    const auto call = stub_.PrepareCall(&context, MethodPath(method), &queue);
    call->StartCall(Tag(1));
    bool alive = Wait(&queue);
    for (const std::unique_ptr<Message>& message : messages) {
      if (!alive) break;
      call->Write(ToBuffer(ToBytes(*message, broken)), Tag(2));
      alive = Wait(&queue);
    }
    if (alive) {
      call->WritesDone(Tag(3));
      Wait(&queue);
    }
    ReadAnswers(method, call.get(), &context, &queue);
    grpc::Status status;
    call->Finish(&status, Tag(5));
    Wait(&queue);
    queue.Shutdown();
    return status;
  }

  std::string ToBytes(const Message& message, bool broken) {
    std::string bytes = message.SerializeAsString();
    for (std::size_t i = 0; broken && i < 1 + bytes.size() / 20 && !bytes.empty(); ++i) {
      bytes[maker_.random()() % bytes.size()] = static_cast<char>(maker_.random()());
    }
    return bytes;
  }

  void ReadAnswers(const MethodDescriptor& method, grpc::GenericClientAsyncReaderWriter* call,
                   grpc::ClientContext* context, grpc::CompletionQueue* queue) {
    for (int i = 0; i < 20; ++i) {
      grpc::ByteBuffer buffer;
      call->Read(&buffer, Tag(4));
      if (!Wait(queue)) return;
      std::unique_ptr<Message> response(google::protobuf::MessageFactory::generated_factory()
                                            ->GetPrototype(method.output_type())
                                            ->New());
      if (!response->ParseFromString(ToText(buffer))) continue;
      maker_.Learn(*response);
      last_response_ = std::move(response);
    }
    context->TryCancel();  // a long stream
    grpc::ByteBuffer rest;
    do {
      call->Read(&rest, Tag(4));
    } while (Wait(queue));
  }

  grpc::GenericStub stub_;
  MessageMaker maker_;
  ValidCalls valid_;
  const std::vector<const MethodDescriptor*> methods_;
  std::unique_ptr<Message> last_response_;
  Tallies tallies_;
};

void Print(const Tallies& tallies) {
  Tally all;
  for (const auto& [method, tally] : tallies) {
    std::printf("%-16s %7lld calls, %5.1f %% accepted;", method.c_str(),
                static_cast<long long>(tally.calls),
                100.0 * static_cast<double>(tally.accepted) / static_cast<double>(tally.calls));
    for (const auto& [code, count] : tally.codes) {
      std::printf(" %d: %lld", code, static_cast<long long>(count));
      all.codes[code] += count;
    }
    std::printf("\n");
    all.calls += tally.calls;
    all.accepted += tally.accepted;
  }
  std::printf("%-16s %7lld calls, %5.1f %% accepted;", "all", static_cast<long long>(all.calls),
              100.0 * static_cast<double>(all.accepted) / static_cast<double>(all.calls));
  for (const auto& [code, count] : all.codes) {
    std::printf(" status %d: %lld", code, static_cast<long long>(count));
  }
  std::printf("\n");
}

// True if the coordinator still serves and its numbers are consistent.
bool IsSound(const std::string& address) {
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  const auto sweeps = v1::SweepService::NewStub(channel);
  grpc::ClientContext context;
  v1::ListSweepsRequest request;
  request.set_page_size(1000);
  v1::ListSweepsResponse response;
  const grpc::Status status = sweeps->ListSweeps(&context, request, &response);
  if (!status.ok()) {
    std::fprintf(stderr, "the coordinator is not well: %s\n", status.error_message().c_str());
    return false;
  }
  for (const v1::Sweep& sweep : response.sweeps()) {
    const v1::TrialCounts& counts = sweep.counts();
    const std::int64_t made = counts.pending() + counts.running() + counts.completed() +
                              counts.stopped() + counts.failed() + counts.diverged() +
                              counts.cancelled() + counts.on_hold();
    if (made <= sweep.planned_trials()) continue;
    std::fprintf(stderr, "%s has %lld trials of %lld\n", sweep.name().c_str(),
                 static_cast<long long>(made), static_cast<long long>(sweep.planned_trials()));
    return false;
  }
  return true;
}

int Main(int argc, char** argv) {
  const std::int64_t calls = argc > 1 ? std::atoll(argv[1]) : 2000;
  const std::uint64_t seed =
      argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device()();
  std::printf("%lld calls, seed %llu\n", static_cast<long long>(calls),
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  spdlog::set_level(spdlog::level::critical);
  google::protobuf::SetLogHandler(nullptr);  // it logs every broken message
  const auto server = CoordinatorServer::Start(
      {.listen = "127.0.0.1:0", .database = "", .lease_term = absl::Seconds(3)});
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", std::string(server.status().message()).c_str());
    return 1;
  }
  Dictionary dictionary;
  std::atomic<std::int64_t> left = calls;
  std::atomic<bool> failed = false;
  std::vector<std::unique_ptr<Caller>> callers;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    callers.push_back(std::make_unique<Caller>((*server)->address(), i,
                                               seed + static_cast<std::uint64_t>(i), &dictionary));
    threads.emplace_back([&, caller = callers.back().get()] {
      while (left-- > 0 && !failed) {
        if (!caller->CallOnce()) failed = true;
      }
    });
  }
  threads.clear();  // joins
  Tallies tallies;
  for (const auto& caller : callers) {
    for (const auto& [method, tally] : caller->tallies()) {
      Tally& sum = tallies[method];
      sum.calls += tally.calls;
      sum.accepted += tally.accepted;
      for (const auto& [code, count] : tally.codes) sum.codes[code] += count;
    }
  }
  Print(tallies);
  return failed || !IsSound((*server)->address()) ? 1 : 0;
}

}  // namespace
}  // namespace sweep

int main(int argc, char** argv) { return sweep::Main(argc, argv); }
