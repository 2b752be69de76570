//! What operators may be allowed to do.

use serde::{Deserialize, Serialize};

/// A permission, as a type: what a handler demands.
pub trait Demand: Send + Sync + 'static {
    /// The permission.
    const PERMISSION: Permission;
}

/// Makes the permissions, their names, and a type for each.
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// A permission of an operator.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Permission {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Permission {
            /// Every permission.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub(super) struct $name;

            impl Demand for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )*
    };
}

permissions! {
    /// See merchants with their settings, balances and certificates.
    MerchantRead "merchant.read";
    /// Make merchants and change their settings.
    MerchantWrite "merchant.write";
    /// Replace V2 keys.
    KeysWrite "keys.write";
    /// Move merchants' money: recharge, to the operation account, withdraw.
    FundsWrite "funds.write";
    /// Set the clocks of sandbox merchants forward.
    ClockAdvance "clock.advance";
    /// Register users and say what is thought of their accounts.
    UsersWrite "users.write";
    /// Freeze and thaw wallets.
    WalletsFreeze "wallets.freeze";
    /// Issue and revoke client certificates.
    CertificatesWrite "certificates.write";
    /// Set authorizations of providers.
    AuthorizationsWrite "authorizations.write";
    /// See orders with their packets and claims.
    OrdersRead "orders.read";
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.as_str().to_owned()
    }
}
