//! The access tokens of WhatsApp Business accounts. `waba_accounts.access_token` holds `enc:v1:<key id>:<base64>` (AES-256-GCM, the
//! `waba_id` as associated data, so that no row's token works in another row), or the name or ARN of a secret that is the token. The keys
//! are a ring in Secrets Manager: `{"active": "k1", "k1": "<64 hex digits>", …}`.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::edge::secrets::{SecretError, Secrets};

const PREFIX: &str = "enc:v1:";

/// Why there is no token to send with. Holds no part of any token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The account has none.
    #[error("the account has no access token")]
    Missing,
    /// The column holds the token itself.
    #[error("the account's access token is stored as plain text; `cargo xtask tokens encrypt` encrypts it")]
    Plaintext,
    /// The column holds something that begins like an encrypted token and is none.
    #[error("the account's stored access token is malformed")]
    Malformed,
    /// The ring has no such key.
    #[error("the account's access token is encrypted with the key {0}, which the key ring does not have")]
    UnknownKey(String),
    /// Another key's, another account's, or damaged.
    #[error("the account's access token cannot be decrypted")]
    Undecryptable,
    /// The key ring is not of the documented form.
    #[error("the token key ring is malformed: {0}")]
    Ring(&'static str),
    /// Secrets Manager did not give the ring or the token.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There is no such secret, or we may not read it.
    #[error("the account's access token is a secret that cannot be read: {0}")]
    NoSecret(SecretError),
}

impl TokenError {
    /// Whether nobody has to do anything about the account.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Secret(_) | Self::Ring(_))
    }
}

/// What Secrets Manager says of a secret that is not there, or not for us.
const NO_SECRET: [&str; 2] = ["ResourceNotFoundException", "AccessDeniedException"];

/// The keys that tokens are encrypted with.
pub struct KeyRing {
    active: String,
    keys: BTreeMap<String, RandomizedNonceKey>,
}

impl KeyRing {
    /// Reads the secret's text.
    ///
    /// # Errors
    /// When it is not of the documented form.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let mut texts = read_ring(text)?;
        let active = texts.remove(ACTIVE).ok_or(TokenError::Ring("it names no active key"))?;
        let keys = texts
            .into_iter()
            .map(|(id, digits)| {
                let bytes = hex::decode(digits.trim()).unwrap_or_default();
                let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes)
                    .map_err(|_| TokenError::Ring("a key is not 64 hex digits"))?;
                if id.is_empty() || id.contains(':') {
                    return Err(TokenError::Ring("a key id is empty or holds a colon"));
                }
                Ok((id, key))
            })
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        if !keys.contains_key(&active) {
            return Err(TokenError::Ring("the active key is not among its keys"));
        }
        Ok(Self { active, keys })
    }

    /// The id of the key that tokens are encrypted with now.
    #[must_use]
    pub fn active(&self) -> &str {
        &self.active
    }

    /// The ids of the keys that tokens may still be encrypted with beside the active one.
    pub fn old_keys(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str).filter(|id| *id != self.active)
    }

    /// Encrypts a token for its account's row, with the active key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn encrypt(&self, waba_id: &str, token: &str) -> Result<String, TokenError> {
        let mut sealed = token.as_bytes().to_vec();
        let nonce = self.keys[&self.active]
            .seal_in_place_append_tag(Aad::from(waba_id.as_bytes()), &mut sealed)
            .map_err(|_| TokenError::Undecryptable)?;
        let bytes = [nonce.as_ref().as_slice(), &sealed].concat();
        Ok(format!("{PREFIX}{}:{}", self.active, BASE64_STANDARD.encode(bytes)))
    }

    /// Decrypts what [`Self::encrypt`] made.
    ///
    /// # Errors
    /// Says whether the form, the key or the content is wrong.
    pub fn decrypt(&self, waba_id: &str, stored: &str) -> Result<String, TokenError> {
        let (id, text) = split_stored(stored)?;
        let key = self.keys.get(id).ok_or_else(|| TokenError::UnknownKey(id.to_owned()))?;
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| TokenError::Malformed)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or(TokenError::Malformed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| TokenError::Malformed)?;
        let mut sealed = sealed.to_vec();
        let token = key
            .open_in_place(nonce, Aad::from(waba_id.as_bytes()), &mut sealed)
            .map_err(|_| TokenError::Undecryptable)?;
        String::from_utf8(token.to_vec()).map_err(|_| TokenError::Undecryptable)
    }
}

/// The member of a ring that names a key instead of being one.
const ACTIVE: &str = "active";

fn read_ring(text: &str) -> Result<BTreeMap<String, String>, TokenError> {
    serde_json::from_str(text).map_err(|_| TokenError::Ring("it is not a JSON object of strings"))
}

fn write_ring(texts: &BTreeMap<String, String>) -> String {
    serde_json::json!(texts).to_string()
}

/// The text of a ring with one more key, which is random and active: `k` with the number after the highest.
///
/// # Errors
/// When the text is not of the documented form, or the system has no randomness.
pub fn add_key(text: &str) -> Result<String, TokenError> {
    KeyRing::parse(text)?;
    let mut texts = read_ring(text)?;
    let numbers = texts.keys().filter_map(|id| id.strip_prefix('k')?.parse::<u32>().ok());
    let id = format!("k{}", numbers.max().unwrap_or_default().saturating_add(1));
    let mut key = [0; 32];
    rand::fill(&mut key).map_err(|_| TokenError::Ring("there is no randomness for a new key"))?;
    texts.insert(id.clone(), hex::encode(key));
    texts.insert(ACTIVE.to_owned(), id);
    Ok(write_ring(&texts))
}

/// The text of a ring whose old keys are only those that `is_kept` names.
///
/// # Errors
/// When the text is not of the documented form.
pub fn retire_keys(text: &str, is_kept: impl Fn(&str) -> bool) -> Result<String, TokenError> {
    let ring = KeyRing::parse(text)?;
    let mut texts = read_ring(text)?;
    texts.retain(|id, _| id == ACTIVE || id == ring.active() || is_kept(id));
    Ok(write_ring(&texts))
}

/// The id of the key that a stored token is encrypted with; `None` for what is not encrypted, or malformed.
#[must_use]
pub fn key_of(stored: &str) -> Option<&str> {
    split_stored(stored).ok().map(|(id, _)| id)
}

fn split_stored(stored: &str) -> Result<(&str, &str), TokenError> {
    stored
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once(':'))
        .ok_or(TokenError::Malformed)
}

/// Whether the column holds an encrypted token.
#[must_use]
pub fn is_encrypted(stored: &str) -> bool {
    stored.starts_with(PREFIX)
}

/// Whether the column names a secret: an ARN, or a name with one of the separators that names have and Meta's tokens, letters and digits
/// that begin with `EAA`, have not. What is taken for a name is shown to AWS, so in doubt it is a token.
#[must_use]
pub fn is_secret_name(stored: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    stored.starts_with("arn:aws")
        || (stored.len() <= 128
            && !stored.starts_with("EAA")
            && stored.chars().all(is_name)
            && stored.contains(['/', '-', '_', '.']))
}

/// Resolves stored tokens with the secrets of this environment.
#[derive(Clone)]
pub struct Tokens {
    secrets: Secrets,
    ring_arn: String,
}

impl Tokens {
    /// Tokens whose key ring is the secret `ring_arn`.
    #[must_use]
    pub fn new(secrets: Secrets, ring_arn: String) -> Self {
        Self { secrets, ring_arn }
    }

    /// The token to send with.
    ///
    /// # Errors
    /// Says what the operator has to do.
    pub async fn resolve(&self, waba_id: &str, stored: Option<&str>) -> Result<String, TokenError> {
        let stored = stored.map(str::trim).filter(|stored| !stored.is_empty());
        let stored = stored.ok_or(TokenError::Missing)?;
        if is_encrypted(stored) {
            let ring = KeyRing::parse(&self.secrets.get(&self.ring_arn).await?)?;
            return match ring.decrypt(waba_id, stored) {
                // The ring may have got a new key since it was read.
                Err(TokenError::UnknownKey(_)) => {
                    let ring = KeyRing::parse(&self.secrets.refresh(&self.ring_arn).await?)?;
                    ring.decrypt(waba_id, stored)
                }
                result => result,
            };
        }
        if is_secret_name(stored) {
            return match self.secrets.get(stored).await {
                Ok(token) => Ok(token.trim().to_owned()),
                Err(error) if NO_SECRET.contains(&error.reason.as_str()) => Err(TokenError::NoSecret(error)),
                Err(error) => Err(error.into()),
            };
        }
        Err(TokenError::Plaintext)
    }

    /// Reads a token anew that Graph refused, where it is a secret of its own: somebody may have put another one there. Best effort.
    pub async fn renew(&self, stored: Option<&str>) {
        if let Some(stored) = stored.map(str::trim).filter(|stored| is_secret_name(stored))
            && let Err(error) = self.secrets.refresh(stored).await
        {
            tracing::warn!(%error, "a refused access token could not be read anew");
        }
    }

    /// Reads the key ring ahead of the first request.
    pub async fn warm_up(&self) {
        if let Err(error) = self.secrets.get(&self.ring_arn).await {
            tracing::warn!(%error, "no key ring at start");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(active: &str) -> KeyRing {
        let text = format!(
            r#"{{"active":"{active}","k1":"{}","k2":"{}"}}"#,
            "0a".repeat(32),
            "0b".repeat(32)
        );
        KeyRing::parse(&text).unwrap()
    }

    #[test]
    fn a_token_comes_back_with_any_key_of_the_ring_and_only_for_its_account() {
        let old = ring("k1").encrypt("waba", "EAAtoken").unwrap();
        assert!(old.starts_with("enc:v1:k1:"));
        assert_ne!(old, ring("k1").encrypt("waba", "EAAtoken").unwrap());
        assert_eq!(ring("k2").decrypt("waba", &old).unwrap(), "EAAtoken");
        assert!(matches!(
            ring("k2").decrypt("other", &old),
            Err(TokenError::Undecryptable)
        ));
        let moved = old.replace(":k1:", ":k2:");
        assert!(matches!(
            ring("k2").decrypt("waba", &moved),
            Err(TokenError::Undecryptable)
        ));
        let lost = old.replace(":k1:", ":k9:");
        assert!(matches!(ring("k2").decrypt("waba", &lost), Err(TokenError::UnknownKey(id)) if id == "k9"));
    }

    #[test]
    fn a_ring_gets_the_next_key_and_loses_those_that_nothing_needs() {
        let first = format!(
            r#"{{"active":"k9","k9":"{}","old":"{}"}}"#,
            "0a".repeat(32),
            "0b".repeat(32)
        );
        let stored = KeyRing::parse(&first).unwrap().encrypt("waba", "EAAtoken").unwrap();
        let second = add_key(&first).unwrap();
        let ring = KeyRing::parse(&second).unwrap();
        assert_eq!(ring.active(), "k10");
        assert_eq!(ring.old_keys().collect::<Vec<_>>(), ["k9", "old"]);
        assert_eq!(ring.decrypt("waba", &stored).unwrap(), "EAAtoken");
        assert_eq!(key_of(&ring.encrypt("waba", "EAAtoken").unwrap()), Some("k10"));
        assert_ne!(second, add_key(&first).unwrap(), "a key is random");
        let third = KeyRing::parse(&retire_keys(&second, |id| id == "old").unwrap()).unwrap();
        assert_eq!(
            (third.active(), third.old_keys().collect::<Vec<_>>()),
            ("k10", vec!["old"])
        );
        assert!(add_key("{}").is_err() && retire_keys("{}", |_| true).is_err());
    }

    #[test]
    fn malformed_rings_and_tokens_are_refused_without_being_shown() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"active":"k1"}"#,
            r#"{"active":"k1","k1":"hunter2"}"#,
        ] {
            let error = KeyRing::parse(text).err().unwrap().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        for stored in ["enc:v1:k1", "enc:v1:k1:!", "enc:v1:k1:AAAA"] {
            assert!(
                matches!(ring("k1").decrypt("w", stored), Err(TokenError::Malformed)),
                "{stored}"
            );
        }
    }

    #[test]
    fn a_plain_token_is_never_taken_for_a_secret_name() {
        assert!(is_secret_name(
            "arn:aws:secretsmanager:eu-central-1:1:secret:waba/1-AbCdEf"
        ));
        assert!(is_secret_name("waba/1/token"));
        assert!(!is_secret_name(&format!("EAA{}", "x".repeat(180))));
        assert!(!is_secret_name("EAAB-x"));
        assert!(!is_secret_name("1234|abc"));
        assert!(!is_secret_name("abc def/"));
    }
}
