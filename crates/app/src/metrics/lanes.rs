//! Lanes: what each may take at once.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::executor::Pace;

/// The bounds of all lanes.
#[derive(Debug, Default)]
pub(super) struct LaneFamilies {
    batch_max: Family<Lane, Gauge>,
    share_max: Family<Lane, Gauge>,
}

/// How manieth lane of the process, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lane {
    lane: usize,
}

/// The bounds of one lane.
#[derive(Debug)]
pub struct LaneMetrics {
    batch_max: Gauge,
    share_max: Gauge,
}

impl LaneFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hongbao_executor_batch_max_commands",
            "Most commands that the lane takes at once, by how fast it was seen to be",
            self.batch_max.clone(),
        );
        registry.register(
            "hongbao_executor_share_max_commands",
            "Most commands of one journal in a batch of the lane while others are there",
            self.share_max.clone(),
        );
    }

    pub(super) fn lane(&self, number: usize) -> LaneMetrics {
        let lane = Lane { lane: number };
        LaneMetrics {
            batch_max: self.batch_max.get_or_create(&lane).clone(),
            share_max: self.share_max.get_or_create(&lane).clone(),
        }
    }
}

impl LaneMetrics {
    /// What the lane may take from now on.
    pub(crate) fn are(&self, pace: Pace) {
        self.batch_max.set(super::level(pace.batch_max()));
        self.share_max.set(super::level(pace.share_max()));
    }
}
