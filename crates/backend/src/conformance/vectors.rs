//! Known answers for AES and HMAC, in hexadecimal. From Project Wycheproof.

use keyreeve_types::{AesMode, KeySpec, MacAlgorithm, WrapAlgorithm};

/// Reads hexadecimal.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).expect("a vector in hexadecimal")
}

/// A tag of a message.
pub(super) struct Mac {
    pub(super) algorithm: MacAlgorithm,
    pub(super) key_spec: KeySpec,
    pub(super) key: &'static str,
    pub(super) message: &'static str,
    pub(super) tag: &'static str,
}

/// A ciphertext of a plaintext.
pub(super) struct Content {
    pub(super) mode: AesMode,
    pub(super) key_spec: KeySpec,
    pub(super) key: &'static str,
    pub(super) iv: &'static str,
    pub(super) aad: &'static str,
    pub(super) plaintext: &'static str,
    pub(super) ciphertext: &'static str,
    pub(super) tag: &'static str,
}

/// A wrapping of a key.
pub(super) struct Wrapping {
    pub(super) algorithm: WrapAlgorithm,
    pub(super) key_spec: KeySpec,
    pub(super) key: &'static str,
    pub(super) plain: &'static str,
    pub(super) wrapped: &'static str,
}

pub(super) const MACS: [Mac; 3] = [
    Mac {
        algorithm: MacAlgorithm::Hs256,
        key_spec: KeySpec::Hmac256,
        key: "6fa353868c82e5deeedac7f09471a61bf749ab5498239e947e012eee3c82d7c4",
        message: "aeed3e4d4cb9bbb60d482e98c126c0f5",
        tag: "9ed7f0e73812a27a87a3808ee0c89a6456499e835974ba57c5aab2a0d8c69e93",
    },
    Mac {
        algorithm: MacAlgorithm::Hs384,
        key_spec: KeySpec::Hmac384,
        key: "503d7478a773b694d6e552c9703cc8bc56fd49fafc9a17cab8b0332dca8d49336fa7e9ec2bcb56253fe5bb504e3e7f7f",
        message: "d96e6fed893addfd9237c81c4f4e341b",
        tag: "19389766789912260f3f9757df3651663829c358bb48b22c1c63132070df318905beffd45f51e4dfcb3e785f44cf9106",
    },
    Mac {
        algorithm: MacAlgorithm::Hs512,
        key_spec: KeySpec::Hmac512,
        key: "f5e2b9e2313f4f807cb3a924a7d4943fc3fb475d8f1a1b40ce09a37770f621af8977729cadf986c98c75f08a4fab4280538e09e7e51e87a8d62c03411bdb8d24",
        message: "74ef623c83275ae99745bff7e6142afa",
        tag: "471055f7a2d44758e7d7837db85c33626b8306760eb45e18d4ba8dfbcd0d4279fcf8b539ef7b165eeabf5457ee2c41e52d07e9121da02c988f08162f86bdf208",
    },
];

pub(super) const CONTENT: [Content; 6] = [
    Content {
        mode: AesMode::Gcm,
        key_spec: KeySpec::Aes128,
        key: "5b9604fe14eadba931b0ccf34843dab9",
        iv: "921d2507fa8007b7bd067d34",
        aad: "00112233445566778899aabbccddeeff",
        plaintext: "001d0c231287c1182784554ca3a21908",
        ciphertext: "49d8b9783e911913d87094d1f63cc765",
        tag: "1e348ba07cca2cf04c618cb4d43a5b92",
    },
    Content {
        mode: AesMode::Gcm,
        key_spec: KeySpec::Aes192,
        key: "969fed5068541d65418c2c1de8fe1f845e036030496e1272",
        iv: "817fe51c31f2879141a34335",
        aad: "cb",
        plaintext: "3d8233191a2823bf767e99167b1d4af4f4848458",
        ciphertext: "0d2c3a3c0cc4b40e70ed45e188e356a0e1533b31",
        tag: "92909a80e90540e1878ab59ef300072b",
    },
    Content {
        mode: AesMode::Gcm,
        key_spec: KeySpec::Aes256,
        key: "b279f57e19c8f53f2f963f5f2519fdb7c1779be2ca2b3ae8e1128b7d6c627fc4",
        iv: "98bc2c7438d5cd7665d76f6e",
        aad: "c0",
        plaintext: "fcc515b294408c8645c9183e3f4ecee5127846d1",
        ciphertext: "eb5500e3825952866d911253f8de860c00831c81",
        tag: "ecb660e1fb0541ec41e8d68a64141b3a",
    },
    Content {
        mode: AesMode::CbcPad,
        key_spec: KeySpec::Aes128,
        key: "e09eaa5a3f5e56d279d5e7a03373f6ea",
        iv: "c9ee3cd746bf208c65ca9e72a266d54f",
        aad: "",
        plaintext: "ef4eab37181f98423e53e947e7050fd0",
        ciphertext: "d1fa697f3e2e04d64f1a0da203813ca5bc226a0b1d42287b2a5b994a66eaf14a",
        tag: "",
    },
    Content {
        mode: AesMode::CbcPad,
        key_spec: KeySpec::Aes192,
        key: "f4bfa5aa4f0f4d62cf736cd2969c43d580fdb92f2753bedb",
        iv: "69a76dc4da64d89c580eb75ae975ec39",
        aad: "",
        plaintext: "0e239f239705b282ce2200fe20de1165",
        ciphertext: "7dbd573e4db58a318edfe29f199d8cda538a49f36486337c2711163e55fd5d0b",
        tag: "",
    },
    Content {
        mode: AesMode::CbcPad,
        key_spec: KeySpec::Aes256,
        key: "612e837843ceae7f61d49625faa7e7494f9253e20cb3adcea686512b043936cd",
        iv: "9ec7b863ac845cad5e4673da21f5b6a9",
        aad: "",
        plaintext: "cc37fae15f745a2f40e2c8b192f2b38d",
        ciphertext: "299295be47e9f5441fe83a7a811c4aeb2650333e681e69fa6b767d28a6ccf282",
        tag: "",
    },
];

pub(super) const WRAPPING: [Wrapping; 6] = [
    Wrapping {
        algorithm: WrapAlgorithm::AesKw(KeySpec::Aes128),
        key_spec: KeySpec::Aes128,
        key: "6f67486d1e914419cb43c28509c7c1ea",
        plain: "8dc0632d92ee0be4f740028410b08270",
        wrapped: "9de453ced5d4ab46a5601708eeefefb5e593e6ae8e86b26b",
    },
    Wrapping {
        algorithm: WrapAlgorithm::AesKw(KeySpec::Aes192),
        key_spec: KeySpec::Aes192,
        key: "f75a2f49a630c7dc91626b00ce029f0bd2981d7c74a93ebe",
        plain: "9adbc00c710b1101bdf6a4ed65b32d72",
        wrapped: "00be1caddfd5ad7697877017795f9cee4bce5a61687a6126",
    },
    Wrapping {
        algorithm: WrapAlgorithm::AesKw(KeySpec::Aes256),
        key_spec: KeySpec::Aes256,
        key: "fce0429c610658ef8e7cfb0154c51de2239a8a317f5af5b6714f985fb5c4d75c",
        plain: "287326b5ed0078e7ca0164d748f667e7",
        wrapped: "940b1c580e0c7233a791b0f192438d2eace14214cee455b7",
    },
    Wrapping {
        algorithm: WrapAlgorithm::AesKwp,
        key_spec: KeySpec::Aes128,
        key: "6f67486d1e914419cb43c28509c7c1ea",
        plain: "8dc0632d92ee0be4f740028410b08270",
        wrapped: "8cd63fa6788aa5edfa753fc87d645a672b14107c3b4519e7",
    },
    Wrapping {
        algorithm: WrapAlgorithm::AesKwp,
        key_spec: KeySpec::Aes192,
        key: "f75a2f49a630c7dc91626b00ce029f0bd2981d7c74a93ebe",
        plain: "9adbc00c710b1101bdf6a4ed65b32d72",
        wrapped: "5c117a678223cfe5ee691503061e7ab1e5f720e005171b32",
    },
    Wrapping {
        algorithm: WrapAlgorithm::AesKwp,
        key_spec: KeySpec::Aes256,
        key: "fce0429c610658ef8e7cfb0154c51de2239a8a317f5af5b6714f985fb5c4d75c",
        plain: "287326b5ed0078e7ca0164d748f667e7",
        wrapped: "e3eab96d9a2fda12f9e252053aff15e753e5ea6f5172c92b",
    },
];
