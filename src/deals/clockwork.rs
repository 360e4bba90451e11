//! What happens by itself when its time comes. Every server looks; a row is settled once, whoever is first.

use std::time::Duration;

use super::service::Deals;

/// How often a server looks.
const EVERY: Duration = Duration::from_secs(2);

impl Deals {
    /// Starts looking in a background task, which ends when the database's connections are closed.
    pub fn start_clockwork(&self) {
        let deals = self.clone();
        tokio::spawn(async move {
            while !deals.is_closed() {
                tokio::time::sleep(EVERY).await;
                let settled = deals.settle_approvals().await.and(deals.clear_seats().await);
                if let Err(error) = settled {
                    tracing::debug!(error = &error as &dyn std::error::Error, "what is due could not be settled; the next look does it");
                }
            }
        });
    }
}
