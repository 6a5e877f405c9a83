//! A place.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Content;
use super::check::{self, Checked, is_absent, refuse};

const NAME_LIMIT: usize = 1000;

/// Graph's object of a location.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"latitude": 52.5163, "longitude": 13.3777, "name": "Brandenburg Gate", "address": "Pariser Platz, Berlin"}))]
pub struct LocationObject {
    /// Degrees from -90 to 90.
    #[serde(deserialize_with = "read_degrees")]
    pub latitude: f64,
    /// Degrees from -180 to 180.
    #[serde(deserialize_with = "read_degrees")]
    pub longitude: f64,
    /// What the place is called; at most 1000 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub name: Option<String>,
    /// Its address; at most 1000 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub address: Option<String>,
}

/// A number; Graph takes it written as a string too.
fn read_degrees<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|degrees| degrees.is_finite())
        .ok_or_else(|| Error::invalid_type(Unexpected::Other("something else"), &"a number"))
}

/// What to send.
pub(super) fn content(location: &LocationObject) -> Checked<Content> {
    for (field, degrees, most) in [
        ("location.latitude", location.latitude, 90.0),
        ("location.longitude", location.longitude, 180.0),
    ] {
        if degrees.abs() > most {
            return refuse(field, format!("must be from -{most} to {most}"));
        }
    }
    check::at_most("location.name", location.name.as_deref(), NAME_LIMIT)?;
    check::at_most("location.address", location.address.as_deref(), NAME_LIMIT)?;
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let coordinates = || format!("{},{}", location.latitude, location.longitude);
    let words = said(&location.name).or_else(|| said(&location.address));
    Ok(Content {
        kind: "location",
        object: json!(location),
        words: Some(words.unwrap_or_else(coordinates)),
        media_caption: None,
        metadata: Some(json!({"location": location})),
        files: Vec::new(),
    })
}
