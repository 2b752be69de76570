//! `hongbao serve`.

use clap::Args;

use super::{Done, say};
use crate::{
    config::{Config, ConfigFlags},
    logging::{self, LogFormat},
    running::{Platform, Running},
    tokens,
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
        let format = if config.log_json { LogFormat::Json } else { LogFormat::Text };
        let _log = logging::init(&config.log, format)?;
        let platform = Platform::open(&config).await?;
        if let Some(token) = tokens::first_operator(&platform.home, platform.rng.as_ref())? {
            say("First start. The operator's token, shown this once:")?;
            say(&format!("  {}", token.as_str()))?;
        }
        let running = Running::start(&platform, &config).await?;
        say(&format!("V2 interface   https://{}", running.v2))?;
        say(&format!("users          http://{}", running.web))?;
        say(&format!("operators      http://{}", running.ops))?;
        stopped_by_signal().await?;
        tracing::info!("stopping: running requests may finish");
        running.stop().await;
        Ok(())
    }
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn stopped_by_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}
