//! Who we are to push services: a key pair of P-256, whose public half each browser is given when it subscribes. A token that is signed by
//! the private half goes with each message. Source: <https://www.rfc-editor.org/rfc/rfc8292>.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

use crate::domain::push::BASE64URL;
use crate::edge::secrets::{SecretError, Secrets};

/// How long a token is good; push services take 24 h at the most.
const LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// A token that ends sooner is made anew.
const REMAINING: SignedDuration = SignedDuration::from_hours(1);

/// Why a text is no key pair. Holds no part of it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeysError {
    /// Nothing was filled in.
    #[error("there is no key pair")]
    Missing,
    /// Something is wrong with what was filled in.
    #[error("the key pair is malformed: {0}")]
    Malformed(&'static str),
}

/// The secret's text.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Text {
    private_key: String,
    public_key: String,
    subject: String,
}

/// A new key pair as the secret's text, and its public key. `subject` says whom a push service may write to: `mailto:…` or `https:…`.
///
/// # Errors
/// When the subject is neither, or the system has no randomness.
pub fn make_keys(subject: &str) -> Result<(String, String), KeysError> {
    let randomness = |_| KeysError::Malformed("there is no randomness for one");
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(randomness)?;
    let private = pair.private_key().as_be_bytes().map_err(randomness)?;
    let public_key = BASE64URL.encode(pair.public_key());
    let text = Text {
        private_key: BASE64URL.encode(private.as_ref()),
        public_key: public_key.clone(),
        subject: subject.to_owned(),
    };
    let text = serde_json::json!(text).to_string();
    Vapid::parse(&text)?;
    Ok((text, public_key))
}

/// A key pair, and the tokens that were signed with it.
pub struct Vapid {
    key: EncodingKey,
    public_key: String,
    subject: String,
    /// By audience, with their ends.
    tokens: Mutex<HashMap<String, (Timestamp, String)>>,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    sub: &'a str,
}

impl Vapid {
    /// Reads the secret's text: `{"private_key", "public_key", "subject"}`, keys in base64url.
    ///
    /// # Errors
    /// Tells a pair that was never made from one that is damaged.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let malformed = KeysError::Malformed;
        let text: Text = serde_json::from_str(text).map_err(|_| malformed("it is not a JSON object of strings"))?;
        if text.private_key.is_empty() && text.public_key.is_empty() {
            return Err(KeysError::Missing);
        }
        let bytes = |key: &str| BASE64URL.decode(key).map_err(|_| malformed("a key is not base64url"));
        let (private, public) = (bytes(&text.private_key)?, bytes(&text.public_key)?);
        let pair = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &private, &public)
            .map_err(|_| malformed("its keys are no pair of P-256"))?;
        let document = pair
            .to_pkcs8v1()
            .map_err(|_| malformed("its private key cannot be used"))?;
        let is_address = ["mailto:", "https:"]
            .iter()
            .any(|scheme| text.subject.starts_with(scheme));
        if !is_address || text.subject.len() > 255 || !text.subject.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed("its subject is no mailto: or https: URL"));
        }
        Ok(Self {
            key: EncodingKey::from_ec_der(document.as_ref()),
            // Without padding, as browsers and headers want it.
            public_key: BASE64URL.encode(public),
            subject: text.subject,
            tokens: Mutex::default(),
        })
    }

    /// What a browser subscribes with (`applicationServerKey`), base64url.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The header for a push service. Tokens are kept: signing one takes longer than everything else. `None` where none can be signed.
    pub(super) fn authorization(&self, audience: &str, now: Timestamp) -> Option<String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, (until, _)| *until > now + REMAINING);
        if !tokens.contains_key(audience) {
            let until = now + LIFETIME;
            let claims = Claims {
                aud: audience,
                exp: until.as_second(),
                sub: &self.subject,
            };
            let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.key).ok()?;
            tokens.insert(audience.to_owned(), (until, token));
        }
        let (_, token) = tokens.get(audience)?;
        Some(format!("vapid t={token}, k={}", self.public_key))
    }
}

/// The key pair where it is kept, a secret. Push is off while it holds none.
#[derive(Clone)]
pub struct PushKeys {
    secrets: Secrets,
    arn: String,
    read: Arc<Mutex<Option<Read>>>,
}

/// What was read last, and what it is.
struct Read {
    text: Option<Arc<str>>,
    vapid: Option<Arc<Vapid>>,
}

impl PushKeys {
    /// The pair in this secret.
    #[must_use]
    pub fn new(secrets: Secrets, arn: String) -> Self {
        Self {
            secrets,
            arn,
            read: Arc::default(),
        }
    }

    /// The pair as it is now; `None` while push is off, which is said once.
    ///
    /// # Errors
    /// When Secrets Manager does not answer.
    pub async fn current(&self) -> Result<Option<Arc<Vapid>>, SecretError> {
        // Boxed, because the type of the SDK's call within a handler is too deep for the compiler.
        let text = match Box::pin(self.secrets.get(&self.arn)).await {
            Ok(text) => Some(text),
            // A secret without any value.
            Err(error) if error.reason == "ResourceNotFoundException" => None,
            Err(error) => return Err(error),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = read.as_ref().filter(|read| read.text == text) {
            return Ok(read.vapid.clone());
        }
        let parsed = text.as_deref().map_or(Err(KeysError::Missing), Vapid::parse);
        match &parsed {
            Ok(_) => {}
            Err(KeysError::Missing) => tracing::info!("push is off: its secret holds no key pair"),
            Err(error) => tracing::warn!(%error, "push is off"),
        }
        let vapid = parsed.ok().map(Arc::new);
        *read = Some(Read {
            text,
            vapid: vapid.clone(),
        });
        Ok(vapid)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::{Value, json};

    use super::*;

    /// Whether a token is signed by the key that goes with it; its claims.
    fn verify(authorization: &str) -> Option<Value> {
        let (token, key) = authorization.strip_prefix("vapid t=")?.split_once(", k=")?;
        let (signed, signature) = token.rsplit_once('.')?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, BASE64URL.decode(key).ok()?);
        key.verify(signed.as_bytes(), &BASE64URL.decode(signature).ok()?).ok()?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&BASE64URL.decode(header).ok()?).ok()?;
        assert_eq!(header, json!({"typ": "JWT", "alg": "ES256"}));
        serde_json::from_slice(&BASE64URL.decode(claims).ok()?).ok()
    }

    #[test]
    fn the_example_of_the_rfc_is_verified_and_ours_alike() {
        // RFC 8292, section 2.4.
        let example = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
        let claims = json!({"aud": "https://push.example.net", "exp": 1_453_523_768, "sub": "mailto:push@example.com"});
        assert_eq!(verify(example), Some(claims));
        assert_eq!(verify(&example.replace("t=e", "t=f")), None);

        let (text, public_key) = make_keys("mailto:push@example.com").unwrap();
        let vapid = Vapid::parse(&text).unwrap();
        let now = Timestamp::from_second(1_782_907_200).unwrap();
        let header = vapid.authorization("https://fcm.googleapis.com", now).unwrap();
        let claims = verify(&header).unwrap();
        assert_eq!(claims["aud"], "https://fcm.googleapis.com");
        assert_eq!(claims["sub"], "mailto:push@example.com");
        assert_eq!(claims["exp"], 1_782_907_200 + 12 * 3_600);
        assert!(header.ends_with(&format!(", k={public_key}")) && !public_key.contains('='));
    }

    #[test]
    fn a_token_is_kept_for_its_push_service_until_it_is_nearly_over() {
        let vapid = Vapid::parse(&make_keys("https://example.com/contact").unwrap().0).unwrap();
        let now = Timestamp::from_second(1_782_907_200).unwrap();
        let token = |audience, hours| {
            vapid
                .authorization(audience, now + SignedDuration::from_hours(hours))
                .unwrap()
        };
        let first = token("https://a.example", 0);
        assert_eq!(first, token("https://a.example", 10));
        assert_ne!(first, token("https://b.example", 0));
        assert_ne!(first, token("https://a.example", 11));
    }

    #[test]
    fn what_is_no_key_pair_is_told_from_what_was_never_filled_in() {
        let parse = |text: &str| Vapid::parse(text).err();
        assert_eq!(parse("{}"), Some(KeysError::Missing));
        let (text, _) = make_keys("mailto:a@example.com").unwrap();
        let (other, _) = make_keys("mailto:a@example.com").unwrap();
        let change = |field: &str, value: &Value| {
            let mut object: Value = serde_json::from_str(&text).unwrap();
            object[field] = value.clone();
            object.to_string()
        };
        let other: Value = serde_json::from_str(&other).unwrap();
        let is_malformed = |text: &str| matches!(parse(text), Some(KeysError::Malformed(_)));
        for text in [
            "",
            &change("public_key", &other["public_key"]),
            &change("private_key", &json!("")),
            &change("public_key", &json!("BA")),
            &change("subject", &json!("someone@example.com")),
            &change("subject", &json!("mailto:a@example.com\r\nX: y")),
        ] {
            assert!(is_malformed(text), "{text}");
        }
        assert!(make_keys("nobody").is_err());
    }
}
