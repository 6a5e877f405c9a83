//! Where notifications may be sent: to the push services of browsers, and nowhere else. An endpoint comes from whoever has an account, and
//! our function posts to it.

use url::{Host, Origin, Url};

use crate::domain::send::InvalidField;

/// A longer endpoint is none (bytes).
const LONGEST: usize = 2_048;

/// The push service of Chrome and what is made of it.
const HOSTS: [&str; 1] = ["fcm.googleapis.com"];
/// Hosts below these are push services: of Firefox, Edge and Safari.
const DOMAINS: [&str; 3] = ["push.services.mozilla.com", "notify.windows.com", "push.apple.com"];

/// Where a push service takes messages for one browser. Whoever has it can send there: never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Reads an endpoint as a browser gives it. `extra` is an origin that is allowed besides.
    ///
    /// # Errors
    /// When it does not lead to a known push service.
    pub fn parse(text: &str, extra: Option<&Origin>) -> Result<Self, InvalidField> {
        let refuse = |problem: &str| Err(InvalidField::new("endpoint", problem));
        if text.len() > LONGEST {
            return refuse("must have at most 2,048 characters");
        }
        // The parser takes tabs, line ends and spaces out, and reads a backslash as a slash.
        if text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'\\') {
            return refuse("must be an https URL");
        }
        let Ok(url) = Url::parse(text) else {
            return refuse("must be an https URL");
        };
        // The parser takes one slash or three for two.
        let Some(rest) = text[url.scheme().len()..].strip_prefix("://") else {
            return refuse("must be an https URL");
        };
        // An empty name is none to the parser.
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() || authority.contains('@') {
            return refuse("must name no user");
        }
        if url.fragment().is_some() || url.as_str().len() > LONGEST {
            return refuse("must be as the browser gives it");
        }
        if extra == Some(&url.origin()) {
            return Ok(Self(url));
        }
        // 443 is left out of a URL that was parsed.
        if url.scheme() != "https" || url.port().is_some() {
            return refuse("must be an https URL with no other port than 443");
        }
        match url.host() {
            Some(Host::Domain(host)) if is_push_service(host) => Ok(Self(url)),
            _ => refuse("must lead to the push service of a browser"),
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The push service, which may be logged and shown.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whom a VAPID token is for: `https://fcm.googleapis.com`.
    #[must_use]
    pub fn audience(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

fn is_push_service(host: &str) -> bool {
    let is_below = |domain: &&str| {
        host.strip_suffix(*domain)
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|name| !name.is_empty())
    };
    HOSTS.contains(&host) || DOMAINS.iter().any(is_below)
}

/// The host of an endpoint that is stored.
#[must_use]
pub fn host_of(endpoint: &str) -> Option<String> {
    Some(Url::parse(endpoint).ok()?.host_str()?.to_owned())
}

/// Reads an origin such as `http://127.0.0.1:4400`; `None` for what is none, or more than one.
#[must_use]
pub fn parse_origin(text: &str) -> Option<Origin> {
    let origin = Url::parse(text).ok()?.origin();
    (origin.ascii_serialization() == text.trim_end_matches('/')).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_browsers_are_taken() {
        for endpoint in [
            "https://fcm.googleapis.com/fcm/send/abc:def-123_x",
            "https://fcm.googleapis.com:443/wp/abc",
            "https://FCM.googleapis.com/wp/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA==",
            "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2b",
            "https://web.push.apple.com/QGuQyavXutnMH",
            "https://fcm.googleapis.com/wp/a@b",
        ] {
            assert!(Endpoint::parse(endpoint, None).is_ok(), "{endpoint}");
        }
        let endpoint = Endpoint::parse("https://FCM.googleapis.com:443/wp/abc", None)
            .ok()
            .unwrap();
        assert_eq!(endpoint.as_str(), "https://fcm.googleapis.com/wp/abc");
        assert_eq!(endpoint.host(), "fcm.googleapis.com");
        assert_eq!(endpoint.audience(), "https://fcm.googleapis.com");
    }

    #[test]
    fn nothing_else_is_ever_asked() {
        let long = format!("https://fcm.googleapis.com/{}", "a".repeat(2_048));
        for endpoint in [
            "",
            "fcm.googleapis.com/wp/abc",
            "http://fcm.googleapis.com/wp/abc",
            "ftp://fcm.googleapis.com/wp/abc",
            "file:///etc/passwd",
            "data:text/plain,fcm.googleapis.com",
            "https://fcm.googleapis.com:8443/wp/abc",
            "https://fcm.googleapis.com:80/wp/abc",
            "https://fcm.googleapis.com./wp/abc",
            "https://.fcm.googleapis.com/wp/abc",
            "https://evil.fcm.googleapis.com/wp/abc",
            "https://fcm.googleapis.com.evil.example/wp/abc",
            "https://evilfcm.googleapis.com/wp/abc",
            "https://fcm.googleapis.com@evil.example/wp/abc",
            "https://user@fcm.googleapis.com/wp/abc",
            "https://:password@fcm.googleapis.com/wp/abc",
            "https://@fcm.googleapis.com/wp/abc",
            "https:/user@fcm.googleapis.com/wp/abc",
            "https:user@fcm.googleapis.com/wp/abc",
            "https:///user@fcm.googleapis.com/wp/abc",
            "https:/@fcm.googleapis.com/x://y",
            "https://evil.example\\@fcm.googleapis.com/wp/abc",
            "https://evil.example#fcm.googleapis.com",
            "https://evil.example?fcm.googleapis.com",
            "https://evil.example/fcm.googleapis.com",
            "https://fcm.googleapis.com/wp/abc#x",
            "https://fcm.googleapis\u{3002}com/wp/abc",
            "https://\u{ff46}cm.googleapis.com/wp/abc",
            "https://xn--fcm-googleapis.com/wp/abc",
            "https://fcm.google\tapis.com/wp/abc",
            " https://fcm.googleapis.com/wp/abc",
            "https://fcm.googleapis.com/wp/abc\n",
            "https:fcm.googleapis.com.evil.example",
            "https://googleapis.com/wp/abc",
            "https://storage.googleapis.com/wp/abc",
            "https://push.services.mozilla.com/wpush",
            "https://evilpush.services.mozilla.com/wpush",
            "https://updates.push.services.mozilla.com./wpush",
            "https://updates.push.services.mozilla.com.evil.example/wpush",
            "https://notify.windows.com/w",
            "https://evilnotify.windows.com/w",
            "https://push.apple.com/x",
            "https://.push.apple.com/x",
            "https://web-push.apple.com/x",
            "https://web.push.apple.com.attacker.example/x",
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://[::1]/x",
            "https://[::ffff:169.254.169.254]/x",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/x",
            "http://127.0.0.1:4400/push/x",
            long.as_str(),
        ] {
            let refused = Endpoint::parse(endpoint, None).err();
            assert_eq!(refused.map(|it| it.field).as_deref(), Some("endpoint"), "{endpoint}");
        }
    }

    #[test]
    fn one_other_origin_can_be_allowed_and_no_second() {
        let origin = parse_origin("http://127.0.0.1:4400").unwrap();
        let is_taken = |endpoint| Endpoint::parse(endpoint, Some(&origin)).is_ok();
        assert!(is_taken("http://127.0.0.1:4400/push/x") && is_taken("https://fcm.googleapis.com/x"));
        for other in [
            "http://127.0.0.1:4401/push/x",
            "https://127.0.0.1:4400/x",
            "http://localhost:4400/x",
        ] {
            assert!(!is_taken(other), "{other}");
        }
        for none in ["127.0.0.1:4400", "http://127.0.0.1:4400/push", "data:x", "*"] {
            assert!(parse_origin(none).is_none(), "{none}");
        }
    }
}
