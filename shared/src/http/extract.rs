//! Extractors whose refusals are [`ApiError`]s that name the field.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

use super::error::ApiError;
use crate::domain::page::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::domain::search::{MAX_QUERY, fold};

/// A JSON body.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::TooLarge
            } else {
                ApiError::Malformed("the body cannot be read".to_owned())
            }
        })?;
        parse_body(&bytes).map(Self)
    }
}

/// Tells a body that is no JSON (400) from one whose field has the wrong type (422).
fn parse_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|_| ApiError::Malformed("the body is not JSON".to_owned()))?;
    if !value.is_object() {
        return Err(ApiError::Malformed("the body is not a JSON object".to_owned()));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        // serde's words may quote the value. A missing field, and one given by its name and by an alias, they name, and the path does not.
        let words = error.inner().to_string();
        let named = |start: &str| words.strip_prefix(start)?.split('`').next();
        if let Some(field) = named("missing field `") {
            ApiError::invalid(join(&path, field), "is required")
        } else if let Some(field) = named("duplicate field `") {
            ApiError::invalid(join(&path, field), "is there twice")
        } else if named("unknown field `").is_some() {
            ApiError::invalid(path, "is not known")
        } else {
            ApiError::invalid(path, expected(&words))
        }
    })
}

fn join(path: &str, field: &str) -> String {
    if path == "." {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

/// "invalid type: string "x", expected i64" → "has the wrong type or value, expected i64".
fn expected(words: &str) -> String {
    if words.starts_with("UUID parsing failed") {
        return "must be a UUID".to_owned();
    }
    match words.rsplit_once(", expected ") {
        Some((_, kind)) if kind.starts_with("struct ") => "must be an object".to_owned(),
        Some((_, kind)) => format!("has the wrong type or value, expected {kind}"),
        None => "has the wrong type or value".to_owned(),
    }
}

/// The id at the end of a path. One that cannot be an id names nothing: 404.
#[derive(Debug, Clone, Copy)]
pub struct PathId(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::NotFound)?;
        let digits = id.bytes().all(|digit| digit.is_ascii_digit());
        id.parse().ok().filter(|_| digits).map(Self).ok_or(ApiError::NotFound)
    }
}

/// The query string. Of a parameter given twice the last counts; an empty one counts as missing.
#[derive(Debug)]
pub struct Parameters(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Parameters {
    fn parse(query: &str) -> Self {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            let text = percent_encoding::percent_decode_str(&text).decode_utf8_lossy();
            // PostgreSQL has no NUL in a text; like bytes that are no UTF-8, it matches nothing.
            text.replace('\0', "\u{fffd}")
        };
        let pairs = query.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (!value.is_empty()).then(|| (decode(key), decode(value)))
        });
        Self(pairs.collect())
    }

    /// A parameter's text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// 422 where it is something else.
    pub fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.get(name)
            .map(|text| {
                if text.bytes().all(|digit| digit.is_ascii_digit()) {
                    // Beyond the type's range is as good as at its end.
                    Ok(text.parse().unwrap_or(i64::MAX))
                } else {
                    Err(ApiError::invalid(name, "must be a whole number, 0 or more"))
                }
            })
            .transpose()
    }

    /// `limit`: 50 where it is missing; more than 100 is 100, and 0 is 1.
    ///
    /// # Errors
    /// 422 where it is no number.
    pub fn limit(&self) -> Result<i64, ApiError> {
        Ok(self.number("limit")?.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT))
    }

    /// `q`, without the space around it.
    ///
    /// # Errors
    /// 422 where nothing is left to search for, or it is too long.
    pub fn query(&self) -> Result<Option<&str>, ApiError> {
        let Some(q) = self.get("q").map(str::trim) else {
            return Ok(None);
        };
        if q.chars().count() > MAX_QUERY {
            return Err(ApiError::invalid(
                "q",
                format!("may have {MAX_QUERY} characters at the most"),
            ));
        }
        if fold(q).is_empty() {
            return Err(ApiError::invalid("q", "has nothing in it to search for"));
        }
        Ok(Some(q))
    }

    /// One of the known values.
    ///
    /// # Errors
    /// 422 that lists them.
    pub fn one_of(&self, name: &str, known: &[&str]) -> Result<Option<String>, ApiError> {
        match self.get(name) {
            Some(value) if !known.contains(&value) => {
                Err(ApiError::invalid(name, format!("must be one of: {}", known.join(", "))))
            }
            value => Ok(value.map(str::to_owned)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use uuid::Uuid;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[allow(dead_code, reason = "only its type matters")]
        id: i64,
        #[allow(dead_code, reason = "only its type matters")]
        image: Option<Image>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Image {
        #[allow(dead_code, reason = "only its type matters")]
        #[serde(alias = "id")]
        media_id: Vec<Uuid>,
    }

    fn refusal(body: &str) -> String {
        parse_body::<Body>(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_refused_body_names_the_field_and_never_its_value() {
        assert_eq!(refusal("{"), "the body is not JSON");
        assert_eq!(refusal("[]"), "the body is not a JSON object");
        assert_eq!(refusal("{}"), "id: is required");
        assert_eq!(
            refusal(r#"{"id":"secret"}"#),
            "id: has the wrong type or value, expected i64"
        );
        let of_image = |image: &str| refusal(&format!(r#"{{"id":1,"image":{image}}}"#));
        assert_eq!(of_image(r#"{"captoin":"secret"}"#), "image.captoin: is not known");
        assert_eq!(
            of_image(r#"{"media_id":["secret"]}"#),
            "image.media_id[0]: must be a UUID"
        );
        assert_eq!(of_image(r#"{"id":[],"media_id":[]}"#), "image.media_id: is there twice");
        assert_eq!(of_image(r#""secret""#), "image: must be an object");
        assert_eq!(of_image("{}"), "image.media_id: is required");
    }

    #[test]
    fn parameters_are_decoded_and_checked() {
        let parameters = Parameters::parse("q=a%20b+%C3%A9&limit=500&offset=-1&empty=&x=1&x=2");
        assert_eq!(parameters.get("q"), Some("a b é"));
        assert_eq!(parameters.limit().unwrap(), 100);
        assert!(parameters.number("offset").is_err());
        assert_eq!(parameters.get("empty"), None);
        assert_eq!(parameters.get("x"), Some("2"));
        assert_eq!(
            parameters.one_of("x", &["1"]).unwrap_err().to_string(),
            "x: must be one of: 1"
        );
        assert!(Parameters::parse("limit=ten").limit().is_err());
        assert_eq!(Parameters::parse("q=+a+b%0A").query().unwrap(), Some("a b"));
        assert_eq!(Parameters::parse("q=").query().unwrap(), None);
        for nothing in ["q=+", "q=%D9%80", &format!("q={}", "%C3%A9".repeat(101))] {
            let refusal = Parameters::parse(nothing).query().unwrap_err().to_string();
            assert!(refusal.starts_with("q: "), "{refusal}");
        }
        assert!(
            Parameters::parse(&format!("q={}", "%C3%A9".repeat(100)))
                .query()
                .is_ok()
        );
        assert_eq!(Parameters::parse("limit=99999999999999999999").limit().unwrap(), 100);
    }
}
