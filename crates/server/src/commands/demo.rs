//! `hongbao demo`.

use std::net::SocketAddr;

use clap::Args;
use hongbao_app::{jobs::check_books, ports::random_bytes};

use super::{
    Done, say,
    serve::{Signals, observed, stop, tell_start},
};
use crate::{
    config::{Config, ConfigFlags},
    demo::{Manifest, seed, tell},
    running::{Platform, Running, migrate_store},
    tokens,
};

/// Serve a seeded platform and say what to try.
#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    flags: ConfigFlags,
    /// Tell the scripted story, check the books, and end; fails on any surprise
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(super) async fn run(self) -> Done {
        let mut config = Config::load(&self.flags).map_err(Box::new)?;
        if self.flags.log.is_none() {
            "warn".clone_into(&mut config.log);
        }
        let (log, traces) = observed(&config)?;
        self.choose_ports(&mut config);
        // A demo is of this program; on a server's database it makes itself at home.
        migrate_store(&config.store_url()).await?;
        let mut platform = Platform::open(&config).await?;
        platform.lines_lost = Some(log.lines_lost());
        let ops_token = tokens::demo_operator(&platform.home, platform.rng.as_ref())?;
        let users_secret = platform.home.user_token_secret(platform.rng.as_ref())?;
        let issuer = tokens::user_token_issuer(&users_secret)?;
        let (merchants, users) = seed(&platform, &issuer).await?;
        let running = Running::start(&platform, &config).await?;
        let mut signals = Signals::new()?;
        let manifest = Manifest {
            v2_base: format!("https://{}", running.v2),
            web_base: format!("http://{}", running.web),
            store: config.store_url().absolute()?.into(),
            ops_base: format!("http://{}", running.ops),
            ops_token: ops_token.to_string(),
            ca_pem: platform.home.path("ca/ca.pem"),
            merchants,
            users,
        };
        let json = serde_json::to_string_pretty(&manifest)?;
        let path = platform.home.write_private("demo.json", json.as_bytes())?;
        tell_start(&config, &running);
        let done = if self.once {
            tokio::select! {
                told = once(&platform, &manifest) => told,
                () = signals.next() => Err("a signal came before the story was told".into()),
            }
        } else {
            for line in crate::demo::invitation(&manifest, &path) {
                say(&line)?;
            }
            signals.next().await;
            Ok(())
        };
        let stopped = stop(running, signals, traces).await;
        done.and(stopped)
    }

    /// Ports a person did not name: any free one for the story; for a demo that waits the usual
    /// ones, or any where these are taken.
    fn choose_ports(&self, config: &mut Config) {
        let named = [self.flags.v2_listen, self.flags.web_listen, self.flags.ops_listen];
        let addresses = [&mut config.v2_listen, &mut config.web_listen, &mut config.ops_listen];
        for (address, named) in addresses.into_iter().zip(named) {
            if named.is_none() && (self.once || taken(*address)) {
                address.set_port(0);
            }
        }
    }
}

fn taken(address: SocketAddr) -> bool {
    std::net::TcpListener::bind(address).is_err()
}

async fn once(platform: &Platform, manifest: &Manifest) -> Done {
    let run = hex::encode(random_bytes::<6>(platform.rng.as_ref()));
    tell(manifest, platform.authority.root_pem(), run).await?;
    let found = check_books(platform.app.store().as_ref(), None).await?;
    say(found.report.to_string().trim_end())?;
    if found.clean() {
        say("The story went as it should, and the books add up.")?;
        Ok(())
    } else {
        Err("the books do not add up after the story".into())
    }
}
