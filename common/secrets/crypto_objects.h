#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

// Owners of libcrypto's objects, and reading them from PEM. Only for the sources of this folder.
namespace sweep::crypto {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

inline Bio Open(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// The first certificate in a text; null when there is none.
inline Certificate ReadCertificate(const std::string& text) {
  return Certificate(PEM_read_bio_X509(Open(text).get(), nullptr, nullptr, nullptr));
}

// OpenSSL itself would ask for the passphrase of an encrypted key on the terminal.
inline int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return -1;
}

// The first key in a text; null when there is none, or none without a passphrase.
inline Key ReadKey(const std::string& text) {
  return Key(PEM_read_bio_PrivateKey(Open(text).get(), nullptr, NoPassphrase, nullptr));
}

}  // namespace sweep::crypto
