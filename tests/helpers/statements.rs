//! How many SQL statements something costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Counts what sqlx logs for every statement it runs.
#[derive(Clone, Default)]
struct Statements(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Lets the background tasks of this test's application (rules and stores read again after a change) come to rest.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Does something and counts the statements. The test must run on one thread, so that everything it causes is counted here and
/// nothing of other tests is.
pub async fn counted<T>(work: impl AsyncFnOnce() -> T) -> (usize, T) {
    settle().await;
    let counter = Statements::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(counter.clone()));
    let done = work().await;
    (counter.0.load(Ordering::Relaxed), done)
}
