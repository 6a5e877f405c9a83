//! The components that a message brings.

use serde_json::Value;

use super::is;
use crate::domain::send::InvalidField;
use crate::whatsapp::json::text;

/// Where the components stand in a request.
pub(super) const FIELD: &str = "template.components";

/// A component of a message, with its place in the request.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) index: usize,
    pub(super) component: &'a Value,
}

impl<'a> Given<'a> {
    pub(super) fn parameters(self) -> &'a [Value] {
        self.component["parameters"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The index of a button: a number, or written as a string.
    pub(super) fn button(self) -> Option<usize> {
        is(self.component, "type", "button")
            .then(|| text(self.component, "index")?.parse().ok())
            .flatten()
    }

    pub(super) fn invalid(self, field: &str, message: impl Into<String>) -> InvalidField {
        InvalidField::new(format!("{FIELD}[{}]{field}", self.index), message)
    }
}

/// The components of Graph's template object.
pub(super) struct Message<'a>(pub(super) Vec<Given<'a>>);

impl<'a> Message<'a> {
    pub(super) fn new(components: &'a Value) -> Self {
        let components = components.as_array().into_iter().flatten().enumerate();
        Self(
            components
                .map(|(index, component)| Given { index, component })
                .collect(),
        )
    }

    pub(super) fn part(&self, kind: &str) -> Option<Given<'a>> {
        self.0.iter().find(|given| is(given.component, "type", kind)).copied()
    }

    pub(super) fn button(&self, index: usize) -> Option<Given<'a>> {
        self.0.iter().find(|given| given.button() == Some(index)).copied()
    }
}
