//! A lane's queue: within a journal first come, first served; between journals in turns.
//!
//! One merchant that asks for more than its lane can do must not make all others wait or go away:
//!
//! | what | rule |
//! | --- | --- |
//! | a batch | every journal gets an equal part; what one does not use goes to those that want more |
//! | a busy journal in company | no more than a short batch has, so that others wait no longer |
//! | a journal alone | a larger batch than several may have together, and places for one more |
//! | places | a journal may hold as many as are free; one that has nothing waiting gets in as long as fewer journals wait than there are places |
//! | a full batch of a journal alone | may be taken before its turn, to be made ready: nothing would be added to it; it keeps its places |
//! | people | share [`USER_TURNS`] turns: each is a journal, and thousands of them would leave a merchant none |
//!
//! A busy journal in company pays for it: its batches are smaller, and smaller batches cost more a
//! command. Alone it has the lane to itself. How large a batch is, and with it how many places
//! there are, follows from how fast the lane was seen to be: see [`Pace`].

mod pace;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use hongbao_domain::{MerchantId, ledger::Owner};
use tokio::{sync::Notify, time::Instant};

pub use self::pace::Pace;

/// Turns of all users together.
const USER_TURNS: u64 = 64;

/// For how many batches of its own a journal is still held to be in company: others come back.
const COMPANY_BATCHES: u32 = 64;

/// Why a command is not in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// There is no room, or none for its journal.
    Full,
    /// Nobody takes commands any more.
    Closed,
}

/// The queue of one lane.
#[derive(Debug)]
pub(super) struct LaneQueue<T> {
    state: Mutex<State<T>>,
    arrived: Notify,
}

#[derive(Debug)]
struct State<T> {
    waiters: HashMap<Party, Waiter<T>>,
    /// Who has something waiting; the first one is next.
    turns: VecDeque<Party>,
    waiting: usize,
    /// How many were taken before their turn and hold their places until it comes. They are of who is
    /// `ahead`.
    early: usize,
    /// From so many on the lane is woken.
    wanted: usize,
    pace: Pace,
    company: Company,
    /// Who was the last to get a place as one that is alone.
    ahead: Option<Party>,
    /// When the last batch was done.
    done_at: Option<Instant>,
    closed: bool,
}

/// What the lane takes at once.
#[derive(Debug)]
pub(super) struct Lot<T> {
    pub(super) commands: Vec<T>,
    /// Whether no journal could have more than its share of it.
    pub(super) shared: bool,
}

/// Who takes turns: a merchant's journal, or those of some users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Party {
    Merchant(MerchantId),
    Users(u64),
}

impl Party {
    const fn of(journal: Owner) -> Self {
        match journal {
            Owner::Merchant(merchant) => Self::Merchant(merchant),
            Owner::User(user) => Self::Users(user.get() % USER_TURNS),
        }
    }
}

#[derive(Debug)]
struct Waiter<T> {
    commands: VecDeque<T>,
    /// How many of them the batch in the making has.
    taken: usize,
}

/// Whether a journal has the lane to itself.
#[derive(Debug, Default)]
struct Company {
    last: Option<Party>,
    batches_left: u32,
}

impl<T> LaneQueue<T> {
    pub(super) fn new() -> Self {
        let state = State {
            waiters: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            early: 0,
            wanted: 1,
            pace: Pace::default(),
            company: Company::default(),
            ahead: None,
            done_at: None,
            closed: false,
        };
        Self { state: Mutex::new(state), arrived: Notify::new() }
    }

    /// Puts `command` behind those of its journal.
    pub(super) fn push(&self, journal: Owner, command: T) -> Result<(), NoPlace> {
        let party = Party::of(journal);
        let mut state = self.lock();
        if state.closed {
            return Err(NoPlace::Closed);
        }
        if state.is_full_for(party) {
            return Err(NoPlace::Full);
        }
        state.put(party, command);
        let enough = state.waiting >= state.wanted;
        drop(state);
        if enough {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// The next batch, once `least` commands wait or nobody brings any more; `None` once the queue
    /// is closed and empty.
    pub(super) async fn take(&self, least: usize) -> Option<Lot<T>> {
        loop {
            {
                let mut state = self.lock();
                state.wanted = least.max(1);
                if state.waiting >= state.wanted || state.closed && state.waiting > 0 {
                    return Some(state.take());
                }
                if state.closed {
                    return None;
                }
            }
            self.arrived.notified().await;
        }
    }

    /// The next batch before its turn, once a journal that is alone has filled it; [`Self::turn_came`]
    /// is to be told when that comes. Does not end before.
    pub(super) async fn take_early(&self) -> Lot<T> {
        loop {
            {
                let mut state = self.lock();
                let full = state.pace.alone_max();
                let alone = state.turns.front().copied().filter(|&first| state.is_alone(first));
                if alone.is_some() && state.waiting >= full {
                    let lot = state.take();
                    state.early = lot.commands.len();
                    state.ahead = alone;
                    return lot;
                }
                let may_fill = alone.is_some() || state.waiting == 0;
                state.wanted = if may_fill { full } else { usize::MAX };
            }
            self.arrived.notified().await;
        }
    }

    /// Gives back the places of what was taken before its turn.
    pub(super) fn turn_came(&self) {
        self.lock().early = 0;
    }

    /// A batch was begun and done at these instants, and so many of its commands had effects;
    /// answers what the lane may take from now on. A batch that was begun while the one before it
    /// was not done took the lane only the time since then.
    pub(super) fn paced(
        &self,
        shared: bool,
        commands: usize,
        begun: Instant,
        done: Instant,
    ) -> Pace {
        let mut state = self.lock();
        let since = state.done_at.map_or(begun, |before| begun.max(before));
        if done <= since {
            // Told late: the batch after it was told already, with the time of both.
            return state.pace;
        }
        let took = done - since;
        state.done_at = Some(done);
        if shared {
            state.pace.note_shared(commands, took);
        } else {
            state.pace.note(commands, took);
        }
        state.pace
    }

    /// Takes nothing in any more; what waits is still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Takes nothing in any more, and gives back what waits.
    pub(super) fn abandon(&self) -> Vec<T> {
        let mut state = self.lock();
        state.closed = true;
        state.turns.clear();
        state.waiting = 0;
        state.waiters.drain().flat_map(|(_, waiter)| waiter.commands).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn is_full_for(&self, party: Party) -> bool {
        let places = self.pace.places();
        if !self.waiters.contains_key(&party) {
            return self.turns.len() >= places;
        }
        if self.is_alone(party) {
            return self.held_by(party) >= self.pace.alone_max();
        }
        let held = (self.waiting + self.early).saturating_sub(self.held_from_before());
        self.held_by(party) >= places.saturating_sub(held)
    }

    fn is_alone(&self, party: Party) -> bool {
        self.company.is_over()
            && self.turns.len() <= 1
            && self.turns.front().is_none_or(|&other| other == party)
    }

    /// What somebody holds beyond a batch who was alone: it kept nobody out when it came in, and
    /// shall not now.
    fn held_from_before(&self) -> usize {
        let held = self.ahead.map_or(0, |party| self.held_by(party));
        held.saturating_sub(self.pace.batch_max())
    }

    /// The places that `party` has.
    fn held_by(&self, party: Party) -> usize {
        let waiting = self.waiters.get(&party).map_or(0, |waiter| waiter.commands.len());
        waiting + if self.ahead == Some(party) { self.early } else { 0 }
    }

    fn put(&mut self, party: Party, command: T) {
        if self.is_alone(party) {
            self.ahead = Some(party);
        }
        let turns = &mut self.turns;
        let waiter = self.waiters.entry(party).or_insert_with(|| {
            turns.push_back(party);
            Waiter { commands: VecDeque::new(), taken: 0 }
        });
        waiter.commands.push_back(command);
        self.waiting += 1;
    }

    fn take(&mut self) -> Lot<T> {
        let waiters = self.turns.len().max(1);
        let shared = self.company.is_there(&self.turns);
        let (batch_max, most) = if shared {
            (self.pace.batch_max(), self.pace.share_max())
        } else {
            (self.pace.alone_max(), self.pace.alone_max())
        };
        let mut batch = Vec::with_capacity(batch_max.min(self.waiting));
        for part in [most.min(batch_max.div_ceil(waiters)), most] {
            for _ in 0..self.turns.len() {
                let room = batch_max.saturating_sub(batch.len());
                // Who got nothing stays in front, and is first in the next batch.
                if room == 0 {
                    break;
                }
                let Some(party) = self.turns.pop_front() else { break };
                let Some(waiter) = self.waiters.get_mut(&party) else { continue };
                let count = (part - waiter.taken).min(waiter.commands.len()).min(room);
                batch.extend(waiter.commands.drain(..count));
                waiter.taken += count;
                self.waiting -= count;
                if waiter.commands.is_empty() {
                    self.waiters.remove(&party);
                } else {
                    self.turns.push_back(party);
                }
            }
        }
        self.waiters.values_mut().for_each(|waiter| waiter.taken = 0);
        Lot { commands: batch, shared }
    }
}

impl Company {
    /// Whether a batch for those in `turns` has to be short for the sake of others.
    fn is_there(&mut self, turns: &VecDeque<Party>) -> bool {
        let first = turns.front().copied();
        let alone = turns.len() == 1 && (first == self.last || self.last.is_none());
        self.batches_left =
            if alone { self.batches_left.saturating_sub(1) } else { COMPANY_BATCHES };
        self.last = first;
        !self.is_over()
    }

    const fn is_over(&self) -> bool {
        self.batches_left == 0
    }
}

#[cfg(test)]
mod tests;
