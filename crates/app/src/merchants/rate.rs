//! The call rate of merchants, kept in memory: it protects the platform, not the money.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use hongbao_domain::{MerchantId, limit::rate::Bucket, merchant::Settings};

use crate::{App, AppError};

/// What a call asks for. Queries have a bucket of their own, so that who polls can still send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// To send a packet.
    Send,
    /// What became of an order.
    Query,
}

/// Two buckets a merchant.
#[derive(Debug, Default)]
pub struct RateLimiter(Mutex<HashMap<(MerchantId, CallKind), Bucket>>);

impl App {
    /// Takes one call of this merchant, whose identity was verified before.
    pub fn take_call(
        &self,
        id: MerchantId,
        kind: CallKind,
        settings: &Settings,
    ) -> Result<(), AppError> {
        let (now, rate) = (self.clock.now(), settings.caps.sends_per_second);
        let mut buckets = self.rates.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry((id, kind)).or_insert_with(|| Bucket::full(rate, now));
        if bucket.take(rate, now) { Ok(()) } else { Err(AppError::RateExceeded) }
    }
}
