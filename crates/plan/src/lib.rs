//! How large an installation must be, and how it behaves under load: on paper and by simulation.
//!
//! | module | answers |
//! | --- | --- |
//! | [`figures`] | what one machine was measured to do, and where each figure comes from |
//! | [`capacity`] | shards, servers, disks, log and network for a demand, with every assumption |
//! | [`placement`] | which merchants share a shard, and how full the fullest is |
//! | [`sim`] | queues and waiting times second by second, under spikes and with a shard dead |
//! | [`svg`] | the curves of a simulation as a drawing |
//!
//! Pure: no clock, no sockets, no randomness but a seed. The same input gives the same bytes.
//! Floating point is fine here: nothing in this crate touches money.

pub mod capacity;
pub mod figures;
mod num;
pub mod placement;
pub mod random;
pub mod sim;
pub mod svg;
