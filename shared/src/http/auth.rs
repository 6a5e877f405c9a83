//! Who asks: Supabase's access tokens, verified here because API Gateway's own authorizer knows RSA only.
//! Source: <https://supabase.com/docs/guides/auth/jwts>.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::RETRY_AFTER;
use super::error::ApiError;
use super::extract::Parameters;
use crate::config::{self, ConfigError};
use crate::edge::secrets::Secrets;

/// How long published keys are used before they are asked for again; a key that was removed is dropped then.
const KEYS_TTL: Duration = Duration::from_mins(10);
/// How soon a token with an unknown key may make us ask again.
const KEYS_RETRY: Duration = Duration::from_mins(1);
const KEYS_DEADLINE: Duration = Duration::from_secs(3);
/// Clocks differ (seconds).
const LEEWAY: u64 = 30;
/// The audience and the role of a signed-in user. `anon` and `service_role` are tokens of the same secret.
const AUTHENTICATED: &str = "authenticated";

/// The agent whom a valid token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// The token's `sub`.
    pub user_id: Uuid,
}

/// Verifies tokens of one Supabase project.
#[derive(Clone)]
pub struct Authenticator {
    inner: Arc<Inner>,
}

struct Inner {
    issuer: String,
    jwks_url: String,
    http: reqwest::Client,
    keys: Mutex<Keys>,
    legacy: Option<Legacy>,
}

/// Where the legacy HS256 secret comes from.
enum Legacy {
    Fixed(String),
    Secret { secrets: Secrets, arn: String },
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, (Algorithm, DecodingKey)>,
    fetched_at: Option<Instant>,
    tried_at: Option<Instant>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    role: Option<String>,
}

impl Authenticator {
    /// Reads `AUTH_ISSUER`, `AUTH_JWKS_URL` and `AUTH_SECRET_ARN`.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    pub fn from_env(secrets: &Secrets) -> Result<Self, ConfigError> {
        let issuer = config::required("AUTH_ISSUER")?;
        let legacy = config::optional("AUTH_SECRET_ARN").map(|arn| Legacy::Secret {
            secrets: secrets.clone(),
            arn,
        });
        Self::build(issuer, config::optional("AUTH_JWKS_URL"), legacy)
    }

    /// An authenticator of `issuer`; HS256 only with `legacy_secret`.
    ///
    /// # Errors
    /// When a URL is malformed.
    pub fn new(issuer: &str, jwks_url: Option<&str>, legacy_secret: Option<&str>) -> Result<Self, ConfigError> {
        let legacy = legacy_secret.map(|secret| Legacy::Fixed(secret.to_owned()));
        Self::build(issuer.to_owned(), jwks_url.map(str::to_owned), legacy)
    }

    fn build(issuer: String, jwks_url: Option<String>, legacy: Option<Legacy>) -> Result<Self, ConfigError> {
        let jwks_url = jwks_url.unwrap_or_else(|| format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/')));
        if reqwest::Url::parse(&jwks_url).is_err() {
            return Err(ConfigError::new(
                "AUTH_ISSUER",
                "must be a URL (https://<project>.supabase.co/auth/v1)",
            ));
        }
        let http = reqwest::Client::builder()
            .timeout(KEYS_DEADLINE)
            .build()
            .map_err(|error| ConfigError::new("AUTH_JWKS_URL", error.to_string()))?;
        Ok(Self {
            inner: Arc::new(Inner {
                issuer,
                jwks_url,
                http,
                keys: Mutex::default(),
                legacy,
            }),
        })
    }

    /// The agent of an access token.
    ///
    /// # Errors
    /// 401 where the token is not good; 503 where the keys to judge it cannot be had.
    pub async fn verify(&self, token: &str) -> Result<Agent, ApiError> {
        const INVALID: ApiError = ApiError::Unauthorized("the access token is not valid");
        let header = decode_header(token).map_err(|_| INVALID)?;
        // The token only says where to look; how it is verified is the key's affair.
        let (algorithm, key) = match (&header.kid, header.alg) {
            (_, Algorithm::HS256) => (Algorithm::HS256, self.legacy_key().await?.ok_or(INVALID)?),
            (Some(id), _) => self.published_key(id).await?.ok_or(INVALID)?,
            (None, _) => return Err(INVALID),
        };
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_audience(&[AUTHENTICATED]);
        validation.set_issuer(&[&self.inner.issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        let claims = decode::<Claims>(token, &key, &validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => ApiError::Unauthorized("the access token has expired"),
                _ => INVALID,
            })?
            .claims;
        if claims.role.as_deref() != Some(AUTHENTICATED) {
            return Err(INVALID);
        }
        let user_id = Uuid::try_parse(&claims.sub).map_err(|_| INVALID)?;
        Ok(Agent { user_id })
    }

    async fn legacy_key(&self) -> Result<Option<DecodingKey>, ApiError> {
        #[derive(Deserialize)]
        struct Stored {
            jwt_secret: String,
        }
        let secret = match &self.inner.legacy {
            None => return Ok(None),
            Some(Legacy::Fixed(secret)) => secret.clone(),
            Some(Legacy::Secret { secrets, arn }) => {
                let text = secrets
                    .get(arn)
                    .await
                    .map_err(|error| ApiError::Unavailable(error.to_string()))?;
                serde_json::from_str::<Stored>(&text)
                    .map_or_else(|_| text.trim().to_owned(), |stored| stored.jwt_secret)
            }
        };
        // An empty secret would verify anybody's token.
        Ok((!secret.is_empty()).then(|| DecodingKey::from_secret(secret.as_bytes())))
    }

    async fn published_key(&self, id: &str) -> Result<Option<(Algorithm, DecodingKey)>, ApiError> {
        let mut keys = self.inner.keys.lock().await;
        let younger = |at: Option<Instant>, age| at.is_some_and(|at| at.elapsed() < age);
        let fresh = younger(keys.fetched_at, KEYS_TTL) && keys.by_id.contains_key(id);
        // Without any key nobody is served, and every client was told when to come again.
        let retry = keys.fetched_at.map_or(RETRY_AFTER, |_| KEYS_RETRY);
        if !fresh && !younger(keys.tried_at, retry) {
            keys.tried_at = Some(Instant::now());
            match self.fetch_keys().await {
                Ok(by_id) => {
                    keys.by_id = by_id;
                    keys.fetched_at = Some(Instant::now());
                }
                Err(error) => {
                    tracing::warn!(
                        error = error.without_url().to_string(),
                        "the issuer's keys cannot be read"
                    );
                }
            }
        }
        if keys.fetched_at.is_none() {
            return Err(ApiError::Unavailable("the issuer's keys cannot be read".to_owned()));
        }
        Ok(keys.by_id.get(id).cloned())
    }

    /// Makes the published keys older than they are: a test does not wait for ten minutes.
    #[cfg(feature = "testing")]
    pub async fn age_keys(&self, by: Duration) {
        let mut keys = self.inner.keys.lock().await;
        keys.fetched_at = keys.fetched_at.and_then(|at| at.checked_sub(by));
        keys.tried_at = keys.tried_at.and_then(|at| at.checked_sub(by));
    }

    async fn fetch_keys(&self) -> Result<HashMap<String, (Algorithm, DecodingKey)>, reqwest::Error> {
        let request = self.inner.http.get(&self.inner.jwks_url);
        let answer = request.send().await?.error_for_status()?;
        let set: JwkSet = answer.json().await?;
        Ok(set.keys.iter().filter_map(usable_key).collect())
    }
}

/// A published key with the one algorithm it may be used with. Symmetric keys have no business in a published set.
fn usable_key(jwk: &Jwk) -> Option<(String, (Algorithm, DecodingKey))> {
    let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        _ => return None,
    };
    let declared = jwk.common.key_algorithm.map(|declared| declared.to_string());
    let agrees = declared.is_none_or(|declared| declared == format!("{algorithm:?}"));
    let key = DecodingKey::from_jwk(jwk).ok()?;
    (for_signatures && agrees).then_some((jwk.common.key_id.clone()?, (algorithm, key)))
}

impl<S> FromRequestParts<S> for Agent
where
    S: Send + Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = ApiError;

    /// Also holds the rule that `user_id` in a query, where it is given, is the agent's own.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let token = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(ApiError::Unauthorized(
                "an Authorization header with a Bearer token is required",
            ))?;
        let agent = Authenticator::from_ref(state).verify(token).await?;
        let parameters = Parameters::from_request_parts(parts, state).await?;
        match parameters.get("user_id").map(Uuid::try_parse) {
            Some(Ok(id)) if id == agent.user_id => Ok(agent),
            None => Ok(agent),
            Some(_) => Err(ApiError::Forbidden("user_id is not the token's user")),
        }
    }
}
