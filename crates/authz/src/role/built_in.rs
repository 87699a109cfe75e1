//! The built-in roles: names, GUIDs and data actions of Azure, and one of our own.
//!
//! Of Azure's management actions only those are here that mean something in Keyreeve,
//! and Keyreeve's own are added to the roles that need them. Two differences narrow a
//! role: Key Vault Contributor leaves out access policies, through which it could open
//! any vault to itself, and what reads management reads it by name, not by `*/read`.

use std::sync::{Arc, LazyLock};

use super::{Role, RoleDefinition, RoleId};

pub(super) const OWNER: u128 = 0x8e3af657_a8ff_443c_a75c_2fe8c4bcb635;

const ADMINISTRATOR: u128 = 0x00482a5a_887f_4fb3_b363_3b7fe8e74483;
const CERTIFICATES_OFFICER: u128 = 0xa4417e6f_fecd_4de8_b567_7b0420556985;
const CRYPTO_OFFICER: u128 = 0x14b46e9e_c2b7_41b4_b07b_48a6ebf60603;
const ENCRYPTION_USER: u128 = 0xe147488a_f6f5_4113_8e2d_b22465e65bf6;
const CRYPTO_USER: u128 = 0x12338af0_0e69_4776_bea7_57ae8d297424;
const READER: u128 = 0x21090545_7ca7_4776_b22c_e363652d74d2;
const SECRETS_OFFICER: u128 = 0xb86a8fe4_44ce_4948_aee5_eccb2c155cd7;
const SECRETS_USER: u128 = 0x4633458b_17de_408a_b874_0445c86b69e6;

/// What Key Vault Data Access Administrator may assign.
pub(super) const DELEGABLE: [u128; 8] = [
    ADMINISTRATOR,
    CERTIFICATES_OFFICER,
    CRYPTO_OFFICER,
    ENCRYPTION_USER,
    CRYPTO_USER,
    READER,
    SECRETS_OFFICER,
    SECRETS_USER,
];

const READS: &[&str] = &[
    "Microsoft.KeyVault/vaults/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.Authorization/roleAssignments/read",
    "Keyreeve/status/read",
];

struct Row {
    id: u128,
    name: &'static str,
    actions: &'static [&'static str],
    not_actions: &'static [&'static str],
    data_actions: &'static [&'static str],
}

const TABLE: &[Row] = &[
    Row { id: OWNER, name: "Owner", actions: &["*"], not_actions: &[], data_actions: &[] },
    Row {
        id: 0xf25e0fa2_a7c8_4377_a976_54943a77a395,
        name: "Key Vault Contributor",
        actions: &[
            "Microsoft.KeyVault/*",
            "Microsoft.Authorization/*/read",
            "Keyreeve/status/read",
        ],
        not_actions: &[
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            "Microsoft.KeyVault/vaults/accessPolicies/*",
        ],
        data_actions: &[],
    },
    Row {
        id: 0x8b54135c_b56d_4d72_a534_26097cfdc8d8,
        name: "Key Vault Data Access Administrator",
        actions: &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "Microsoft.Authorization/*/read",
            "Microsoft.KeyVault/vaults/read",
            "Microsoft.KeyVault/deletedVaults/read",
        ],
        not_actions: &[],
        data_actions: &[],
    },
    Row {
        id: 0xa68e7c17_0ab2_4c09_9a58_125dae29748c,
        name: "Key Vault Purge Operator",
        actions: &[
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            "Microsoft.KeyVault/deletedVaults/read",
        ],
        not_actions: &[],
        data_actions: &[],
    },
    Row {
        id: ADMINISTRATOR,
        name: "Key Vault Administrator",
        actions: READS,
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/*"],
    },
    Row {
        id: READER,
        name: "Key Vault Reader",
        actions: READS,
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/*/read",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ],
    },
    Row {
        id: CRYPTO_OFFICER,
        name: "Key Vault Crypto Officer",
        actions: READS,
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/keys/*",
            "Microsoft.KeyVault/vaults/keyrotationpolicies/*",
        ],
    },
    Row {
        id: CRYPTO_USER,
        name: "Key Vault Crypto User",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/keys/read",
            "Microsoft.KeyVault/vaults/keys/update/action",
            "Microsoft.KeyVault/vaults/keys/backup/action",
            "Microsoft.KeyVault/vaults/keys/encrypt/action",
            "Microsoft.KeyVault/vaults/keys/decrypt/action",
            "Microsoft.KeyVault/vaults/keys/wrap/action",
            "Microsoft.KeyVault/vaults/keys/unwrap/action",
            "Microsoft.KeyVault/vaults/keys/sign/action",
            "Microsoft.KeyVault/vaults/keys/verify/action",
        ],
    },
    Row {
        id: ENCRYPTION_USER,
        name: "Key Vault Crypto Service Encryption User",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/keys/read",
            "Microsoft.KeyVault/vaults/keys/wrap/action",
            "Microsoft.KeyVault/vaults/keys/unwrap/action",
        ],
    },
    Row {
        id: 0x08bbd89e_9f13_488c_ac41_acfcb10c90ab,
        name: "Key Vault Crypto Service Release User",
        actions: &[],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/keys/release/action"],
    },
    Row {
        id: SECRETS_OFFICER,
        name: "Key Vault Secrets Officer",
        actions: READS,
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/secrets/*"],
    },
    Row {
        id: SECRETS_USER,
        name: "Key Vault Secrets User",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ],
    },
    Row {
        id: CERTIFICATES_OFFICER,
        name: "Key Vault Certificates Officer",
        actions: READS,
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/certificatecas/*",
            "Microsoft.KeyVault/vaults/certificates/*",
            "Microsoft.KeyVault/vaults/certificatecontacts/write",
        ],
    },
    Row {
        id: 0xdb79e9a7_68ee_4b58_9aeb_b90e7c24fcba,
        name: "Key Vault Certificate User",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/certificates/read",
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            "Microsoft.KeyVault/vaults/keys/read",
        ],
    },
    // Ours. Who looks at what others do should need no other right, and who manages
    // vaults or keys needs not this one.
    Row {
        id: 0x6b1f2f0e_5f0c_4b0e_9d52_3a6e0c9f7d41,
        name: "Keyreeve Audit Reader",
        actions: &["Keyreeve/auditLog/read", "Keyreeve/status/read"],
        not_actions: &[],
        data_actions: &[],
    },
];

/// Compiled at the first use, from constants.
pub(super) fn all() -> &'static [Arc<Role>] {
    static ROLES: LazyLock<Vec<Arc<Role>>> = LazyLock::new(|| TABLE.iter().map(role).collect());
    &ROLES
}

fn role(row: &Row) -> Arc<Role> {
    let definition = RoleDefinition::new(row.actions, row.not_actions, row.data_actions, &[])
        .expect("a test compiles every row");
    let rights = definition.rights();
    Arc::new(Role { id: RoleId(row.id), name: row.name.into(), custom: false, definition, rights })
}
