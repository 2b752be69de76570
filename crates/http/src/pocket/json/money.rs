//! Money on the wire.

use hongbao_domain::Fen;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Money: whole fen (1 yuan = 100 fen) of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Fen, a whole number.
    #[schema(example = 520)]
    amount: i64,
    /// The currency.
    currency: Currency,
}

/// The only currency there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Currency {
    /// Renminbi.
    #[serde(rename = "CNY")]
    Cny,
}

impl Money {
    /// `fen` as it is shown.
    pub const fn of(fen: Fen) -> Self {
        Self { amount: fen.get(), currency: Currency::Cny }
    }

    /// As the domain counts it. Signs and ceilings are the domain's to refuse.
    pub const fn fen(self) -> Fen {
        Fen::new(self.amount)
    }
}
