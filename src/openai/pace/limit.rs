//! How many requests are out at once: more while all goes well and all places are used, half as many when the service
//! says that it is too much (AIMD: additive increase, multiplicative decrease, as in RFC 5681).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Places in the beginning.
const FIRST: usize = 8;
/// Places at most.
const MOST: usize = 32;
/// Answers to requests that were out together are about one moment: they halve the places once.
const ONE_MOMENT: Duration = Duration::from_secs(1);

/// A number of places that follows how the service does. Whoever waits is served in the order of coming.
#[derive(Debug, Clone)]
pub struct Limit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    target: usize,
    /// Places that end when they are given back.
    surplus: usize,
    /// Successes since the last new place.
    successes: usize,
    cut: Option<Instant>,
}

/// A place; dropping it gives it back.
#[derive(Debug)]
pub struct Permit {
    place: Option<OwnedSemaphorePermit>,
    limit: Limit,
}

impl Default for Limit {
    fn default() -> Self {
        let state = State { target: FIRST, surplus: 0, successes: 0, cut: None };
        Self(Arc::new(Shared { places: Arc::new(Semaphore::new(FIRST)), state: Mutex::new(state) }))
    }
}

impl Limit {
    /// Waits for a place.
    pub async fn permit(&self) -> Permit {
        // It is never closed; were it so, to go on without a place is better than to wait for ever.
        let place = Arc::clone(&self.0.places).acquire_owned().await.ok();
        Permit { place, limit: self.clone() }
    }

    /// How many places there are to be.
    pub fn target(&self) -> usize {
        self.with_state(|state| state.target)
    }

    /// A request went well.
    pub(in crate::openai) fn grow(&self) {
        // Places that nobody needs prove nothing.
        let is_used_up = self.0.places.available_permits() == 0;
        self.with_state(|state| {
            state.successes += 1;
            if state.successes < state.target || !is_used_up || state.target >= MOST {
                return;
            }
            state.successes = 0;
            state.target += 1;
            if state.surplus > 0 {
                state.surplus -= 1;
            } else {
                self.0.places.add_permits(1);
            }
        });
    }

    /// The service says that it is too much.
    pub(in crate::openai) fn shrink(&self) {
        let now = Instant::now();
        self.with_state(|state| {
            if state.cut.is_some_and(|cut| now.duration_since(cut) < ONE_MOMENT) {
                return;
            }
            state.cut = Some(now);
            state.successes = 0;
            let target = (state.target / 2).max(1);
            let fewer = state.target - target;
            state.target = target;
            state.surplus += fewer - self.0.places.forget_permits(fewer);
        });
    }

    /// Whether a place that is given back ends.
    fn ends(&self) -> bool {
        self.with_state(|state| {
            let ends = state.surplus > 0;
            state.surplus -= usize::from(ends);
            ends
        })
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(place) = self.place.take()
            && self.limit.ends()
        {
            place.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    fn take_all(limit: &Limit) -> Vec<Permit> {
        std::iter::from_fn(|| limit.permit().now_or_never()).collect()
    }

    #[test]
    fn places_grow_one_by_one_while_all_are_used_and_halve_at_once() {
        let limit = Limit::default();
        let held = take_all(&limit);
        assert_eq!(held.len(), FIRST);
        (0..FIRST).for_each(|_| limit.grow());
        assert_eq!(limit.target(), FIRST + 1);
        limit.shrink();
        limit.shrink();
        assert_eq!(limit.target(), 4);
        drop(held);
        assert_eq!(take_all(&limit).len(), 4);
    }

    #[test]
    fn places_that_nobody_uses_do_not_grow() {
        let limit = Limit::default();
        (0..1000).for_each(|_| limit.grow());
        assert_eq!(limit.target(), FIRST);
    }

    proptest! {
        #[test]
        fn there_are_always_as_many_places_as_the_target_once_all_came_back(steps in prop::collection::vec(0_u8..4, 0..300)) {
            let limit = Limit::default();
            let mut held = Vec::new();
            for step in steps {
                match step {
                    0 => held.extend(limit.permit().now_or_never()),
                    1 => drop(held.pop()),
                    2 => limit.grow(),
                    _ => {
                        limit.with_state(|state| state.cut = None);
                        limit.shrink();
                    }
                }
                prop_assert!((1..=MOST).contains(&limit.target()));
            }
            held.clear();
            prop_assert_eq!(take_all(&limit).len(), limit.target());
        }
    }
}
