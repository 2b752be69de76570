//! Counts connections, in total and per address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Limits;

type Counts = Arc<Mutex<HashMap<IpAddr, u32>>>;

/// Lets connections in.
pub(super) struct Doors {
    places: Arc<Semaphore>,
    counts: Counts,
    per_address_max: u32,
}

/// The right to be connected; ends with the value.
pub(super) struct Place {
    counts: Counts,
    address: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Doors {
    pub(super) fn new(limits: &Limits) -> Self {
        let places = usize::try_from(limits.connections_max).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            counts: Counts::default(),
            per_address_max: limits.connections_per_address_max,
        }
    }

    /// Waits for a free place.
    pub(super) async fn free_place(&self) -> OwnedSemaphorePermit {
        match Arc::clone(&self.places).acquire_owned().await {
            Ok(permit) => permit,
            // Never closed; if it were, nobody else would get in.
            Err(_) => std::future::pending().await,
        }
    }

    /// Takes the permit's place, unless the address has its share already.
    pub(super) fn enter(&self, permit: OwnedSemaphorePermit, from: IpAddr) -> Option<Place> {
        let address = subscriber(from);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= self.per_address_max {
            return None;
        }
        *count = count.saturating_add(1);
        drop(counts);
        Some(Place { counts: Arc::clone(&self.counts), address, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let left = counts.get(&self.address).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            counts.remove(&self.address);
        } else {
            counts.insert(self.address, left);
        }
    }
}

/// An IPv4 address as it is, an IPv6 address without its lower half.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let network = v6.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doors(total: u32, per_address: u32) -> Doors {
        Doors::new(&Limits {
            connections_max: total,
            connections_per_address_max: per_address,
            ..Limits::default()
        })
    }

    async fn enter(doors: &Doors, from: &str) -> Option<Place> {
        doors.enter(doors.free_place().await, from.parse().unwrap())
    }

    #[tokio::test]
    async fn an_address_gets_its_share_and_gets_it_back() {
        let doors = doors(9, 2);
        let first = enter(&doors, "192.0.2.1").await;
        let second = enter(&doors, "::ffff:192.0.2.1").await;
        assert!(first.is_some() && second.is_some());
        assert!(enter(&doors, "192.0.2.1").await.is_none());
        assert!(enter(&doors, "192.0.2.2").await.is_some());
        drop(first);
        assert!(enter(&doors, "192.0.2.1").await.is_some());
    }

    #[tokio::test]
    async fn a_subscribers_ipv6_addresses_count_as_one() {
        let doors = doors(9, 1);
        let _first = enter(&doors, "2001:db8::1").await.unwrap();
        assert!(enter(&doors, "2001:db8::ffff:2").await.is_none());
        assert!(enter(&doors, "2001:db8:0:1::1").await.is_some());
    }

    #[tokio::test]
    async fn addresses_that_left_are_forgotten_and_their_places_free() {
        let doors = doors(2, 2);
        for last in 0..=255 {
            drop(enter(&doors, &format!("192.0.2.{last}")).await.unwrap());
        }
        assert!(doors.counts.lock().unwrap().is_empty());
        assert_eq!(doors.places.available_permits(), 2);
    }
}
