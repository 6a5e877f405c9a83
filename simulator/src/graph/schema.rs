//! Reading a JSON request as strictly as Graph does: unknown keys, wrong types and values out of
//! bounds are refused, and the refusal names the parameter the way Graph writes it.

use serde_json::{Map, Value};

use super::errors::{Checked, GraphError};

/// The fields of one object of a request.
pub(super) struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The request itself.
    pub(super) fn of_request(body: &'a Value) -> Checked<Self> {
        let map = body
            .as_object()
            .ok_or_else(|| GraphError::required("messaging_product"))?;
        Ok(Self {
            path: String::new(),
            map,
        })
    }

    /// How Graph names the field `key` of this object.
    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}['{key}']", self.path)
        }
    }

    fn wrong_type(&self, key: &str, wanted: &str) -> GraphError {
        GraphError::malformed(format_args!("Param {} must be {wanted}.", self.name(key)))
    }

    /// Refuses every other key.
    pub(super) fn only(&self, known: &[&str]) -> Checked<()> {
        match self.map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(GraphError::unexpected_key(key, &self.path)),
            None => Ok(()),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    /// A string of at most `most` characters.
    pub(super) fn text(&self, key: &str, most: usize) -> Checked<Option<&'a str>> {
        let Some(value) = self.map.get(key) else {
            return Ok(None);
        };
        let text = value.as_str().ok_or_else(|| self.wrong_type(key, "a string"))?;
        if text.chars().count() > most {
            return Err(self.wrong_type(key, &format!("at most {most} characters long")));
        }
        Ok(Some(text))
    }

    /// A string that says something.
    pub(super) fn required_text(&self, key: &str, most: usize) -> Checked<&'a str> {
        let text = self
            .text(key, most)?
            .ok_or_else(|| GraphError::required(&self.name(key)))?;
        if text.trim().is_empty() {
            return Err(GraphError::required(&self.name(key)));
        }
        Ok(text)
    }

    pub(super) fn boolean(&self, key: &str) -> Checked<Option<bool>> {
        self.map
            .get(key)
            .map(|value| value.as_bool().ok_or_else(|| self.wrong_type(key, "a boolean")))
            .transpose()
    }

    /// A number; Graph takes it written as a string too.
    pub(super) fn number(&self, key: &str) -> Checked<f64> {
        let value = self.map.get(key).ok_or_else(|| GraphError::required(&self.name(key)))?;
        value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok())
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| self.wrong_type(key, "a number"))
    }

    /// One of a few words.
    pub(super) fn choice(&self, key: &str, allowed: &[&str]) -> Checked<Option<&'a str>> {
        let Some(word) = self.text(key, usize::MAX)? else {
            return Ok(None);
        };
        if allowed.contains(&word) {
            return Ok(Some(word));
        }
        let list = allowed.join(", ").to_uppercase();
        Err(GraphError::malformed(format_args!(
            "Param {} must be one of {{{list}}} - got \"{word}\".",
            self.name(key)
        )))
    }

    pub(super) fn required_choice(&self, key: &str, allowed: &[&str]) -> Checked<&'a str> {
        self.choice(key, allowed)?
            .ok_or_else(|| GraphError::required(&self.name(key)))
    }

    pub(super) fn object(&self, key: &str) -> Checked<Option<Fields<'a>>> {
        self.map
            .get(key)
            .map(|value| {
                let map = value.as_object().ok_or_else(|| self.wrong_type(key, "a JSON object"))?;
                Ok(Fields {
                    path: self.name(key),
                    map,
                })
            })
            .transpose()
    }

    pub(super) fn required_object(&self, key: &str) -> Checked<Fields<'a>> {
        self.object(key)?.ok_or_else(|| GraphError::required(&self.name(key)))
    }

    /// A list of objects; an absent one is empty.
    pub(super) fn objects(&self, key: &str) -> Checked<Vec<Fields<'a>>> {
        let Some(value) = self.map.get(key) else {
            return Ok(Vec::new());
        };
        let items = value.as_array().ok_or_else(|| self.wrong_type(key, "an array"))?;
        items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let path = format!("{}[{index}]", self.name(key));
                match item.as_object() {
                    Some(map) => Ok(Fields { path, map }),
                    None => Err(GraphError::malformed(format_args!(
                        "Param {path} must be a JSON object."
                    ))),
                }
            })
            .collect()
    }

    /// A list of objects whose length is within bounds.
    pub(super) fn some_objects(&self, key: &str, least: usize, most: usize) -> Checked<Vec<Fields<'a>>> {
        let items = self.objects(key)?;
        if (least..=most).contains(&items.len()) {
            return Ok(items);
        }
        Err(GraphError::invalid(format!(
            "{} must have from {least} to {most} items; it has {}.",
            self.name(key),
            items.len()
        )))
    }
}
