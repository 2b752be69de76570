//! `hongbao ca`.
//!
//! Works on a store that no server has open; a running server is asked over its operators'
//! interface instead.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hongbao_domain::{MerchantId, change::Actor};

use super::{Done, say};
use crate::{
    ca::P12Profile,
    config::{Config, ConfigFlags},
    issuing::Issuing,
    running::Platform,
};

/// Issue, list and revoke merchants' certificates.
#[derive(Debug, Args)]
pub(super) struct Ca {
    #[command(flatten)]
    flags: ConfigFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Issue a certificate and write it as PEM and as p12
    Issue {
        /// Merchant number
        #[arg(long)]
        merchant: MerchantId,
        /// Directory for the files
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Write the p12 for Java before 8u301 and Windows Server 2012: triple DES and SHA-1
        #[arg(long)]
        legacy_p12: bool,
    },
    /// List a merchant's certificates
    List {
        /// Merchant number
        #[arg(long)]
        merchant: MerchantId,
    },
    /// Revoke a certificate; calls with it are refused from the next one on
    Revoke {
        /// Merchant number
        #[arg(long)]
        merchant: MerchantId,
        /// Serial number, as listed
        #[arg(long)]
        serial: String,
    },
}

impl Ca {
    pub(super) async fn run(self) -> Done {
        let config = Config::load(&self.flags).map_err(Box::new)?;
        let platform = Platform::open(&config).await?;
        match self.action {
            Action::Issue { merchant, out, legacy_p12 } => {
                let profile = if legacy_p12 { P12Profile::Legacy } else { P12Profile::Modern };
                let issuing = Issuing::new(&platform);
                let issued = issuing.issue(merchant, profile, Actor::command_line()).await?;
                issued.write_to(&out)?;
                say(&format!(
                    "certificate {} of {merchant}, valid until {}, is in {}",
                    issued.serial_hex,
                    issued.not_after,
                    out.display()
                ))?;
            }
            Action::List { merchant } => {
                for certificate in platform.app.certificates(merchant).await? {
                    let state = match certificate.revoked_at {
                        Some(at) => format!("revoked {at}"),
                        None => format!("valid until {}", certificate.not_after),
                    };
                    say(&format!("{} {state}", certificate.serial))?;
                }
            }
            Action::Revoke { merchant, serial } => {
                let actor = Actor::command_line();
                platform.app.revoke_certificate(merchant, &serial, actor).await?;
                say(&format!("certificate {serial} of {merchant} is revoked"))?;
            }
        }
        Ok(())
    }
}
