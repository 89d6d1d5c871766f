#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/secrets/authority.h"
#include "common/secrets/secret_file.h"

namespace sweep {

// A folder of its own for a test, gone afterwards.
class SecretsFolder {
 public:
  SecretsFolder() {
    std::string pattern = testing::TempDir() + "secretsXXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~SecretsFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  // Writes a secret, replacing what was there.
  std::string Write(const std::string& name, const std::string& text) const {
    std::filesystem::remove(File(name));
    EXPECT_EQ(WriteNewSecretFile(File(name), text), absl::OkStatus());
    return File(name);
  }
  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  static int Mode(const std::string& path) {
    struct stat info{};
    return stat(path.c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 07777) : -1;
  }

 private:
  std::string path_;
};

// An authority with a server on loopback and a client, as files: ca.crt, server.crt, server.key,
// client.crt, client.key.
class TestAuthority {
 public:
  explicit TestAuthority(absl::Time now = absl::Now()) : now_(now) {
    absl::StatusOr<Authority> made = Authority::Make(now);
    EXPECT_TRUE(made.ok()) << made.status();
    authority_.push_back(*std::move(made));
    folder_.Write("ca.crt", authority().Text()->certificate);
    WriteServer({"localhost", "127.0.0.1", "::1"}, Authority::kIdentityLifetime);
    Write("client", *authority().IssueClient("tester", now));
  }
  const Authority& authority() const { return authority_.front(); }
  std::string File(const std::string& name) const { return folder_.File(name); }
  const SecretsFolder& folder() const { return folder_; }
  void WriteServer(const std::vector<std::string>& hosts, absl::Duration lifetime) {
    Write("server", *authority().IssueServer(hosts, now_, lifetime));
  }
  void Write(const std::string& name, const IssuedIdentity& identity) {
    folder_.Write(name + ".key", identity.key);
    folder_.Write(name + ".crt", identity.certificate);
  }

 private:
  const absl::Time now_;
  SecretsFolder folder_;
  std::vector<Authority> authority_;  // one
};

}  // namespace sweep
