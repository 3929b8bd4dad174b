//! The command line: which subcommands there are, and how each one ends.

mod claims;
mod env_file;
mod failure;
mod import;
mod keygen;
mod output;
mod random;
mod rewrap;
mod service;
mod settings;
mod token;
mod token_key;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The companion of the user-api service: makes its secrets, tokens to try it with, and moves
/// customers in.
#[derive(Debug, Parser)]
#[command(name = "user-api", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(import::Args),
    Keygen(keygen::Args),
    Rewrap(rewrap::Args),
    Token(token::Args),
}

/// Runs the subcommand that the arguments name. Clap itself answers `--help`, and wrong usage with code 2.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Import(args) => import::run(&args),
        Command::Keygen(args) => keygen::run(&args),
        Command::Rewrap(args) => rewrap::run(&args),
        Command::Token(args) => token::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
