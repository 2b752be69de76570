//! Between whole numbers and floating point, in one place.

/// A count as a float. Counts here stay below 2^52, where this is exact.
#[expect(clippy::cast_precision_loss, reason = "counts and nanoseconds stay below 2^52")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// The nearest whole number; what is negative or not a number becomes 0, what is too large the
/// largest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates, as the documentation of this function says"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// The next whole number upwards.
pub(crate) fn ceil(value: f64) -> u64 {
    whole(value.ceil())
}

/// An index for a count that fits memory.
pub(crate) fn index(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Seconds as nanoseconds.
pub(crate) fn nanos(seconds: f64) -> u64 {
    whole(seconds * 1e9)
}

/// Nanoseconds as seconds.
pub(crate) const fn seconds(nanos: u64) -> f64 {
    float(nanos) / 1e9
}
