//! Logs: one event a line, to standard error, in colour on a terminal only. Personal data never gets here: types that hold it have a silent `Debug`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::LogConfig;

/// Starts logging. A second call in the same process changes nothing.
pub fn start(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let mut builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_span_events(FmtSpan::NONE);
    if !std::io::stderr().is_terminal() {
        builder = builder.with_ansi(false);
    }
    let started = if config.json {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        builder.compact().try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was already started");
        return;
    }
    // A panic is one event like any other. Its text is left out: it may hold what a customer typed.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a bug: the program panicked");
    }));
}
