//! The rows of the table: what is measured, and what it may cost.

/// One row.
#[derive(Debug)]
pub(crate) struct Row {
    /// For filters and JSON.
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) title: &'static str,
    /// What Keyreeve is asked for.
    pub(crate) operation: Operation,
    /// What the bare loop does.
    pub(crate) primitive: Primitive,
    /// What b may be.
    pub(crate) target: Target,
}

/// A call to Keyreeve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// ES256 of a digest, in the software keystore.
    SignP256,
    /// RS256 of a digest, in the software keystore.
    SignRsa2048,
    /// ES256.
    VerifyP256,
    /// A256GCM of [`PLAINTEXT`] bytes.
    EncryptGcm,
    /// [`BATCH`] times ES256 in one call.
    BatchP256,
    /// ES256 in the premium vault.
    SlotP256,
}

/// The same without a service around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Primitive {
    SignP256,
    SignRsa2048,
    VerifyP256,
    EncryptGcm,
    /// `C_Sign` on a token object in SoftHSM.
    ModuleP256,
}

/// How b compares to the limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// CPU time per operation, at most this many times a + c.
    OfBoth(f64),
    /// CPU time per operation, at most this many times c.
    OfBare(f64),
    /// One caller alone: the median latency, at most a + c and this many
    /// microseconds. Here c is the primitive's wall-clock time.
    Latency(f64),
}

/// Operations in one batch.
pub(crate) const BATCH: usize = 16;
/// Bytes that are encrypted.
pub(crate) const PLAINTEXT: usize = 4096;
/// Bytes that are echoed: as many as a digest.
pub(crate) const ECHO: usize = 32;

/// All rows.
pub(crate) const ROWS: [Row; 7] = [
    Row {
        name: "sign-p256",
        title: "Sign P-256",
        operation: Operation::SignP256,
        primitive: Primitive::SignP256,
        target: Target::OfBoth(1.4),
    },
    Row {
        name: "sign-rsa2048",
        title: "Sign RSA-2048",
        operation: Operation::SignRsa2048,
        primitive: Primitive::SignRsa2048,
        target: Target::OfBoth(1.1),
    },
    Row {
        name: "verify-p256",
        title: "Verify P-256",
        operation: Operation::VerifyP256,
        primitive: Primitive::VerifyP256,
        target: Target::OfBoth(1.3),
    },
    Row {
        name: "encrypt-gcm-4k",
        title: "AES-256-GCM, 4 KiB",
        operation: Operation::EncryptGcm,
        primitive: Primitive::EncryptGcm,
        target: Target::OfBoth(2.0),
    },
    Row {
        name: "batch-p256",
        title: "Sign P-256, batch of 16",
        operation: Operation::BatchP256,
        primitive: Primitive::SignP256,
        target: Target::OfBare(1.2),
    },
    Row {
        name: "softhsm-p256",
        title: "Sign P-256, SoftHSM slot",
        operation: Operation::SlotP256,
        primitive: Primitive::ModuleP256,
        target: Target::OfBoth(1.3),
    },
    Row {
        name: "alone-p256",
        title: "Sign P-256, one caller, p50",
        operation: Operation::SignP256,
        primitive: Primitive::SignP256,
        target: Target::Latency(100.0),
    },
];
