//! Whether a front that is asked again and again makes progress.
//!
//! It counts questions and answers and looks at no clock of its own: when the whole
//! machine pauses, as a virtual machine does that is moved, all clocks jump and
//! nothing hangs. After a pause there is one question more and no answer less.

use std::time::Duration;

/// How often the front is asked.
pub(super) const PING_EVERY: Duration = Duration::from_secs(1);
/// Questions in a row without an answer: 10 s. Generous: ending the front ends every
/// connection.
const UNANSWERED: u32 = 10;
/// Longest time in which one of its threads may make no progress.
const STALL_LIMIT: Duration = Duration::from_secs(10);
/// Answers in a row that name a thread beyond that. After a pause there may be two at
/// once, one for the question that was under way and one for the next, both before
/// the threads have run again; the third comes [`PING_EVERY`] later.
const STALE: u32 = 3;

/// What the questions and answers so far tell.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Questions since the last answer.
    unanswered: u32,
    /// Answers since the last in which no thread was beyond the limit.
    stale: u32,
}

impl Pulse {
    /// To be called before each question. The error says why the front must be killed.
    pub(super) fn ask(&mut self) -> Result<(), String> {
        if self.unanswered >= UNANSWERED {
            return Err(format!("gave no sign of life for {UNANSWERED} s and was killed"));
        }
        self.unanswered += 1;
        Ok(())
    }

    /// An answer: how long ago the thread that is furthest behind made progress. The
    /// error says why the front must be killed.
    pub(super) fn answer(&mut self, stalest: Duration) -> Result<(), String> {
        self.unanswered = 0;
        self.stale = if stalest > STALL_LIMIT { self.stale + 1 } else { 0 };
        if self.stale >= STALE {
            return Err(format!("a thread hung for {} ms; killed", stalest.as_millis()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Duration = Duration::from_millis(500);
    const HOUR: Duration = Duration::from_secs(3600);

    /// Guards against a pause of the machine that is taken for a front that hangs:
    /// all its connections would end for nothing.
    #[test]
    fn a_pause_ends_no_front() {
        let mut pulse = Pulse::default();
        for _ in 0..3 {
            // Asked, paused, asked at once; both answers come before a thread has run.
            assert_eq!(pulse.ask(), Ok(()));
            assert_eq!(pulse.ask(), Ok(()));
            assert_eq!(pulse.answer(HOUR), Ok(()));
            assert_eq!(pulse.answer(HOUR), Ok(()));
            assert_eq!(pulse.ask(), Ok(()));
            assert_eq!(pulse.answer(FRESH), Ok(()));
        }
    }

    /// Guards against a front that hangs as a whole and is left to it, and against one
    /// that is given less time than said because it was slow before.
    #[test]
    fn ten_questions_without_an_answer_are_too_many() {
        let mut pulse = Pulse::default();
        for _ in 0..3 {
            for _ in 0..10 {
                assert_eq!(pulse.ask(), Ok(()));
            }
            assert_eq!(pulse.answer(FRESH), Ok(()), "late, but it lives");
        }
        for _ in 0..10 {
            assert_eq!(pulse.ask(), Ok(()));
        }
        let why = pulse.ask().expect_err("10 s without an answer");
        assert!(why.contains("10 s"), "{why}");
    }

    /// Guards against one thread that hangs while the one that answers does not.
    #[test]
    fn a_thread_that_stays_behind_is_noticed() {
        let mut pulse = Pulse::default();
        for second in 11..13 {
            assert_eq!(pulse.ask(), Ok(()));
            assert_eq!(pulse.answer(Duration::from_secs(second)), Ok(()));
        }
        assert_eq!(pulse.ask(), Ok(()));
        let why = pulse.answer(Duration::from_secs(13)).expect_err("it hangs");
        assert!(why.contains("13000 ms"), "{why}");
    }
}
