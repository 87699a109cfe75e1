//! Authorisation seen from outside: the decision against a plain reference, the claim
//! that managing never leads to data, and the matrix of roles and actions.

mod assign;
mod decide;
mod escalation;
mod golden;
mod matrix;
mod policies;
mod world;
