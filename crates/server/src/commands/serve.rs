//! `hongbao serve`.

use clap::Args;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

use super::{Done, say};
use crate::{
    config::{Config, ConfigFlags},
    logging::{self, LogFormat, LogGuard},
    running::{Platform, Running},
    tokens,
    watching::traces::{Traces, endpoint},
};

/// Serve a platform.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Serve {
    pub(super) async fn run(self) -> Done {
        let config = Config::load(&self.flags).map_err(Box::new)?;
        let (log, traces) = observed(&config)?;
        let mut platform = Platform::open(&config).await?;
        platform.lines_lost = Some(log.lines_lost());
        if let Some(token) = tokens::first_operator(&platform.home, platform.rng.as_ref())? {
            say("First start. The operator's token, shown this once:")?;
            say(&format!("  {}", token.as_str()))?;
        }
        let running = Running::start(&platform, &config).await?;
        // Not before: until then a signal may end the process as it always does.
        let mut signals = Signals::new()?;
        say(&format!("V2 interface   https://{}", running.v2))?;
        say(&format!("users          http://{}", running.web))?;
        say(&format!("operators      http://{}", running.ops))?;
        tell_start(&config, &running);
        signals.next().await;
        stop(running, signals, traces).await
    }
}

/// Starts logs, and traces where a collector is named.
pub(super) fn observed(config: &Config) -> Result<(LogGuard, Option<Traces>), super::Failed> {
    let format = if config.log_json { LogFormat::Json } else { LogFormat::Text };
    let traces = Traces::start(config)?;
    let log = logging::init(&config.log, format, traces.as_ref().map(Traces::layer))?;
    Ok((log, traces))
}

/// The line by which a log says what ran, and how it was set.
pub(super) fn tell_start(config: &Config, running: &Running) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        store = %config.store_url(),
        v2 = %running.v2,
        web = %running.web,
        ops = %running.ops,
        user_jwks = config.user_jwks.is_some(),
        traces = endpoint(config).is_some(),
        stop_delay_seconds = config.stop_delay_seconds,
        "hongbao serves"
    );
}

/// Stops `running`: what runs may finish, unless a second signal says that it may not.
pub(super) async fn stop(running: Running, mut signals: Signals, traces: Option<Traces>) -> Done {
    tracing::info!("stopping: running requests may finish");
    let asked = Instant::now();
    let stopped = tokio::select! {
        stopped = running.stop() => stopped,
        () = signals.next() => {
            tracing::warn!("a second signal: running requests are cut");
            return Err("stopped at once by a second signal; running requests were cut".into());
        }
    };
    let took_millis = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(connections_cut = stopped.cut, took_millis, "hongbao has stopped");
    if let Some(traces) = traces {
        traces.finish().await;
    }
    Ok(())
}

/// SIGTERM and SIGINT, each as often as it comes.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on: neither ends the process by itself any more.
    pub(super) fn new() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
