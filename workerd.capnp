# The release build on plain workerd: self-hosting, end-to-end tests, benchmarks.
# scripts/serve.mjs starts it and overrides the socket's address and the disk's path.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .userApi),
    (name = "data", disk = (path = ".data", writable = true)),
    # The static files that scripts/build-worker.sh gathers.
    (name = "assets", disk = (path = "build/assets")),
    # JWKS_URL is the one address that the worker fetches; an identity provider may well stand on the same network.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")],
);

const userApi :Workerd.Worker = (
  # Not past 2026-08: later dates bring Node.js's timers, whose setTimeout gives an object; `worker` takes a number.
  compatibilityDate = "2026-08-01",
  modules = [
    (name = "index.js", esModule = embed "build/release/index.js"),
    (name = "index_bg.wasm", wasm = embed "build/release/index_bg.wasm"),
  ],

  # A class needs a binding and a namespace here, and the same in wrangler.toml.
  # uniqueKey is part of every object's identity and the name of its folder on disk: it never changes.
  durableObjectStorage = (localDisk = "data"),
  durableObjectNamespaces = [
    (className = "CustomerObject", uniqueKey = "user-api-CustomerObject", enableSql = true),
    (className = "DirectoryObject", uniqueKey = "user-api-DirectoryObject", enableSql = true),
    (className = "OperatorObject", uniqueKey = "user-api-OperatorObject", enableSql = true),
    (className = "KeyVaultObject", uniqueKey = "user-api-KeyVaultObject", enableSql = true),
  ],
  bindings = [
    (name = "CUSTOMERS", durableObjectNamespace = "CustomerObject"),
    (name = "ASSETS", service = "assets"),
    (name = "DIRECTORY", durableObjectNamespace = "DirectoryObject"),
    (name = "OPERATOR", durableObjectNamespace = "OperatorObject"),
    (name = "KEY_VAULT", durableObjectNamespace = "KeyVaultObject"),

    # Settings; one that is unset is null. The list is that of scripts/settings.mjs.
    (name = "ADMIN_CLAIM", fromEnvironment = "ADMIN_CLAIM"),
    (name = "ALLOWED_ORIGINS", fromEnvironment = "ALLOWED_ORIGINS"),
    (name = "AUDIT_RETENTION_DAYS", fromEnvironment = "AUDIT_RETENTION_DAYS"),
    (name = "DIRECTORY_SHARDS", fromEnvironment = "DIRECTORY_SHARDS"),
    (name = "ENVIRONMENT", fromEnvironment = "ENVIRONMENT"),
    (name = "ERASURE_GRACE_DAYS", fromEnvironment = "ERASURE_GRACE_DAYS"),
    (name = "INDEX_KEY", fromEnvironment = "INDEX_KEY"),
    (name = "JWKS", fromEnvironment = "JWKS"),
    (name = "JWKS_URL", fromEnvironment = "JWKS_URL"),
    (name = "JWT_AUDIENCE", fromEnvironment = "JWT_AUDIENCE"),
    (name = "JWT_ISSUER", fromEnvironment = "JWT_ISSUER"),
    (name = "JWT_MAX_TTL_SECONDS", fromEnvironment = "JWT_MAX_TTL_SECONDS"),
    (name = "JWT_SECRET", fromEnvironment = "JWT_SECRET"),
    (name = "LEGACY_API_KEYS", fromEnvironment = "LEGACY_API_KEYS"),
    (name = "MASTER_KEYS", fromEnvironment = "MASTER_KEYS"),
    (name = "OBJECT_DEADLINE_MS", fromEnvironment = "OBJECT_DEADLINE_MS"),
    (name = "RATE_LIMITS", fromEnvironment = "RATE_LIMITS"),
    (name = "RESPONSE_ENCRYPTION", fromEnvironment = "RESPONSE_ENCRYPTION"),
    (name = "SERVICE_API_KEYS", fromEnvironment = "SERVICE_API_KEYS"),
    (name = "SIGNING_KEYS", fromEnvironment = "SIGNING_KEYS"),
    (name = "SUPER_ADMIN_EMAILS", fromEnvironment = "SUPER_ADMIN_EMAILS"),
  ],
);
