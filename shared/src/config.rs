//! Settings from the environment. A wrong one is an error that names the variable; an empty one counts as unset.

use std::str::FromStr;

/// A setting that is missing or wrong.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    /// The environment variable.
    pub variable: String,
    /// What is wrong with it; never its value, which may be a secret.
    pub problem: String,
}

impl ConfigError {
    /// An error about `variable`.
    pub fn new(variable: &str, problem: impl Into<String>) -> Self {
        Self {
            variable: variable.to_owned(),
            problem: problem.into(),
        }
    }
}

/// The variable's value, if it has one.
#[must_use]
pub fn optional(variable: &str) -> Option<String> {
    std::env::var(variable)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// The variable's value.
///
/// # Errors
/// When it is missing.
pub fn required(variable: &str) -> Result<String, ConfigError> {
    optional(variable).ok_or_else(|| ConfigError::new(variable, "is required and not set"))
}

/// The variable's value as a number or another parsed type, or `default`.
///
/// # Errors
/// When it is set and cannot be read.
pub fn parsed<T: FromStr>(variable: &str, default: T) -> Result<T, ConfigError> {
    match optional(variable) {
        None => Ok(default),
        Some(value) => value
            .parse()
            .map_err(|_| ConfigError::new(variable, format!("cannot be read as {}", std::any::type_name::<T>()))),
    }
}
