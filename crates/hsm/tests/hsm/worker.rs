//! What the others start as the process with the module in it.

use std::{io, os::fd::AsFd};

/// Not a test by itself: the crate starts the program it runs in as `process hsm`,
/// which here is this test binary and selects this function by its name.
#[test]
fn process_hsm() {
    let stdin = io::stdin();
    let socket = rustix::net::sockopt::socket_type(stdin.as_fd());
    if socket.is_ok() {
        let _ = keyreeve_hsm::worker::run();
    }
}
