//! How the kernel schedules a thread and those it starts.

use std::io;

/// Has the calling thread, and every thread it starts from now on, scheduled in
/// batches (`SCHED_BATCH`, sched(7)): one that wakes up does not interrupt what runs
/// on its core. Its share of the processor stays the same.
///
/// # Errors
///
/// If the kernel, or a system call filter, refuses.
pub fn schedule_in_batches() -> io::Result<()> {
    let priority = libc::sched_param { sched_priority: 0 };
    // SAFETY: the pointer is valid for the call, which keeps nothing of it; 0 is the
    // calling thread.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const priority) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a call that says it worked and did nothing, and threads that are
    /// left out.
    #[test]
    fn a_thread_and_those_it_starts_are_scheduled_in_batches() {
        let policy = || {
            // Field 41 of stat(5), the 39th after the name.
            let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("this thread");
            let after_name = stat.rsplit_once(')').expect("a name").1;
            after_name.split_whitespace().nth(38).expect("41 fields").to_owned()
        };
        let seen = std::thread::spawn(move || {
            assert_eq!(policy(), "0");
            schedule_in_batches().expect("everybody may");
            (policy(), std::thread::spawn(policy).join().expect("it runs"))
        });
        assert_eq!(seen.join().expect("it runs"), ("3".to_owned(), "3".to_owned()));
    }
}
