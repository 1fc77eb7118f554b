//! When a delivery is tried again.

/// Seconds to wait after the first, second … failed attempt; the last holds from then on. While it
/// waits, the queue keeps the rest of its leg behind it.
const WAITS: [u16; 3] = [2, 30, 60];

/// Seconds to wait after the `attempt`th attempt, counted from 1.
pub(super) fn wait_after(attempt: u32) -> u16 {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    WAITS[index.min(WAITS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::wait_after;

    #[test]
    fn waits_grow_and_stay_bounded() {
        assert_eq!([0, 1, 2, 3, 4, u32::MAX].map(wait_after), [2, 2, 30, 60, 60, 60]);
    }
}
