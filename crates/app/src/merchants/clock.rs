//! Time travel of sandbox merchants.

use hongbao_domain::merchant::{AdvanceClock, ClockAdvanced};

use crate::{App, AppError};

impl App {
    /// Sets a sandbox merchant's clock forward.
    pub async fn advance_clock(&self, command: AdvanceClock) -> Result<ClockAdvanced, AppError> {
        Ok(self.executor.submit(command).await?)
    }
}
