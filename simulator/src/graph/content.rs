//! What a message may contain: one check a type, with Meta's limits.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>

use jiff::Timestamp;
use serde_json::Value;

use super::errors::{Checked, GraphError};
use super::schema::Fields;
use super::{interactive, media, templates};
use crate::config::Number;
use crate::ids;
use crate::state::Simulator;

/// The types of a message.
pub(super) const TYPES: [&str; 11] = [
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "template",
    "interactive",
    "reaction",
];

/// Checks the content of a message of `kind`.
pub(super) fn check(simulator: &Simulator, number: &Number, kind: &str, message: &Fields<'_>) -> Checked<()> {
    if !message.has(kind) {
        return Err(GraphError::missing(format!(
            "{kind} is required for messages of type {kind}."
        )));
    }
    if kind == "contacts" {
        return check_contacts(message);
    }
    let content = message.required_object(kind)?;
    match kind {
        "text" => {
            content.only(&["body", "preview_url"])?;
            content.boolean("preview_url")?;
            content.required_text("body", 4096).map(drop)
        }
        "location" => check_location(&content),
        "reaction" => {
            content.only(&["message_id", "emoji"])?;
            content
                .text("emoji", 32)?
                .ok_or_else(|| GraphError::required("reaction['emoji']"))?;
            check_wamid(&content, "message_id")
        }
        "template" => templates::check(simulator, number, &content),
        "interactive" => interactive::check(simulator, number, &content),
        media_kind => check_media(simulator, number, media_kind, &content),
    }
}

/// Checks that `key` could be a message id.
pub(super) fn check_wamid(fields: &Fields<'_>, key: &str) -> Checked<()> {
    let wamid = fields.required_text(key, 1024)?;
    if ids::is_wamid(wamid) {
        return Ok(());
    }
    Err(GraphError::invalid(format!(
        "{} is not a message id.",
        fields.name(key)
    )))
}

/// Checks an image, video, audio, document or sticker: by id or by link.
pub(super) fn check_media(simulator: &Simulator, number: &Number, kind: &str, content: &Fields<'_>) -> Checked<()> {
    let own: &[&str] = match kind {
        "audio" => &["id", "link", "voice"],
        "sticker" => &["id", "link"],
        "document" => &["id", "link", "caption", "filename"],
        _ => &["id", "link", "caption"],
    };
    content.only(own)?;
    content.text("caption", 1024)?;
    content.text("filename", 240)?;
    content.boolean("voice")?;
    match (content.text("id", 128)?, content.text("link", 2048)?) {
        (Some(id), None) => check_media_id(simulator, number, kind, content, id),
        (None, Some(link)) => check_link(content, "link", link),
        (None, None) => Err(GraphError::missing(format!(
            "{} or {} is required.",
            content.name("id"),
            content.name("link")
        ))),
        (Some(_), Some(_)) => Err(GraphError::invalid(format!(
            "{} and {} exclude each other.",
            content.name("id"),
            content.name("link")
        ))),
    }
}

fn check_media_id(simulator: &Simulator, number: &Number, kind: &str, content: &Fields<'_>, id: &str) -> Checked<()> {
    let world = simulator.world();
    let known = world
        .media
        .get(id)
        .filter(|media| media.phone_number_id == number.phone_number_id && media.expires_at > Timestamp::now());
    let Some(media) = known else {
        return Err(GraphError::malformed(format_args!(
            "Param {} is not a valid whatsapp business account media attachment ID",
            content.name("id")
        )));
    };
    if kind == "document" || media::kind_of(&media.mime_type) == Some(kind) {
        return Ok(());
    }
    Err(GraphError::refused(
        400,
        131_053,
        format!("A file of type {} cannot be sent as {kind}.", media.mime_type),
    ))
}

/// Checks that Meta could fetch `link`; plain HTTP only on this machine.
pub(super) fn check_link(fields: &Fields<'_>, key: &str, link: &str) -> Checked<()> {
    let parsed = reqwest::Url::parse(link).ok();
    let fetchable = parsed.is_some_and(|url| match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => ["localhost", "127.0.0.1", "[::1]"].contains(&host),
        _ => false,
    });
    if fetchable {
        return Ok(());
    }
    Err(GraphError::malformed(format_args!(
        "Param {} is not a valid URI.",
        fields.name(key)
    )))
}

fn check_location(location: &Fields<'_>) -> Checked<()> {
    location.only(&["latitude", "longitude", "name", "address"])?;
    for (key, most) in [("latitude", 90.0), ("longitude", 180.0)] {
        if location.number(key)?.abs() > most {
            return Err(GraphError::invalid(format!(
                "{} must be between -{most} and {most}.",
                location.name(key)
            )));
        }
    }
    location.text("name", 1000)?;
    location.text("address", 1000)?;
    Ok(())
}

const CONTACT: &[&str] = &["name", "phones", "emails", "urls", "addresses", "org", "birthday"];
const CONTACT_NAME: &[&str] = &[
    "formatted_name",
    "first_name",
    "last_name",
    "middle_name",
    "prefix",
    "suffix",
];
const CONTACT_LISTS: [(&str, &[&str]); 4] = [
    ("phones", &["phone", "wa_id", "type"]),
    ("emails", &["email", "type"]),
    ("urls", &["url", "type"]),
    (
        "addresses",
        &["street", "city", "state", "zip", "country", "country_code", "type"],
    ),
];

fn check_contacts(message: &Fields<'_>) -> Checked<()> {
    for contact in message.some_objects("contacts", 1, 257)? {
        contact.only(CONTACT)?;
        contact.text("birthday", 10)?;
        let name = contact.required_object("name")?;
        name.only(CONTACT_NAME)?;
        name.required_text("formatted_name", 1024)?;
        let mut parts = 0;
        for part in &CONTACT_NAME[1..] {
            parts += usize::from(name.text(part, 1024)?.is_some());
        }
        if parts == 0 {
            return Err(GraphError::missing(format!(
                "{} needs at least one part besides formatted_name.",
                contact.name("name")
            )));
        }
        for (list, known) in CONTACT_LISTS {
            for item in contact.objects(list)? {
                item.only(known)?;
                for key in known {
                    item.text(key, 1024)?;
                }
            }
        }
        if let Some(org) = contact.object("org")? {
            let known = ["company", "department", "title"];
            org.only(&known)?;
            for key in known {
                org.text(key, 1024)?;
            }
        }
    }
    Ok(())
}

/// The callback data that comes back in every status.
pub(crate) fn callback_data(body: &Value) -> Option<&str> {
    body["biz_opaque_callback_data"].as_str()
}
