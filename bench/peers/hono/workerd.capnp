# The peer on plain workerd, with the same date and the same storage as workerd.capnp of user-api.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .peer),
    (name = "data", disk = (path = ".data", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8788", http = (), service = "main")],
);

const peer :Workerd.Worker = (
  compatibilityDate = "2026-08-01",
  modules = [(name = "index.js", esModule = embed "build/index.js")],
  durableObjectStorage = (localDisk = "data"),
  durableObjectNamespaces = [
    (className = "CustomerObject", uniqueKey = "bench-peer-hono", enableSql = true),
  ],
  bindings = [
    (name = "CUSTOMERS", durableObjectNamespace = "CustomerObject"),
    (name = "JWT_SECRET", fromEnvironment = "JWT_SECRET"),
    (name = "JWT_ISSUER", fromEnvironment = "JWT_ISSUER"),
    (name = "JWT_AUDIENCE", fromEnvironment = "JWT_AUDIENCE"),
    (name = "JWKS", fromEnvironment = "JWKS"),
    (name = "SERVICE_KEY", fromEnvironment = "SERVICE_KEY"),
    (name = "RATE_LIMITS", fromEnvironment = "RATE_LIMITS"),
    (name = "TIGHT_LIMITS", fromEnvironment = "TIGHT_LIMITS"),
    (name = "GROUP_COMMIT", fromEnvironment = "GROUP_COMMIT"),
  ],
);
