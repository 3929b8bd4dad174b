//! What the platform knows: the time, randomness and the settings.

use crate::crypto::{IndexKeys, MasterKeys, SigningKeys};
use crate::customer::config::Config;
use crate::customer::usage::DAY_MS;
use crate::edge::auth::{Authenticator, JwksCache};
use crate::edge::reply;
use crate::edge::settings::Settings;
use crate::entropy::Entropy;
use crate::error::{Code, Error, Result};
use crate::shell::task::Settling;
use crate::types::Timestamp;
use js_sys::Reflect;
use std::cell::{OnceCell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

/// The platform's clock. It stands still between two I/O operations.
#[must_use]
pub fn now() -> Timestamp {
    #[allow(clippy::cast_possible_truncation)] // A number of milliseconds is far below 2^53.
    Timestamp::from_millis(js_sys::Date::now() as i64)
}

/// What the work comes to, if it comes to its end in time; it is dropped otherwise.
pub async fn within<T>(deadline_ms: u32, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut over) = (pin!(work), pin!(Settling::after(deadline_ms)));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => over.as_mut().poll(context).map(|_| None),
    })
    .await
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(out: &mut [u8]) -> std::result::Result<JsValue, JsValue>;
}

/// The platform's cryptographically secure generator.
#[derive(Debug)]
pub struct PlatformEntropy;

/// Most bytes that `getRandomValues` gives at once (W3C Web Cryptography section 10.1.1).
const MAX_RANDOM_BYTES: usize = 65_536;

impl Entropy for PlatformEntropy {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        for chunk in out.chunks_mut(MAX_RANDOM_BYTES) {
            get_random_values(chunk).map_err(|_| Error::fault("no entropy"))?;
        }
        Ok(())
    }
}

/// The settings and what was made of them, once per isolate.
pub struct Site {
    /// All settings, valid.
    pub settings: Settings,
    /// The keys that verify credentials.
    pub authenticator: Authenticator,
    /// The issuer's keys as far as they are known.
    pub jwks: RefCell<JwksCache>,
    /// What every customer's object is configured with.
    pub customers: Rc<Config>,
}

thread_local! {
    static SITE: OnceCell<Option<Rc<Site>>> = const { OnceCell::new() };
}

/// The settings, parsed at the isolate's first request.
///
/// # Errors
/// `not_ready` if one is missing or wrong; the log then has named each, once.
pub fn site(env: &Env) -> Result<Rc<Site>> {
    let site = SITE.with(|site| site.get_or_init(|| load(env)).clone());
    site.ok_or_else(|| Error::new(Code::NotReady, "A setting of the service is missing or wrong."))
}

fn load(env: &Env) -> Option<Rc<Site>> {
    let read = |name: &str| {
        Reflect::get(env.as_ref(), &JsValue::from_str(name))
            .ok()?
            .as_string()
    };
    match Settings::parse(read) {
        Ok(settings) => {
            let authenticator = Authenticator::new(&settings);
            let customers = Rc::new(Config {
                index: IndexKeys::derive(settings.index_key.expose()).ok()?,
                limits: settings.rate_limits.clone(),
                max_ttl_secs: settings.tokens.max_ttl_secs,
                erasure_grace_days: settings.erasure_grace_days,
                master_keys: MasterKeys::new(
                    settings
                        .master_keys
                        .iter()
                        .map(|key| (key.kid, *key.key.expose()))
                        .collect(),
                ),
                audit_retention_ms: i64::from(settings.audit_retention_days).saturating_mul(DAY_MS),
                signing: SigningKeys::new(
                    settings
                        .signing_keys
                        .iter()
                        .map(|key| (key.kid.as_str(), key.key.expose())),
                )
                .ok()?,
                render: reply::stored,
            });
            Some(Rc::new(Site {
                settings,
                authenticator,
                jwks: RefCell::default(),
                customers,
            }))
        }
        Err(faults) => {
            for fault in faults {
                let line =
                    serde_json::json!({"event": "setting", "name": fault.name, "detail": fault.detail});
                worker::console_error!("{line}");
            }
            None
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn entropy_fills_more_than_the_platform_gives_at_once() {
        let mut bytes = vec![0; MAX_RANDOM_BYTES + 64];
        PlatformEntropy.fill(&mut bytes).unwrap();
        assert!(
            bytes
                .get(MAX_RANDOM_BYTES..)
                .unwrap()
                .iter()
                .any(|&byte| byte != 0)
        );
    }

    #[wasm_bindgen_test]
    fn the_clock_tells_milliseconds_of_this_century() {
        assert!(now().to_rfc3339().starts_with("20"));
    }
}
