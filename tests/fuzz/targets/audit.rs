//! What auditors are handed: records, signed notes, proofs.
//!
//! A record has one encoding, a proof one text; a note that opens says what was signed,
//! and nothing else does.

use keyreeve_audit::{
    BadProof, Checkpoint, CheckpointSigner, Ed25519Signer, Hash, InclusionProof, Record,
    SigningRequest, VerifierKey,
};
use keyreeve_types::Secret;

use super::Target;

pub(super) const RECORD: Target =
    Target { name: "audit_record", max_len: 4200, seeds: records, run: record };
pub(super) const NOTE: Target =
    Target { name: "audit_note", max_len: 1024, seeds: notes, run: note };
pub(super) const PROOF: Target =
    Target { name: "audit_proof", max_len: 4096, seeds: proofs, run: proof };

const GOLDEN: &str = include_str!("../../../crates/audit/src/record/golden.jsonl");

fn records() -> Vec<Vec<u8>> {
    GOLDEN.lines().map(|line| line.as_bytes().to_vec()).collect()
}

fn record(input: &[u8]) {
    if let Ok(record) = Record::decode(input) {
        assert_eq!(record.encode(), input, "a second spelling of one record");
    }
}

fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed("audit.example", &Secret::new([7; 32])).expect("a name")
}

/// The checkpoint of the log without records, signed.
fn signed() -> String {
    let signer = signer();
    let origin = signer.key().name().to_owned();
    let next = Checkpoint { origin, size: 0, root: Hash::of_empty_tree() };
    let request = SigningRequest { previous: None, note: "", next: &next, consistency: &[] };
    let signature = signer.sign(&request).expect("it is the first");
    signer.key().seal(&next.text(), &signature)
}

fn notes() -> Vec<Vec<u8>> {
    let key = signer().key().to_string();
    let witnessed = format!("{}— witness.example AAAAAAAA\n", signed());
    [signed(), witnessed, key].map(String::into_bytes).into()
}

fn note(input: &[u8]) {
    let key = signer().key().clone();
    if let Ok(checkpoint) = Checkpoint::open(input, &key) {
        // The key signed one text in its life.
        assert_eq!((checkpoint.size, checkpoint.root), (0, Hash::of_empty_tree()));
    }
    let other = VerifierKey::new("audit.example", [9; 32]).expect("a name");
    assert!(Checkpoint::open(input, &other).is_err(), "it opens under another key");
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(key) = text.parse::<VerifierKey>()
    {
        assert_eq!(key.to_string(), text, "a second spelling of one key");
    }
}

fn proofs() -> Vec<Vec<u8>> {
    let text = |path| InclusionProof { index: 3, path, checkpoint: signed() }.to_string();
    [text(vec![]), text(vec![Hash([5; 32]); 4])].map(String::into_bytes).into()
}

fn proof(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(proof) = InclusionProof::parse(text) else { return };
    assert!(proof.path.len() <= 64, "longer than any tree is high");
    let again = InclusionProof::parse(&proof.to_string());
    assert_eq!(again.as_ref(), Ok(&proof), "read again as another proof");
    // The log without records has none to prove.
    assert_eq!(proof.check(b"{}", signer().key()), Err(BadProof));
}
