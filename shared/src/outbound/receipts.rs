//! Read receipts that are owed.

use super::Outbound;
use crate::db::{DbError, signals};
use crate::edge::graph::GraphError;
use crate::whatsapp::bodies;
use crate::whatsapp::errors::ErrorClass;

impl Outbound {
    /// Tells WhatsApp what the agent has read, where that is owed. Whether it was.
    pub(super) async fn report_read(&self, conversation_id: i64) -> Result<bool, DbError> {
        let lease = self.lease;
        let claim = self
            .database
            .run(async |client| signals::claim_receipt(client, conversation_id, lease).await);
        let Some(signal) = claim.await? else {
            return Ok(false);
        };
        let token = self
            .tokens
            .resolve(&signal.waba_id, signal.access_token.as_deref())
            .await;
        let is_over = match token {
            Err(error) => {
                tracing::warn!(conversation_id, %error, "no access token for a read receipt");
                false
            }
            Ok(token) => {
                let body = bodies::read_receipt(&signal.wamid, false);
                match self.graph.send_signal(&token, &signal.phone_number_id, &body).await {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::warn!(conversation_id, %error, "a read receipt was not taken");
                        matches!(error, GraphError::Refused { error, .. } if error.class() == ErrorClass::Permanent)
                    }
                }
            }
        };
        self.database
            .run(async |client| signals::settle_receipt(client, &signal, is_over).await)
            .await?;
        Ok(true)
    }
}
