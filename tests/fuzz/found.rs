//! Inputs for which a target once failed, and why.

/// The target and the input.
pub(crate) const INPUTS: &[(&str, &[u8])] = &[];
