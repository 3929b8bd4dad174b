//! The service's settings as this program finds them: the process environment first, then the env file.

use super::env_file::EnvFile;
use super::failure::{Failure, Result};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the settings of a development service live, for wrangler and for us.
pub const DEFAULT_ENV_FILE: &str = ".dev.vars";

/// RFC 7518 section 3.2: an HS256 key is no shorter than the hash.
const MIN_SECRET_BYTES: usize = 32;

/// Settings by name.
pub struct Settings {
    file: EnvFile,
    path: PathBuf,
    /// The file was not there, which is an error only when it was asked for.
    absent: bool,
}

/// One of the HS256 secrets of `JWT_SECRET`.
#[derive(PartialEq, Eq)]
pub struct JwtSecret {
    /// The `kid` header of tokens signed with it, unless the setting is a bare secret.
    pub kid: Option<String>,
    /// The secret: the text itself, not what it might encode.
    pub secret: String,
}

impl Settings {
    /// Reads the env file: the one asked for, or the default one where it exists.
    ///
    /// # Errors
    /// The file cannot be read, or is not in the form of [`EnvFile`].
    pub fn load(asked_for: Option<&Path>) -> Result<Self> {
        let path = asked_for.unwrap_or(Path::new(DEFAULT_ENV_FILE)).to_owned();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if asked_for.is_none() && error.kind() == ErrorKind::NotFound => {
                return Ok(Self {
                    file: EnvFile::default(),
                    path,
                    absent: true,
                });
            }
            Err(error) => {
                return Err(Failure::failed(format!(
                    "cannot read {}: {error}",
                    path.display()
                )));
            }
        };
        let file = EnvFile::parse(&text).map_err(|fault| {
            Failure::failed(format!("{}, line {}, {}", path.display(), fault.line, fault.what))
        })?;
        Ok(Self {
            file,
            path,
            absent: false,
        })
    }

    /// The value of a setting. A blank one counts as none, as it does for the service.
    ///
    /// # Errors
    /// The value is not text, or cannot be read from the file without doubt.
    pub fn get(&self, name: &str) -> Result<Option<String>> {
        match std::env::var(name) {
            Ok(value) if !value.trim().is_empty() => return Ok(Some(value)),
            Ok(_) | Err(std::env::VarError::NotPresent) => {}
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Failure::failed(format!(
                    "the environment variable {name} is not UTF-8"
                )));
            }
        }
        let value = self.file.get(name).map_err(|fault| {
            Failure::failed(format!(
                "{name} in {}, line {}, {}",
                self.path.display(),
                fault.line,
                fault.what
            ))
        })?;
        Ok(value.filter(|value| !value.trim().is_empty()).map(str::to_owned))
    }

    /// The first entry of a setting that is a comma list.
    ///
    /// # Errors
    /// As [`Settings::get`].
    pub fn first_of(&self, name: &str) -> Result<Option<String>> {
        let value = self.get(name)?.unwrap_or_default();
        Ok(value
            .split(',')
            .map(str::trim)
            .find(|entry| !entry.is_empty())
            .map(str::to_owned))
    }

    /// The first secret of `JWT_SECRET`, or the one of that `kid`.
    ///
    /// # Errors
    /// The setting is missing or malformed, or has no such `kid`.
    pub fn jwt_secret(&self, kid: Option<&str>) -> Result<JwtSecret> {
        let setting = self.get("JWT_SECRET")?.ok_or_else(|| {
            let there = if self.absent {
                " (no such file; `user-api keygen` makes one)"
            } else {
                ""
            };
            let path = self.path.display();
            Failure::failed(format!(
                "JWT_SECRET is neither in the environment nor in {path}{there}"
            ))
        })?;
        let secrets = parse_secrets(&setting).map_err(Failure::failed)?;
        match kid {
            None => secrets.into_iter().next(),
            Some(_) => secrets.into_iter().find(|secret| secret.kid.as_deref() == kid),
        }
        .ok_or_else(|| Failure::usage("--kid: JWT_SECRET has no entry of that kid"))
    }
}

/// A list `kid:secret,kid:secret` where every part starts with a kid and a colon, one bare secret where none
/// does; anything between is a fault, as it is for the service. The errors count entries and do not name
/// them: in a setting that is wrong, what looks like a kid may be secret.
fn parse_secrets(setting: &str) -> std::result::Result<Vec<JwtSecret>, String> {
    let parts: Vec<Option<(&str, &str)>> = setting.split(',').map(|part| split_kid(part.trim())).collect();
    if parts.iter().all(Option::is_none) {
        return Ok(vec![JwtSecret {
            kid: None,
            secret: long_enough(setting.trim(), 1)?,
        }]);
    }
    let mut secrets: Vec<JwtSecret> = Vec::new();
    for (position, part) in (1..).zip(parts) {
        let (kid, secret) =
            part.ok_or_else(|| format!("JWT_SECRET: entry {position} is not kid:secret, as others are"))?;
        if secrets.iter().any(|other| other.kid.as_deref() == Some(kid)) {
            return Err(format!(
                "JWT_SECRET: entry {position} repeats the kid of an earlier one"
            ));
        }
        secrets.push(JwtSecret {
            kid: Some(kid.to_owned()),
            secret: long_enough(secret, position)?,
        });
    }
    Ok(secrets)
}

fn split_kid(part: &str) -> Option<(&str, &str)> {
    part.split_once(':').filter(|(kid, _)| is_kid(kid))
}

fn long_enough(secret: &str, position: usize) -> std::result::Result<String, String> {
    let length = secret.len();
    if length < MIN_SECRET_BYTES {
        return Err(format!(
            "JWT_SECRET: the secret of entry {position} has {length} bytes, and {MIN_SECRET_BYTES} are the \
             least that HS256 may have"
        ));
    }
    Ok(secret.to_owned())
}

/// What [`is_kid`] accepts, for people.
pub const KID_FORM: &str = "1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`";

/// Whether the text can name a key in a setting, where colons and commas separate.
pub fn is_kid(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_bare_secret_has_no_kid_and_a_list_names_each() {
        let bare = parse_secrets(&format!("{LONG},x")).unwrap_or_default();
        assert!(
            bare.first()
                .is_some_and(|one| one.kid.is_none() && one.secret == format!("{LONG},x"))
        );
        let list = parse_secrets(&format!("a:{LONG}, b:{LONG}:x")).unwrap_or_default();
        let kids: Vec<_> = list.iter().filter_map(|one| one.kid.as_deref()).collect();
        assert_eq!(kids, ["a", "b"]);
        let colon = parse_secrets(&format!("not a kid:{LONG},x")).unwrap_or_default();
        assert!(
            colon
                .first()
                .is_some_and(|one| one.kid.is_none() && one.secret.starts_with("not a kid:"))
        );
        assert!(list.last().is_some_and(|one| one.secret == format!("{LONG}:x")));
    }

    #[test]
    fn wrong_secrets_are_refused_without_being_shown() {
        for setting in [
            "hunter2".to_owned(),
            "a:hunter2".to_owned(),
            format!("a:{LONG},hunter2"),
            format!("a:{LONG},a:hunter2{LONG}"),
            format!("a:{LONG},hunter2!:{LONG}"),
            format!("{LONG},a:{LONG}"),
            format!("a:{LONG},"),
        ] {
            let error = parse_secrets(&setting).err().unwrap_or_default();
            assert!(error.starts_with("JWT_SECRET: "), "{setting}: {error}");
            assert!(!error.contains("hunter2") && !error.contains(LONG), "{error}");
        }
    }
}
