//! How a subcommand fails: one line for a person, and the exit code that a script looks at.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// Why a subcommand did not do its work. The text says what is wrong and where, and never holds a secret.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The call itself is wrong: exit code 2, as clap has it.
    Usage(String),
    /// The call is right and could not be carried out: exit code 1.
    Failed(String),
    /// What was to be verified is not what it should be: exit code 3.
    Unsound(String),
}

/// Result with [`Failure`].
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A wrong call.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// A right call that could not be carried out.
    pub fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// Writes the line to stderr and gives the exit code.
    pub fn report(&self) -> ExitCode {
        // Where stderr is closed, the code still tells.
        let _ = writeln!(std::io::stderr().lock(), "error: {self}");
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Unsound(_) => ExitCode::from(3),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) | Self::Unsound(text) => f.write_str(text),
        }
    }
}
