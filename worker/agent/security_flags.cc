#include "worker/agent/security_flags.h"

namespace sweep {

void AddSecurityFlags(CLI::App* app, ChannelSecurity* security) {
  app->add_option("--tls-ca", security->tls_ca,
                  "certificate of the coordinator's authority; uses TLS")
      ->type_name("FILE")
      ->envname("SWEEP_TLS_CA");
  app->add_option("--tls-cert", security->tls_cert, "own certificate, if the coordinator wants one")
      ->type_name("FILE")
      ->envname("SWEEP_TLS_CERT");
  app->add_option("--tls-key", security->tls_key, "key of the own certificate")
      ->type_name("FILE")
      ->envname("SWEEP_TLS_KEY");
  app->add_option("--token-file", security->token_file,
                  "own token, if the coordinator wants one: role worker")
      ->type_name("FILE")
      ->envname("SWEEP_TOKEN_FILE");
}

}  // namespace sweep
