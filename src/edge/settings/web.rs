//! The forms of the settings that hold URLs and origins.

use super::reader::{Form, list};
use url::{Host, Url};

/// The most origins that may call with credentials.
pub const MAX_ORIGINS: usize = 64;

/// `JWKS_URL`: an https URL without user information and fragment; http only where the host is this machine,
/// because keys that arrive in the clear are keys that anyone on the way may replace.
pub fn jwks_url(text: &str) -> Form<String> {
    let url = Url::parse(text.trim()).map_err(|_| "must be an absolute URL")?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("must have no user information and no fragment".into());
    }
    match url.scheme() {
        "https" => Ok(url.into()),
        "http" if is_loopback(&url) => Ok(url.into()),
        _ => Err("must be https (http only on a loopback host)".into()),
    }
}

/// `ALLOWED_ORIGINS`: a comma list of origins exactly as a browser sends them (RFC 6454 section 6.2): scheme,
/// host in lower case, and the port where it is not the scheme's own. No path, no wildcard, no `null`.
pub fn origins(text: &str) -> Form<Vec<String>> {
    list(text, MAX_ORIGINS, |text| {
        let exact = Url::parse(text).ok().map(|url| url.origin());
        let exact = exact.filter(|origin| origin.is_tuple() && origin.ascii_serialization() == text);
        let web = text.starts_with("https://") || text.starts_with("http://");
        // To a URL parser `*` is a letter like any other; whoever writes it means a wildcard.
        if exact.is_none() || !web || text.contains('*') {
            return Err("must be an exact http(s) origin: scheme://host or scheme://host:port".into());
        }
        Ok(text.to_owned())
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
