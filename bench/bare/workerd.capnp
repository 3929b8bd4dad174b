# The least worker on plain workerd, with the same date and the same storage as workerd.capnp of user-api.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .bare),
    (name = "data", disk = (path = ".data", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8789", http = (), service = "main")],
);

const bare :Workerd.Worker = (
  compatibilityDate = "2026-08-01",
  modules = [
    (name = "index.js", esModule = embed "build/index.js"),
    (name = "index_bg.wasm", wasm = embed "build/index_bg.wasm"),
  ],
  durableObjectStorage = (localDisk = "data"),
  durableObjectNamespaces = [
    (className = "BareObject", uniqueKey = "bench-bare", enableSql = true),
  ],
  bindings = [(name = "OBJECTS", durableObjectNamespace = "BareObject")],
);
