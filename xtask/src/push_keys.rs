//! `cargo xtask push-keys`: the key pair by which the browsers' push services know an installation (VAPID).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use clap::{Args, Subcommand};
use shared::config;
use shared::edge::push::{Vapid, make_keys};

use crate::stack::StackFile;

/// The key pair by which the browsers' push services know the installation
#[derive(Args)]
pub(crate) struct PushKeys {
    #[command(subcommand)]
    action: Action,
    /// The local stack's folder [default: .local]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Makes a key pair and puts it into the secret
    Create {
        /// Whom a push service may write to when something is wrong: mailto:… or https:…
        #[arg(long)]
        subject: String,
        /// The secret's name or ARN [default: `PUSH_KEYS_SECRET_ARN`, or else the local stack's]
        #[arg(long)]
        secret_id: Option<String>,
        /// Puts it in the place of another pair: all browsers have to subscribe anew
        #[arg(long)]
        replace: bool,
        /// Prints the secret's text, private key included, and puts it nowhere
        #[arg(long, conflicts_with_all = ["secret_id", "replace"])]
        print: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// When the subject is no address, or the secret holds a pair already, or cannot be written.
pub(crate) async fn run(root: &Path, command: &PushKeys) -> Result<()> {
    let Action::Create {
        subject,
        secret_id,
        replace,
        print,
    } = &command.action;
    let (text, public_key) = make_keys(subject)?;
    if *print {
        println!("{text}");
        return Ok(());
    }
    let named = secret_id.clone().or_else(|| config::optional("PUSH_KEYS_SECRET_ARN"));
    let (aws, secret_id) = if let Some(named) = named {
        (aws_config::load_from_env().await, named)
    } else {
        let folder = command.state_dir.clone().unwrap_or_else(|| root.join(".local"));
        let stack = StackFile::read(&folder)
            .context("neither --secret-id nor PUSH_KEYS_SECRET_ARN is given, and there is no local stack")?;
        (stack.aws().await, stack.push_keys_secret_arn)
    };
    put(&aws, &secret_id, &text, *replace).await?;
    println!("The key pair is in place. Browsers subscribe with {public_key}");
    Ok(())
}

async fn put(aws: &aws_config::SdkConfig, secret_id: &str, text: &str, may_replace: bool) -> Result<()> {
    let client = Client::new(aws);
    let stored = match client.get_secret_value().secret_id(secret_id).send().await {
        Ok(answer) => answer.secret_string,
        // A secret without any value; one that is not there is told when it is written.
        Err(error) if code(&error) == Some("ResourceNotFoundException") => None,
        Err(error) => return Err(failure(&error)).context("the secret cannot be read"),
    };
    if !may_replace && stored.is_some_and(|text| Vapid::parse(&text).is_ok()) {
        bail!("the secret holds a key pair already; with another one all browsers have to subscribe anew (--replace)");
    }
    let put = client
        .put_secret_value()
        .secret_id(secret_id)
        .secret_string(text)
        .send()
        .await;
    put.map(drop)
        .map_err(|error| failure(&error))
        .context("the secret cannot be written")
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// AWS's error code and no more: messages and requests may quote what was sent.
fn failure<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> anyhow::Error {
    anyhow::anyhow!("Secrets Manager: {}", code(error).unwrap_or("no answer"))
}

#[cfg(test)]
mod tests {
    use shared::testing::{create_secret, emulated_aws};

    use super::*;

    #[tokio::test]
    async fn a_pair_is_put_where_none_is_and_replaced_only_when_asked() {
        let aws = emulated_aws().await;
        let arn = create_secret(&aws, "{}").await;
        let (first, _) = make_keys("mailto:a@example.com").unwrap();
        let (second, _) = make_keys("mailto:a@example.com").unwrap();
        let stored = async || {
            let answer = Client::new(&aws).get_secret_value().secret_id(&arn).send().await;
            answer.unwrap().secret_string.unwrap()
        };
        put(&aws, &arn, &first, false).await.unwrap();
        assert_eq!(stored().await, first);
        let refused = put(&aws, &arn, &second, false).await.unwrap_err().to_string();
        assert!(refused.contains("holds a key pair already"), "{refused}");
        assert_eq!(stored().await, first);
        put(&aws, &arn, &second, true).await.unwrap();
        assert_eq!(stored().await, second);
        let missing = format!("{:#}", put(&aws, "test/none", &first, false).await.unwrap_err());
        assert!(missing.contains("ResourceNotFoundException"), "{missing}");
    }

    #[test]
    fn the_pair_of_the_local_stack_is_one() {
        assert!(Vapid::parse(crate::stack::PUSH_KEYS).is_ok());
    }
}
