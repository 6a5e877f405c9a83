//! What `POST /api/live-chat/send-message` takes, and what is wrong with it.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::check::{Checked, given, no_nul, one_of, refuse};
use super::contacts::{self, ContactObject};
use super::interactive::{self, InteractiveObject};
use super::location::{self, LocationObject};
use super::media::{self, MediaObject};
use super::reaction::{self, ReactionObject};
use super::template::{self, TemplateObject};
use super::text::{self, TextObject};
use super::{Content, InvalidField, Plan, Target};
use crate::domain::customer::phone_of;
use crate::domain::message::{MEDIA_TYPES, parse_message_id};

/// The types of a message.
const TYPES: [&str; 11] = [
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

/// What `POST /api/live-chat/send-message` takes: where to send it, and Graph's own object under the name of the message's type.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"conversation_id": 1, "phone_number_id": "123456", "to": "+1234567890", "message": "Hello!", "message_type": "text"}))]
pub struct SendRequest {
    /// The conversation to write in. May be missing for a template, which then goes from `phone_number_id` to the customer `to` and begins
    /// a conversation where there is none.
    #[serde(default)]
    pub conversation_id: Option<i64>,
    /// Must be the conversation's where it is given.
    #[serde(default)]
    pub phone_number_id: Option<String>,
    /// The customer's phone number; must be the conversation's where it is given.
    #[serde(default)]
    pub to: Option<String>,
    /// text, image, video, audio, document, sticker, location, contacts, template, interactive or reaction. Where it is missing, the type
    /// of the one object that is there, else text.
    #[serde(default)]
    pub message_type: Option<String>,
    /// The text; `text.body` says the same.
    #[serde(default)]
    pub message: Option<String>,
    /// Of a text: whether WhatsApp shows a preview of the first link.
    #[serde(default)]
    pub preview_url: Option<bool>,
    /// Of an image, video, audio, document or sticker: an uploaded file; the object's `media_id` says the same.
    #[serde(default)]
    pub media_id: Option<Uuid>,
    /// A text.
    #[serde(default)]
    pub text: Option<TextObject>,
    /// An image: JPEG or PNG.
    #[serde(default)]
    pub image: Option<MediaObject>,
    /// A video: MP4 or 3GP.
    #[serde(default)]
    pub video: Option<MediaObject>,
    /// An audio: AAC, AMR, MP3, M4A or Ogg with Opus.
    #[serde(default)]
    pub audio: Option<MediaObject>,
    /// A document.
    #[serde(default)]
    pub document: Option<MediaObject>,
    /// A sticker: WebP.
    #[serde(default)]
    pub sticker: Option<MediaObject>,
    /// A location.
    #[serde(default)]
    pub location: Option<LocationObject>,
    /// 1 to 257 contact cards.
    #[serde(default)]
    pub contacts: Option<Vec<ContactObject>>,
    /// A template message, which may be sent at any time.
    #[serde(default)]
    pub template: Option<TemplateObject>,
    /// Buttons, a list, a link, a flow, or a request for the customer's location.
    #[serde(default)]
    pub interactive: Option<InteractiveObject>,
    /// An emoji on a message.
    #[serde(default)]
    pub reaction: Option<ReactionObject>,
    /// The message to answer: our `message_id` or the wamid. A reaction has its own.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The idempotency key, a UUID: the same one again answers with the first result and sends nothing. Made by us where it is missing.
    #[serde(default)]
    pub message_id: Option<String>,
    /// Whether to try a message again that failed for good: with the same `message_id` and the same content.
    #[serde(default)]
    pub retry: Option<bool>,
}

impl SendRequest {
    /// The types whose object is there.
    fn objects(&self) -> impl Iterator<Item = &'static str> {
        let is_given = |kind: &&str| match *kind {
            "text" => self.text.is_some(),
            "location" => self.location.is_some(),
            "contacts" => self.contacts.is_some(),
            "template" => self.template.is_some(),
            "interactive" => self.interactive.is_some(),
            "reaction" => self.reaction.is_some(),
            media => self.media(media).is_some(),
        };
        TYPES.into_iter().filter(is_given)
    }

    fn media(&self, kind: &str) -> Option<&MediaObject> {
        match kind {
            "image" => self.image.as_ref(),
            "video" => self.video.as_ref(),
            "audio" => self.audio.as_ref(),
            "document" => self.document.as_ref(),
            "sticker" => self.sticker.as_ref(),
            _ => None,
        }
    }
}

/// Checks a request. `new_id` is used where the client gave no key.
///
/// # Errors
/// Names the first field that WhatsApp or we would refuse.
pub fn plan(request: &SendRequest, new_id: Uuid) -> Result<Plan, InvalidField> {
    no_nul("", &json!(request))?;
    let kind = kind_of(request)?;
    let target = match request.conversation_id {
        Some(id) => Target::Conversation(id),
        None if kind == "template" => {
            let number = request.phone_number_id.as_deref();
            given("phone_number_id", number.filter(|number| !number.trim().is_empty()))?;
            given("to", request.to.as_deref())?;
            Target::Customer
        }
        None => return refuse("conversation_id", "is required"),
    };
    let is_retry = request.retry.unwrap_or(false);
    let message_id = match &request.message_id {
        None if is_retry => return refuse("message_id", "is required with retry"),
        None => new_id,
        Some(text) => match parse_message_id(text) {
            Some(id) => id,
            None => return refuse("message_id", "must be a UUID"),
        },
    };
    let to = match &request.to {
        None => None,
        Some(text) => match phone_of(text) {
            Some(phone) => Some(phone),
            None => return refuse("to", "must be a phone number with country code"),
        },
    };
    let content = content_of(request, kind)?;
    let answered = request.reply_to.clone().filter(|id| !id.is_empty());
    let reply_to = match &request.reaction {
        Some(_) if answered.is_some() => return refuse("reply_to", "a reaction has reaction.message_id"),
        Some(reaction) => Some(reaction.message_id.clone()),
        None => answered,
    };
    Ok(Plan {
        message_id: message_id.to_string(),
        target,
        phone_number_id: request.phone_number_id.clone(),
        request_hash: request_hash(&content, reply_to.as_deref()),
        to,
        content,
        reply_to,
        is_retry,
    })
}

/// The message's type, once nothing in the request speaks of another one.
fn kind_of(request: &SendRequest) -> Checked<&'static str> {
    let objects: Vec<&'static str> = request.objects().collect();
    let kind = match (&request.message_type, objects.as_slice()) {
        (Some(name), _) => one_of("message_type", name, &TYPES)?,
        (None, [kind]) => kind,
        (None, _) => "text",
    };
    let other = objects
        .into_iter()
        .find(|other| *other != kind)
        .or_else(|| (request.message.is_some() && kind != "text").then_some("message"))
        .or_else(|| (request.media_id.is_some() && !MEDIA_TYPES.contains(&kind)).then_some("media_id"));
    match other {
        Some(field) => refuse(field, format!("is not for a message of type {kind}")),
        None => Ok(kind),
    }
}

fn content_of(request: &SendRequest, kind: &'static str) -> Checked<Content> {
    match kind {
        "text" => text::content(request.message.as_deref(), request.text.as_ref(), request.preview_url),
        "location" => location::content(given(kind, request.location.as_ref())?),
        "contacts" => contacts::content(given(kind, request.contacts.as_ref())?),
        "template" => template::content(given(kind, request.template.as_ref())?),
        "interactive" => interactive::content(given(kind, request.interactive.as_ref())?),
        "reaction" => reaction::content(given(kind, request.reaction.as_ref())?),
        media => media::content(media, request.media(media), request.media_id),
    }
}

/// Covers what the customer would see. The conversation is compared beside it; `phone_number_id` and `to` either fit that or are refused.
fn request_hash(content: &Content, reply_to: Option<&str>) -> [u8; 32] {
    let normalised = json!([content.kind, content.object, reply_to]);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, normalised.to_string().as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_of_the_request_works() {
        let request = json!({"conversation_id": 1, "phone_number_id": "123456", "to": "+1 (234) 567-890", "message": "Hello!", "message_type": "text"});
        let request = serde_json::from_value(request).expect("the request is well-formed");
        let plan = plan(&request, Uuid::nil()).unwrap();
        assert_eq!(plan.target, Target::Conversation(1));
        assert_eq!(plan.content.words.as_deref(), Some("Hello!"));
        assert_eq!(plan.phone_number_id.as_deref(), Some("123456"));
        assert_eq!(plan.to.as_deref(), Some("+1234567890"));
        assert_eq!(plan.message_id, Uuid::nil().to_string());
        assert_eq!((plan.reply_to, plan.is_retry), (None, false));
    }
}
