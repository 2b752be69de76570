//! Money into, inside and out of a merchant's accounts.

use hongbao_domain::merchant::{AccountMoved, MoveToOperation, Recharge, WithdrawFromMerchant};

use crate::{App, AppError};

impl App {
    /// 充值.
    pub async fn recharge(&self, command: Recharge) -> Result<AccountMoved, AppError> {
        Ok(self.executor.submit(command).await?)
    }

    /// Basic → operation account.
    pub async fn move_to_operation(
        &self,
        command: MoveToOperation,
    ) -> Result<AccountMoved, AppError> {
        Ok(self.executor.submit(command).await?)
    }

    /// Basic account → outside.
    pub async fn withdraw_from_merchant(
        &self,
        command: WithdrawFromMerchant,
    ) -> Result<AccountMoved, AppError> {
        Ok(self.executor.submit(command).await?)
    }
}
