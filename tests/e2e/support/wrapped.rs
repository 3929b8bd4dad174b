//! The delivered worker with another main module around it.

use crate::support::server::Server;
use crate::support::settings::Settings;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A server on that data whose main module is `main`, which finds the delivered one as `./index.js`.
pub fn start(settings: &Settings, data: &Arc<TempDir>, main: &str) -> Server {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let delivered = std::fs::read_to_string(root.join("workerd.capnp")).unwrap();
    let changed = delivered
        .replacen(
            "  modules = [",
            "  modules = [\n    (name = \"wrapper.js\", esModule = embed \"wrapper.js\"),",
            1,
        )
        .replace("embed \"build/", "embed \"/build/");
    assert!(changed.contains("wrapper.js"));
    std::fs::write(data.path().join("wrapper.js"), main).unwrap();
    let config = data.path().join("wrapped.capnp");
    std::fs::write(&config, changed).unwrap();
    Server::start_with(settings, data, &config)
}
