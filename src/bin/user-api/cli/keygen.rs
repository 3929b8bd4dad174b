//! `user-api keygen`: every secret that the service needs, or one key pair to sign tokens with.

use super::failure::{Failure, Result};
use super::output::Output;
use super::random;
use super::settings::{KID_FORM, is_kid};
use super::token_key::{KeyAlg, public_jwk};
use clap::ValueEnum;
use std::path::PathBuf;

/// Print a complete set of new secrets for the service, in the form of `.dev.vars`.
///
/// With `--token-key`, print instead a new private key (PKCS#8 PEM) to sign tokens with, as a login service
/// has one: hand it to `user-api token --key-file`, and its public half to the service, as one of the
/// `keys` in the setting JWKS.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the service will run as; in production you fill in the issuer, audience and origins yourself.
    #[arg(long, value_enum, default_value = "development")]
    environment: Environment,

    /// Write to this new file, readable by its owner only, instead of stdout. Nothing is overwritten.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Make a key pair for tokens of this algorithm; its public half, a JWK, goes to stderr.
    #[arg(long, value_name = "ALG", value_enum, conflicts_with = "environment")]
    token_key: Option<KeyAlg>,

    /// The `kid` of that key pair [default: its thumbprint, RFC 7638].
    #[arg(long, requires = "token_key", value_parser = kid)]
    kid: Option<String>,

    /// Write the public half to this new file instead of stderr.
    #[arg(long, value_name = "FILE", requires = "token_key")]
    jwk_out: Option<PathBuf>,
}

/// What the service runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Environment {
    Development,
    Production,
}

/// Runs the subcommand.
///
/// # Errors
/// The random generator fails, or an output exists already or cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let out = Output::open(args.out.as_deref(), Output::Stdout)?;
    let Some(alg) = args.token_key else {
        return out.write(&service_secrets(args.environment)?);
    };
    let jwk_out = Output::open(args.jwk_out.as_deref(), Output::Stderr)?;
    let pem = alg.generate()?;
    let jwk = public_jwk(&alg.read_pem(pem.as_bytes())?, alg, args.kid.as_deref())?;
    let jwk = serde_json::to_string(&jwk)
        .map_err(|error| Failure::failed(format!("cannot write the public key as JSON: {error}")))?;
    jwk_out.write(&format!("{jwk}\n"))?;
    out.write(&pem)
}

fn kid(text: &str) -> std::result::Result<String, String> {
    is_kid(text)
        .then(|| text.to_owned())
        .ok_or_else(|| format!("a kid is {KID_FORM}"))
}

/// The file. Its values hold only `A-Za-z0-9+/=:_-.` and so mean the same to every reader of dotenv files.
fn service_secrets(environment: Environment) -> Result<String> {
    let (name, callers) = match environment {
        Environment::Development => ("development", DEVELOPMENT_CALLERS),
        Environment::Production => ("production", PRODUCTION_CALLERS),
    };
    Ok(format!(
        r#"# Secrets of user-api, made by `user-api keygen`. Whoever has them can read and forge everything:
# keep this file out of version control. Once lost, MASTER_KEYS and INDEX_KEY cannot be made again: keep a
# second copy of them in a safe place, which is not where the backups of the data are.

# development or production. Production demands more: JWT_ISSUER and JWT_AUDIENCE, for one.
ENVIRONMENT="{name}"

# Signs users' tokens with HS256, as kid:secret. To rotate: put a new pair first, drop the old one when the
# last token signed with it has expired. Remove it if your login service signs with its own key (JWKS_URL).
JWT_SECRET="jwt-{jwt_kid}:{jwt}"

{callers}
# What the login service sends as X-Service-Key. To rotate: put a new one first, then drop the old one.
SERVICE_API_KEYS="svc_{service}"

# Seals what is kept for a repetition; later all personal data. As kid:base64(32 bytes). To rotate: put 2:...
# first and keep the old one. Without it nothing that it sealed can be read.
MASTER_KEYS="1:{master}"

# Finds users by their sub and makes API keys. Never changes.
INDEX_KEY="{index}"

# Will sign audit checkpoints, exports and erasure certificates; checked, not used yet. As
# kid:base64(Ed25519 seed). To rotate: put a new pair first and keep the old one, so that what it signed can
# still be verified.
SIGNING_KEYS="sig-{signing_kid}:{signing}"
"#,
        jwt_kid = random::hex::<4>()?,
        jwt = random::base64url::<32>()?,
        service = random::base64url::<32>()?,
        master = random::base64::<32>()?,
        index = random::base64::<32>()?,
        signing_kid = random::hex::<4>()?,
        signing = random::base64::<32>()?,
    ))
}

const DEVELOPMENT_CALLERS: &str = r#"# Who issues tokens, and for whom: the claims iss and aud must be
# these. Names made up for development, which `user-api token` reads from here.
JWT_ISSUER="user-api-dev"
JWT_AUDIENCE="user-api-dev"

# Web pages that may call the service from a browser.
ALLOWED_ORIGINS="http://localhost:8787"
"#;

const PRODUCTION_CALLERS: &str = r#"# Who issues tokens, and for whom: the claims iss and aud must be
# these. Production needs both. Fill in what your login service writes, here or in wrangler.toml.
# JWT_ISSUER="https://login.example.com"
# JWT_AUDIENCE="https://api.example.com"

# Web pages that may call the service from a browser: exact origins, separated by commas.
# ALLOWED_ORIGINS="https://app.example.com"
"#;
