//! What the issuer of the agents' access tokens publishes: two keys whose private halves nobody has. A token that names one of them is forged,
//! and one that names another key is unknown, as with a real issuer.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

const KEYS: &str = r#"{"keys": [
    {"kty": "RSA", "kid": "rsa", "alg": "RS256", "use": "sig", "e": "AQAB", "n": "icu6-h2kBRPYXMlL1_KFgudZTJZfRPkOiE9R3kvHiYbbMzbDPDyabAcSSp1an3Apmwd4B6tFoawGDXEH5j13rFXr9EhpW3WS6Nq-mjDWhC_S9k17FgoEvxWf7ylYmmRGHUTCHj5KRuGKLppyb6_JhecpyWzO9I60HYdbJpW-EIXCDN3oYygavh2vMfjmF212pDooYsQrTsVt4BE1tqlvJrU4PuZjykg7GTwFCC6WJLxQ2fJaY2qq3kpa2IuV-8vG6gGDCXNcxECLtItbp2LFrH0_0ahbESXTPgCQYVB-GsszfjhSAhWVjwI-MolU6sdJPW7KykzdAZ_keDCJpWP9EQ"},
    {"kty": "EC", "kid": "ec", "alg": "ES256", "use": "sig", "crv": "P-256", "x": "OMB8cjMPUMXO6iU6SpvKbh4DncFGHk8xLPg4kvUPGYw", "y": "1mXxipN273P_ED1sUqOMccLr79JX2OjI2KL4SdVVo_U"}
]}"#;

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let keys = get(async || ([(CONTENT_TYPE, "application/json")], KEYS));
    Router::new().route("/.well-known/jwks.json", keys)
}
