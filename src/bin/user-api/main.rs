//! The native companion of the service: what an operator types. Each subcommand is one file of [`cli`].
//!
//! Contract: results go to stdout and nothing else does; errors go to stderr, in one line, and never hold
//! a secret; secrets come in by file or environment, never by argument, because arguments are seen by
//! every user of the machine. Exit code 2 is a wrong call, 1 a failure, 3 something that
//! does not verify, 0 success.

// Cargo builds every binary of the package for wasm32 too when it builds the tests for it.
#[cfg(not(target_arch = "wasm32"))]
mod cli;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
