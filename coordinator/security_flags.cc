#include "coordinator/security_flags.h"

#include "common/command_line/options.h"

namespace sweep {

void AddSecurityFlags(CLI::App* app, SecurityOptions* security) {
  app->add_option("--tls-cert", security->tls_certificate,
                  "certificate of this coordinator, and those that signed it; serves with TLS. "
                  "'sweep-coordinator init' makes one")
      ->type_name("FILE");
  app->add_option("--tls-key", security->tls_key, "key of the certificate")->type_name("FILE");
  app->add_option("--tls-client-ca", security->tls_client_ca,
                  "certificate of an authority; only clients and workers with a certificate of its "
                  "may connect")
      ->type_name("FILE");
  app->add_option("--tokens", security->tokens,
                  "who may do what; every call then needs a token. 'sweep-coordinator token add' "
                  "makes one")
      ->type_name("FILE");
  app->add_option("--token-calls", security->calls_per_second,
                  "calls per second that each token may make in the long run; default: no limit")
      ->type_name("N")
      ->check(Positive());
  app->add_flag("--insecure", security->insecure,
                "serve other machines without TLS: whoever reaches this coordinator can do "
                "everything");
}

}  // namespace sweep
