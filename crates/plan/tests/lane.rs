//! A lane does what can be worked out on paper.

use hongbao_plan::{
    random::Random,
    sim::{
        lane::{Committed, Count, Lane, LaneSpec, Parcel},
        service::Service,
    },
};
use proptest::prelude::*;

const MS: u64 = 1_000_000;

fn lane(service: Service, batch_max: u64, queue_max: u64) -> Lane {
    Lane::new(LaneSpec { service, batch_max, queue_max }, Random::new(1))
}

/// A batch takes `fixed` milliseconds and `each` for every command.
fn millis(fixed: f64, each: f64) -> Service {
    Service::affine(fixed / 1e3, each / 1e3)
}

fn parcel(at: u64, count: u64) -> Parcel {
    Parcel { first_at: at, arrived_at: at, attempt: 0, count }
}

/// Drives a lane and counts on its own what goes in and comes out.
struct Driver {
    lane: Lane,
    count: Count,
    batches: Vec<Committed>,
}

impl Driver {
    fn new(lane: Lane) -> Self {
        Self { lane, count: Count::default(), batches: Vec::new() }
    }

    fn advance(&mut self, now: u64) {
        let (count, batches) = (&mut self.count, &mut self.batches);
        self.lane.advance(now, |batch| {
            count.accepted += batch.size;
            batches.push(batch);
        });
    }

    fn offer(&mut self, now: u64, size: u64) {
        self.advance(now);
        self.count.offered += size;
        let dead = self.lane.dead();
        let refused = self.lane.offer(parcel(now, size));
        *(if dead { &mut self.count.failed } else { &mut self.count.shed }) += refused;
    }

    fn die(&mut self, now: u64) {
        self.advance(now);
        self.count.failed += self.lane.die().iter().map(|lost| lost.count).sum::<u64>();
    }

    fn conserved(&self) -> bool {
        self.count.conserved(self.lane.inside())
    }
}

#[test]
fn without_load_a_command_takes_one_batch_of_one() {
    let mut driver = Driver::new(lane(millis(3.0, 1.0), 100, 200));
    for second in 1..=5 {
        driver.offer(second * 1_000 * MS, 1);
        driver.advance(second * 1_000 * MS + 500 * MS);
    }
    assert!(driver.batches.iter().all(|batch| batch.size == 1));
    let waits = driver.batches.iter().map(|batch| batch.at - batch.parcels[0].arrived_at);
    assert_eq!(waits.collect::<Vec<_>>(), [4 * MS; 5]);
}

/// One command every 2 ms into batches of 8 ms + 1 ms each: a batch of `n` takes `8 + n` ms, in
/// which `(8 + n) / 2` come; they are as many as before at `n` = 8.
#[test]
fn under_steady_load_batches_grow_to_where_one_gathers_the_next() {
    let mut driver = Driver::new(lane(millis(8.0, 1.0), 1_000, 2_000));
    (0..5_000).for_each(|number| driver.offer(number * 2 * MS, 1));
    let late = &driver.batches[driver.batches.len() - 50..];
    assert!(late.iter().all(|batch| batch.size == 8), "{:?}", late[0]);
    assert!(late.windows(2).all(|pair| pair[1].at - pair[0].at == 16 * MS));
    // 16 ms of its own batch after what was left of the one before. Batches start at odd milliseconds,
    // since the first took 9 ms, and commands come at even ones.
    let waits: Vec<u64> =
        late[0].parcels.iter().map(|p| (late[0].at - p.arrived_at) / MS).collect();
    assert_eq!(waits, [31, 29, 27, 25, 23, 21, 19, 17]);
}

/// Ten at most in 10 ms are 1,000 a second; 2,000 a second come.
#[test]
fn a_full_lane_sheds_exactly_what_it_cannot_do() {
    let mut driver = Driver::new(lane(millis(10.0, 0.0), 10, 20));
    let offer = |driver: &mut Driver, from: u64, until: u64| {
        (from * 2_000..until * 2_000).for_each(|half| driver.offer(half * MS / 2, 1));
        driver.count
    };
    let warm = offer(&mut driver, 0, 5);
    let full = offer(&mut driver, 5, 10);
    assert_eq!(full.offered - warm.offered, 10_000);
    assert_eq!(full.accepted - warm.accepted, 5_000);
    assert_eq!(full.shed - warm.shed, 5_000);
    assert!(driver.lane.waiting() <= 20 && driver.lane.inside() <= 30);
}

#[test]
fn a_full_queue_and_a_full_batch_are_all_that_fits() {
    let mut driver = Driver::new(lane(millis(10.0, 0.0), 10, 20));
    driver.offer(0, 10);
    driver.offer(MS, 25);
    assert_eq!((driver.lane.waiting(), driver.lane.inside(), driver.count.shed), (20, 30, 5));
}

#[test]
fn a_lane_that_dies_gives_everything_back_and_starts_empty() {
    let mut lane = lane(millis(10.0, 0.0), 10, 20);
    assert_eq!(lane.offer(parcel(0, 4)), 0);
    assert_eq!(lane.offer(parcel(MS, 7)), 0);
    let lost = lane.die();
    assert_eq!(lost.iter().map(|parcel| parcel.count).collect::<Vec<_>>(), [4, 7]);
    assert_eq!((lane.inside(), lane.offer(parcel(2 * MS, 3))), (0, 3));
    lane.recover();
    assert_eq!((lane.offer(parcel(3 * MS, 3)), lane.inside()), (0, 3));
}

#[test]
fn a_driver_that_forgets_a_parcel_is_caught() {
    let mut driver = Driver::new(lane(millis(10.0, 1.0), 10, 20));
    driver.offer(0, 5);
    driver.offer(MS, 30);
    assert!(driver.conserved());
    // The fault: a parcel comes and is told to nobody.
    driver.count.offered += 1;
    assert!(!driver.conserved());
    driver.count.offered -= 1;
    // The other one: a command is answered twice.
    driver.count.accepted += 1;
    assert!(!driver.conserved());
}

#[derive(Clone, Debug)]
enum Step {
    Offer { after: u64, count: u64 },
    Die,
    Recover,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        20 => (0..20 * MS, 1_u64..40).prop_map(|(after, count)| Step::Offer { after, count }),
        1 => Just(Step::Die),
        2 => Just(Step::Recover),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn whatever_happens_nothing_is_lost_and_everyone_waits_at_least_a_batch(
        steps in steps(),
        fixed in 0.1_f64..20.0,
        each in 0.0_f64..2.0,
        batch_max in 1_u64..30,
        queue_max in 1_u64..60,
    ) {
        let service = millis(fixed, each);
        let mut driver = Driver::new(lane(service.clone(), batch_max, queue_max));
        let mut now = 0;
        for step in steps {
            match step {
                Step::Offer { after, count } => {
                    now += after;
                    driver.offer(now, count);
                }
                Step::Die => driver.die(now),
                Step::Recover => driver.lane.recover(),
            }
            prop_assert!(driver.conserved());
            prop_assert!(driver.lane.waiting() <= queue_max);
        }
        driver.advance(u64::MAX);
        prop_assert!(driver.conserved() && driver.lane.inside() == 0);
        for batch in &driver.batches {
            prop_assert!(batch.size <= batch_max);
            prop_assert_eq!(batch.size, batch.parcels.iter().map(|p| p.count).sum::<u64>());
            for p in &batch.parcels {
                prop_assert!(batch.at - p.arrived_at >= service.nanos(batch.size));
            }
        }
    }
}
