//! A request of every kind, as the API's description shows it and the tests use it.

use serde_json::Value;

/// Names and JSON texts: the files of `events/send`.
pub const EXAMPLES: [(&str, &str); 17] = [
    ("text", include_str!("../../../../events/send/text.json")),
    ("text_object", include_str!("../../../../events/send/text_object.json")),
    ("image", include_str!("../../../../events/send/image.json")),
    ("video", include_str!("../../../../events/send/video.json")),
    ("audio", include_str!("../../../../events/send/audio.json")),
    ("document", include_str!("../../../../events/send/document.json")),
    ("sticker", include_str!("../../../../events/send/sticker.json")),
    ("location", include_str!("../../../../events/send/location.json")),
    ("contacts", include_str!("../../../../events/send/contacts.json")),
    ("template", include_str!("../../../../events/send/template.json")),
    (
        "template_image",
        include_str!("../../../../events/send/template_image.json"),
    ),
    (
        "interactive_button",
        include_str!("../../../../events/send/interactive_button.json"),
    ),
    (
        "interactive_list",
        include_str!("../../../../events/send/interactive_list.json"),
    ),
    (
        "interactive_cta_url",
        include_str!("../../../../events/send/interactive_cta_url.json"),
    ),
    (
        "interactive_flow",
        include_str!("../../../../events/send/interactive_flow.json"),
    ),
    (
        "interactive_location_request",
        include_str!("../../../../events/send/interactive_location_request.json"),
    ),
    ("reaction", include_str!("../../../../events/send/reaction.json")),
];

/// The example of this name.
#[must_use]
pub fn example(name: &str) -> Value {
    let (_, text) = EXAMPLES
        .iter()
        .find(|(known, _)| *known == name)
        .expect("the name is one of the list above");
    serde_json::from_str(text).expect("the files are JSON")
}
