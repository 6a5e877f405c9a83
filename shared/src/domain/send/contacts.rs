//! Contact cards.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages#contacts-object>

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Content;
use super::check::{self, Checked, count, is_absent, refuse};

const CARDS: usize = 257;
const TEXT_LIMIT: usize = 1024;

/// Graph's object of one contact card. Every text in it has at most 1024 characters.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": {"formatted_name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace"}, "phones": [{"phone": "+441234567890", "type": "WORK"}]}))]
pub struct ContactObject {
    /// Who it is.
    pub name: NameObject,
    /// Phone numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<PhoneObject>,
    /// E-mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<EmailObject>,
    /// Web pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<UrlObject>,
    /// Postal addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<AddressObject>,
    /// Where they work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgObject>,
    /// `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub birthday: Option<String>,
}

/// A contact's name: as it is shown, and at least one of its parts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"formatted_name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace"}))]
pub struct NameObject {
    /// The whole name, as it is shown.
    pub formatted_name: String,
    /// The first name.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub last_name: Option<String>,
    /// The middle name.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub middle_name: Option<String>,
    /// `Dr`.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub prefix: Option<String>,
    /// `Jr`.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub suffix: Option<String>,
}

/// A contact's phone number.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone": "+441234567890", "wa_id": "441234567890", "type": "WORK"}))]
pub struct PhoneObject {
    /// As it is shown.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub phone: Option<String>,
    /// The contact's id at WhatsApp, with which the card has a button to write to them.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub wa_id: Option<String>,
    /// `CELL`, `MAIN`, `IPHONE`, `HOME` or `WORK`.
    #[serde(default, rename = "type", skip_serializing_if = "is_absent")]
    pub kind: Option<String>,
}

/// A contact's e-mail address.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.com", "type": "WORK"}))]
pub struct EmailObject {
    /// The address.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub email: Option<String>,
    /// `HOME` or `WORK`.
    #[serde(default, rename = "type", skip_serializing_if = "is_absent")]
    pub kind: Option<String>,
}

/// A contact's web page.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://example.com/ada", "type": "WORK"}))]
pub struct UrlObject {
    /// Its URL.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub url: Option<String>,
    /// `HOME` or `WORK`.
    #[serde(default, rename = "type", skip_serializing_if = "is_absent")]
    pub kind: Option<String>,
}

/// A contact's postal address.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"street": "1 Example Street", "city": "London", "zip": "N1 1AA", "country": "United Kingdom", "country_code": "gb", "type": "HOME"}))]
pub struct AddressObject {
    /// Street and number.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub street: Option<String>,
    /// The city.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub city: Option<String>,
    /// The state's abbreviation.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub state: Option<String>,
    /// The postal code.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub zip: Option<String>,
    /// The country's name.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub country: Option<String>,
    /// The country's two letters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub country_code: Option<String>,
    /// `HOME` or `WORK`.
    #[serde(default, rename = "type", skip_serializing_if = "is_absent")]
    pub kind: Option<String>,
}

/// Where a contact works.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"company": "Analytical Engines", "title": "Programmer"}))]
pub struct OrgObject {
    /// The company.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub company: Option<String>,
    /// The department in it.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub department: Option<String>,
    /// What they do there.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub title: Option<String>,
}

/// What to send.
pub(super) fn content(cards: &[ContactObject]) -> Checked<Content> {
    count("contacts", cards.len(), 1..=CARDS)?;
    for (index, card) in cards.iter().enumerate() {
        check_card(&format!("contacts[{index}]"), card)?;
    }
    let names: Vec<&str> = cards.iter().map(|card| card.name.formatted_name.as_str()).collect();
    Ok(Content {
        kind: "contacts",
        object: json!(cards),
        words: Some(names.join(", ")),
        media_caption: None,
        metadata: Some(json!({"contacts": cards})),
        files: Vec::new(),
    })
}

fn check_card(path: &str, card: &ContactObject) -> Checked {
    check::text(
        &format!("{path}.name.formatted_name"),
        &card.name.formatted_name,
        TEXT_LIMIT,
    )?;
    let parts = [
        &card.name.first_name,
        &card.name.last_name,
        &card.name.middle_name,
        &card.name.prefix,
        &card.name.suffix,
    ];
    if parts.into_iter().all(is_absent) {
        let field = format!("{path}.name");
        return refuse(
            &field,
            "needs first_name, last_name or another part besides formatted_name",
        );
    }
    if let Some(birthday) = card.birthday.as_deref().filter(|birthday| !birthday.is_empty())
        && (birthday.len() != 10 || birthday.parse::<Date>().is_err())
    {
        return refuse(&format!("{path}.birthday"), "must be a date, YYYY-MM-DD");
    }
    check_texts(path, &json!(card))
}

/// Checks every text, however deep.
fn check_texts(path: &str, value: &Value) -> Checked {
    match value {
        Value::String(text) => check::at_most(path, Some(text), TEXT_LIMIT),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check_texts(&format!("{path}[{index}]"), item)),
        Value::Object(fields) => fields
            .iter()
            .try_for_each(|(key, value)| check_texts(&format!("{path}.{key}"), value)),
        _ => Ok(()),
    }
}
