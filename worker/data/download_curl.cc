#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include "worker/data/download.h"

namespace sweep {
namespace {

// Shared by curl's callbacks during one transfer. No exception may cross curl, so a callback stores
// it here and aborts.
struct Transfer {
  int descriptor = -1;
  std::int64_t written = 0;
  std::int64_t max_bytes = 0;
  const std::string* name = nullptr;
  const DownloadProgress* progress = nullptr;
  std::string failure;
  std::exception_ptr thrown;
};

std::size_t WriteBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const std::size_t total = size * count;
  if (transfer->written + static_cast<std::int64_t>(total) > transfer->max_bytes) {
    transfer->failure =
        "larger than the " + std::to_string(transfer->max_bytes) + " bytes that are allowed";
    return 0;
  }
  for (std::size_t done = 0; done < total;) {
    const ssize_t got = ::write(transfer->descriptor, data + done, total - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      transfer->failure = std::string("cannot write: ") + std::strerror(errno);
      return 0;
    }
    done += static_cast<std::size_t>(got);
  }
  transfer->written += static_cast<std::int64_t>(total);
  return total;
}

int ShowProgress(void* user, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  auto* transfer = static_cast<Transfer*>(user);
  if (!*transfer->progress) return 0;
  try {
    (*transfer->progress)(*transfer->name, done, total);
    return 0;
  } catch (...) {
    transfer->thrown = std::current_exception();
    return 1;
  }
}

// A new, empty file. The destructor closes it, and removes it unless Keep was called.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path)
      : path_(path),
        descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) throw DataError("cannot create " + path + ": " + std::strerror(errno));
  }
  ~OutputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!kept_) ::unlink(path_.c_str());
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  int descriptor() const { return descriptor_; }
  void Keep() {
    const bool synced = ::fsync(descriptor_) == 0;
    const int error = errno;
    const bool closed = ::close(std::exchange(descriptor_, -1)) == 0;
    if (!synced || !closed) {
      throw DataError("cannot write " + path_ + ": " + std::strerror(synced ? errno : error));
    }
    kept_ = true;
  }

 private:
  std::string path_;
  int descriptor_;
  bool kept_ = false;
};

using CurlHandle = std::unique_ptr<CURL, void (*)(CURL*)>;

CurlHandle MakeHandle() {
  static std::once_flag once;
  static CURLcode started = CURLE_OK;
  std::call_once(once, [] { started = curl_global_init(CURL_GLOBAL_DEFAULT); });
  CurlHandle handle(started == CURLE_OK ? curl_easy_init() : nullptr, &curl_easy_cleanup);
  if (!handle) throw DataError("libcurl cannot start");
  return handle;
}

void Configure(CURL* curl, const std::string& url, const DownloadLimits& limits, Transfer* transfer,
               char* error_text) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "sweep");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // threads: no SIGALRM for name look-ups
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
  // A mirror must not be able to point at this machine's files.
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, limits.connect_timeout_seconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, limits.min_bytes_per_second);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, limits.slow_seconds);
  curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits.max_bytes));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &WriteBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &ShowProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
}

}  // namespace

bool CanDownload() { return true; }

void DownloadFile(const std::string& url, const std::string& path, const std::string& name,
                  const DownloadProgress& progress, const DownloadLimits& limits) {
  const CurlHandle handle = MakeHandle();
  OutputFile output(path);
  Transfer transfer{.descriptor = output.descriptor(),
                    .max_bytes = limits.max_bytes,
                    .name = &name,
                    .progress = &progress};
  char error_text[CURL_ERROR_SIZE] = "";
  Configure(handle.get(), url, limits, &transfer, error_text);
  const CURLcode result = curl_easy_perform(handle.get());
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  if (!transfer.failure.empty()) throw DataError(transfer.failure);
  if (result != CURLE_OK) {
    throw DataError(error_text[0] != '\0' ? error_text : curl_easy_strerror(result));
  }
  output.Keep();
}

}  // namespace sweep
