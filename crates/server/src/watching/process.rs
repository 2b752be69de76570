//! The process itself.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{counter::ConstCounter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::logging::LostLines;

pub(super) fn register(registry: &mut Registry, lost: Option<LostLines>) {
    let build = Family::<[(&str, &str); 1], Gauge>::default();
    build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
    registry.register("hongbao_build_info", "1, with the version that runs", build);
    let started = Gauge::<i64>::default();
    started.set(now_seconds());
    // By the name that every exporter uses, so that dashboards find it.
    registry.register("process_start_time_seconds", "When the process started", started);
    if let Some(lost) = lost {
        registry.register_collector(Box::new(lost));
    }
}

#[expect(clippy::disallowed_methods, reason = "when this process started, by the machine's clock")]
fn now_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Collector for LostLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let count = ConstCounter::new(u64::try_from(self.count()).unwrap_or(u64::MAX));
        let help = "Log lines lost because nobody read the pipe.";
        let name = "hongbao_log_lines_lost";
        let metric = encoder.encode_descriptor(name, help, None, count.metric_type())?;
        count.encode(metric)
    }
}
