//! `cargo xtask openapi`: writes `openapi.yaml` from the types and routes of the functions.

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, SecurityRequirement};

const FILE: &str = "openapi.yaml";
/// The name of the security scheme.
const BEARER: &str = "access_token";

/// Writes openapi.yaml from the code
#[derive(Args)]
pub(crate) struct Openapi {
    /// Write nothing; fail when the file is stale
    #[arg(long)]
    check: bool,
}

/// Runs the command.
///
/// # Errors
/// With `--check`, when the file is not what the code says.
pub(crate) fn run(root: &Path, command: &Openapi) -> Result<()> {
    let text = document()
        .to_yaml()
        .context("the description cannot be written as YAML")?;
    let path = root.join(FILE);
    if !command.check {
        std::fs::write(&path, text).with_context(|| format!("cannot write {FILE}"))?;
        println!("{FILE} written");
        return Ok(());
    }
    if std::fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
        bail!("{FILE} is stale: `cargo xtask openapi` writes it");
    }
    println!("{FILE} is what the code says");
    Ok(())
}

fn document() -> OpenApi {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("A Supabase access token of a signed-in user."))
        .build();
    let mut document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("WABA Live Chat")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "The live-chat API of a business on WhatsApp. Times are RFC 3339 in UTC; absent values are null. \
                     API Gateway answers unknown routes itself, with a body of its own.",
                ))
                .license(Some(License::new("MIT")))
                .build(),
        )
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, [])]))
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme(BEARER, SecurityScheme::Http(scheme))
                .build(),
        ))
        .build();
    for function in [
        conversations::Api::openapi(),
        messages::Api::openapi(),
        realtime::Api::openapi(),
        send::Api::openapi(),
        webhook::Api::openapi(),
    ] {
        document.merge(function);
    }
    document
}
