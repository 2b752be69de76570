//! Ticks and their names.

/// Places of ticks from 0 to at least `top`: steps of 1, 2 or 5 times a power of ten, at most
/// `count` of them.
pub(super) fn linear(top: f64, count: f64) -> Vec<f64> {
    let top = if top > 0.0 { top } else { 1.0 };
    let rough = top / count;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power);
    let step = step.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(rough);
    let mut ticks = vec![0.0];
    let mut at = 0.0;
    while at < top * 0.999 {
        at += step;
        ticks.push(at);
    }
    ticks
}

/// Powers of ten around `low` and `high`, which are above zero.
pub(super) fn decades(low: f64, high: f64) -> Vec<f64> {
    let first = low.log10().floor();
    let last = high.log10().ceil().max(first + 1.0);
    let mut power = first;
    let mut ticks = Vec::new();
    while power <= last {
        ticks.push(10_f64.powf(power));
        power += 1.0;
    }
    ticks
}

/// A count in few characters.
pub(super) fn short(value: f64) -> String {
    let (scale, unit) = match value {
        value if value >= 1e6 => (1e6, " M"),
        value if value >= 1e3 => (1e3, " k"),
        _ => (1.0, ""),
    };
    let scaled = value / scale;
    let digits = usize::from((scaled - scaled.round()).abs() > 0.05);
    format!("{scaled:.digits$}{unit}")
}

/// A time in few characters.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 0.999 => format!("{} s", short(seconds)),
        seconds if seconds >= 0.000_999 => format!("{} ms", short(seconds * 1e3)),
        seconds => format!("{} µs", short(seconds * 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::{decades, linear, short, time};

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(linear(760_000.0, 4.0), [0.0, 200_000.0, 400_000.0, 600_000.0, 800_000.0]);
        assert_eq!(linear(0.0, 4.0).len(), 3);
        assert_eq!(decades(0.02, 3.0).len(), 4);
        assert_eq!(decades(1.0, 1.0), [1.0, 10.0]);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([short(0.0), short(1_500.0), short(2e6)], ["0", "1.5 k", "2 M"]);
        assert_eq!(
            [time(0.001), time(0.1), time(10.0), time(0.000_1)],
            ["1 ms", "100 ms", "10 s", "100 µs"]
        );
    }
}
