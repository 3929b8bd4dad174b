//! `user-api token`: one JWT (RFC 7519), as the login service would issue it.

use super::failure::{Failure, Result};
use super::settings::Settings;
use super::token_key::{KeyAlg, public_jwk};
use clap::ValueEnum;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::path::PathBuf;
use user_api::types::CustomerId;

/// Print a token to call the service with, signed as the login service would sign it.
///
/// JWT_SECRET, JWT_ISSUER and JWT_AUDIENCE come from the environment, else from the env file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The claim customerId; `null` for a token that is to be resolved by its e-mail. Left out if not given.
    #[arg(long, value_name = "ID", value_parser = customer)]
    pub(super) customer: Option<Value>,

    /// The claim sub, which is the user [default: a random one].
    #[arg(long, value_name = "USER")]
    pub(super) sub: Option<String>,

    /// The claim email.
    #[arg(long)]
    pub(super) email: Option<String>,

    /// The claim email_verified: true.
    #[arg(long, requires = "email")]
    pub(super) email_verified: bool,

    /// The claim isSuperAdmin: true.
    #[arg(long)]
    pub(super) admin: bool,

    /// The claim scope: names separated by spaces.
    #[arg(long)]
    pub(super) scope: Option<String>,

    /// How long the token lives; 0 or less makes one that has expired. The service refuses tokens that live
    /// longer than its JWT_MAX_TTL_SECONDS (86400).
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 3600,
        allow_hyphen_values = true
    )]
    pub(super) ttl: i64,

    /// The algorithm; all but HS256 need --key-file.
    #[arg(long, value_enum, default_value = "HS256")]
    alg: Alg,

    /// The private key, PKCS#8 in PEM, as `user-api keygen --token-key` makes it.
    #[arg(long, value_name = "PEM")]
    key_file: Option<PathBuf>,

    /// The header kid. With HS256 it chooses among the secrets of JWT_SECRET [default: the first]; with a key
    /// file it must be the kid of the JWK that the service has [default: the key's thumbprint, RFC 7638].
    #[arg(long)]
    kid: Option<String>,

    /// The file with the service's settings [default: .dev.vars, if there is one].
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,

    /// Any claim, its value in JSON; repeatable. Comes last, so it replaces whatever is set above.
    #[arg(long = "claim", value_name = "NAME=JSON", value_parser = claim)]
    pub(super) claims: Vec<(String, Value)>,
}

/// The algorithms that the service accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Alg {
    #[value(name = "HS256")]
    Hs256,
    #[value(name = "RS256")]
    Rs256,
    #[value(name = "ES256")]
    Es256,
    #[value(name = "EdDSA")]
    EdDsa,
}

/// Runs the subcommand.
///
/// # Errors
/// A setting, the key file or a combination of arguments is missing or wrong.
pub fn run(args: &Args) -> Result<()> {
    let settings = Settings::load(args.env_file.as_deref())?;
    let (header, key) = signer(args, &settings)?;
    let claims = super::claims::of(args, &settings)?;
    let token = jsonwebtoken::encode(&header, &claims, &key)
        .map_err(|_| Failure::failed(format!("the key cannot sign with {:?}", header.alg)))?;
    super::output::Output::Stdout.write(&format!("{token}\n"))
}

fn signer(args: &Args, settings: &Settings) -> Result<(Header, EncodingKey)> {
    let alg = match args.alg {
        Alg::Hs256 => return hs256(args, settings),
        Alg::Rs256 => KeyAlg::Rs256,
        Alg::Es256 => KeyAlg::Es256,
        Alg::EdDsa => KeyAlg::EdDsa,
    };
    let path = args.key_file.as_deref().ok_or_else(|| {
        Failure::usage(format!(
            "--alg {:?} needs --key-file, the private key in PEM",
            alg.algorithm()
        ))
    })?;
    let of_file = |what: &dyn std::fmt::Display| Failure::failed(format!("{} {what}", path.display()));
    let pem = std::fs::read(path)
        .map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
    let key = alg.read_pem(&pem).map_err(|failure| of_file(&failure))?;
    let kid = match &args.kid {
        Some(kid) => Some(kid.clone()),
        None => {
            public_jwk(&key, alg, None)
                .map_err(|failure| of_file(&failure))?
                .common
                .key_id
        }
    };
    Ok((header(alg.algorithm(), kid), key))
}

fn hs256(args: &Args, settings: &Settings) -> Result<(Header, EncodingKey)> {
    if args.key_file.is_some() {
        return Err(Failure::usage(
            "--key-file is for RS256, ES256 and EdDSA; HS256 signs with JWT_SECRET",
        ));
    }
    let secret = settings.jwt_secret(args.kid.as_deref())?;
    Ok((
        header(Algorithm::HS256, secret.kid),
        EncodingKey::from_secret(secret.secret.as_bytes()),
    ))
}

fn header(alg: Algorithm, kid: Option<String>) -> Header {
    // `typ` is JWT by default.
    Header {
        kid,
        ..Header::new(alg)
    }
}

fn customer(text: &str) -> std::result::Result<Value, String> {
    match text {
        "null" => Ok(Value::Null),
        _ => CustomerId::parse(text)
            .map(|id| json!(id.as_str()))
            .ok_or_else(|| {
                "a customer id is 1 to 64 of A-Z, a-z, 0-9, `_` and `-`, and starts with a letter or digit"
                    .into()
            }),
    }
}

fn claim(text: &str) -> std::result::Result<(String, Value), String> {
    let (name, json) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("is not NAME=JSON")?;
    let value = serde_json::from_str(json)
        .map_err(|error| format!("the value is not JSON ({error}); a text is written '{name}=\"…\"'"))?;
    Ok((name.to_owned(), value))
}
