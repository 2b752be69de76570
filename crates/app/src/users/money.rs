//! Money out of a wallet.

use hongbao_domain::wallet::{PayMerchant, TransferToUser, WalletMoved, WithdrawFromWallet};

use crate::{App, AppError};

impl App {
    /// The user pays a merchant.
    pub async fn pay_merchant(&self, command: PayMerchant) -> Result<WalletMoved, AppError> {
        Ok(self.executor.submit(command).await?)
    }

    /// The user passes money on to another.
    pub async fn transfer_to_user(&self, command: TransferToUser) -> Result<WalletMoved, AppError> {
        Ok(self.executor.submit(command).await?)
    }

    /// 提现: the money leaves the wallet now and is paid out by the rail.
    pub async fn withdraw(&self, command: WithdrawFromWallet) -> Result<WalletMoved, AppError> {
        Ok(self.executor.submit(command).await?)
    }
}
