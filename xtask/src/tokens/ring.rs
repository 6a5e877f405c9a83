//! The key ring where it is kept, Secrets Manager. It is replaced by moving `AWSCURRENT` from the version that was read to the new one, which
//! AWS refuses when another is current by then: of two rotations at once, none overwrites the other's key.
//! Source: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html>.

use anyhow::{Context, Result, bail};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use shared::tokens::{KeyRing, TokenError};

const CURRENT: &str = "AWSCURRENT";
/// Where a new version waits to become current. A version without a label may be deleted by AWS.
const CANDIDATE: &str = "WABA_NEXT";

/// The secret that the key ring is.
pub(super) struct RingSecret {
    client: Client,
    arn: String,
}

/// The key ring as it was read.
pub(super) struct Ring {
    text: String,
    version: String,
}

impl Ring {
    /// Its keys.
    pub(super) fn keys(&self) -> Result<KeyRing> {
        Ok(KeyRing::parse(&self.text)?)
    }
}

impl RingSecret {
    pub(super) fn new(aws: &aws_config::SdkConfig, arn: String) -> Self {
        Self {
            client: Client::new(aws),
            arn,
        }
    }

    /// Its name for those who only read it.
    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    /// The ring as it is now.
    pub(super) async fn read(&self) -> Result<Ring> {
        let answer = self.client.get_secret_value().secret_id(&self.arn).send().await;
        let answer = answer
            .map_err(|error| failure(&error))
            .context("the key ring cannot be read")?;
        Ok(Ring {
            text: answer.secret_string.context("the key ring holds bytes, not text")?,
            version: answer.version_id.context("the key ring has no version")?,
        })
    }

    /// Puts what `change` makes of its text in the place of `old`, unless somebody else changed the ring since `old` was read.
    pub(super) async fn change(
        &self,
        old: &Ring,
        change: impl FnOnce(&str) -> Result<String, TokenError>,
    ) -> Result<Ring> {
        let text = change(&old.text)?;
        let put = self.client.put_secret_value().secret_id(&self.arn);
        let put = put.secret_string(&text).version_stages(CANDIDATE).send().await;
        let put = put
            .map_err(|error| failure(&error))
            .context("the key ring cannot be written")?;
        let version = put.version_id.context("the new key ring has no version")?;
        let promote = self.client.update_secret_version_stage().secret_id(&self.arn);
        let promote = promote
            .version_stage(CURRENT)
            .move_to_version_id(&version)
            .remove_from_version_id(&old.version);
        if let Err(error) = promote.send().await {
            // Whether it was refused, or done and the answer was lost, the secret says.
            let current = self.read().await?.version;
            if current != version {
                if current != old.version {
                    bail!(
                        "the key ring was changed by somebody else meanwhile: nothing is lost, run the command again"
                    );
                }
                return Err(failure(&error)).context("the key ring cannot be replaced");
            }
        }
        Ok(Ring { text, version })
    }
}

/// AWS's error code and no more: messages and requests may quote what was sent.
fn failure<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> anyhow::Error {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    anyhow::anyhow!("Secrets Manager: {}", code.unwrap_or("no answer"))
}
