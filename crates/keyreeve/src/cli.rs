//! The command line: what can be asked. Each command is in the file of its name.

mod assignment;
mod audit;
mod completions;
mod data_key;
mod decrypt;
mod dev;
mod encrypt;
mod hsm;
mod jwt;
mod key;
mod keyhost;
mod mac;
mod principal;
mod process;
mod random;
mod re_encrypt;
mod role;
mod root_key;
mod seal;
mod serve;
mod sign;
mod status;
mod token;
mod unseal;
mod unwrap;
mod vault;
mod verify;
mod verify_mac;
mod whoami;
mod wrap;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use keyreeve_client::Client;

use crate::{connection::Connection, failure::Failure, output::Format};

/// A key service: keys stay inside, applications ask it to use them.
///
/// An object is written VAULT/NAME or VAULT/NAME/VERSION. Input comes from --file or
/// stdin, results go to stdout or --out.
///
/// Exit codes: 0 done; 1 the answer is no (not valid, not allowed, not found); 2 the
/// command or its surroundings are wrong; 3 the service could not be reached or
/// failed; 130 interrupted.
#[derive(Parser)]
#[command(name = "keyreeve", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    settings: Settings,

    #[command(subcommand)]
    command: Command,
}

/// What every command may need.
#[derive(clap::Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    connection: Connection,

    /// The form of what is printed
    #[arg(long, global = true, value_enum, default_value = "table", value_name = "FORM")]
    pub(crate) output: Format,
}

impl Settings {
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.connection.client()
    }
}

#[derive(Subcommand)]
enum Command {
    /// Run the service as a configuration says
    Serve(serve::Serve),
    /// Run a service for development, with everything it needs
    Dev(dev::Dev),
    /// Make the key that seals the software keystore
    #[command(subcommand)]
    RootKey(root_key::Command),
    /// Look at, initialise, provision and check a PKCS#11 token
    #[command(subcommand)]
    Hsm(hsm::Command),
    /// Serve a slot of an HSM to a service elsewhere
    #[command(subcommand)]
    Keyhost(keyhost::Command),
    #[command(subcommand, hide = true)]
    Process(process::Command),
    /// Make and look at vaults
    #[command(subcommand)]
    Vault(vault::Command),
    /// Make, import, look at and change keys
    #[command(subcommand)]
    Key(key::Command),
    /// Roles: what they grant, and custom ones
    #[command(subcommand)]
    Role(role::Command),
    /// Who holds which role where
    #[command(subcommand)]
    Assignment(assignment::Command),
    /// Show who the service takes you for, and what you hold
    Whoami(whoami::WhoAmI),
    /// Sign a message or a digest
    Sign(sign::Sign),
    /// Verify a signature: exit code 0 if it is valid, 1 if not
    Verify(verify::Verify),
    /// Encrypt up to 64 KiB
    Encrypt(encrypt::Encrypt),
    /// Decrypt what `encrypt` printed
    Decrypt(decrypt::Decrypt),
    /// Encrypt the bytes of another key
    Wrap(wrap::Wrap),
    /// Decrypt what `wrap` or `data-key` printed
    Unwrap(unwrap::Unwrap),
    /// Make a random data key, wrapped
    DataKey(data_key::DataKey),
    /// Encrypt under another key what `encrypt` printed
    ReEncrypt(re_encrypt::ReEncrypt),
    /// Compute a MAC
    Mac(mac::Mac),
    /// Verify a MAC: exit code 0 if it is valid, 1 if not
    VerifyMac(verify_mac::VerifyMac),
    /// Signed tokens
    #[command(subcommand)]
    Jwt(jwt::Command),
    /// Draw random bytes from a vault's backend
    Random(random::Random),
    /// Show the service's processes, protections and algorithms
    Status(status::Status),
    /// Read, check and prove the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Seal a file of any size under a key
    Seal(seal::Seal),
    /// Open a sealed file
    Unseal(unseal::Unseal),
    /// Programs that prove themselves, and their credentials
    #[command(subcommand)]
    Principal(principal::Command),
    /// Bearer tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Print a shell's completions
    Completions(completions::Completions),
}

impl Cli {
    /// The command, and the vault or key it is about, as typed. Ends the program with
    /// clap's own words if the arguments are no command.
    pub(crate) fn from_arguments() -> (Self, Option<String>) {
        let matches = Self::command().get_matches();
        let object = object(&matches);
        match Self::from_arg_matches(&matches) {
            Ok(cli) => (cli, object),
            Err(error) => error.exit(),
        }
    }

    /// Does what was asked.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        // The service makes its own runtimes, on threads it chooses.
        match self.command {
            Command::Serve(command) => command.run().map(|()| ExitCode::SUCCESS),
            Command::Dev(command) => command.run().map(|()| ExitCode::SUCCESS),
            Command::Keyhost(command) => command.run().map(|()| ExitCode::SUCCESS),
            Command::Process(command) => Ok(command.run()),
            _ => self.ask().map(|()| ExitCode::SUCCESS),
        }
    }

    fn ask(self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::local(format!("no runtime: {error}"), "check the limits of this process")
        })?;
        runtime.block_on(self.dispatch())
    }

    async fn dispatch(self) -> Result<(), Failure> {
        let settings = &self.settings;
        match self.command {
            Command::Vault(command) => command.run(settings).await,
            Command::Key(command) => command.run(settings).await,
            Command::Role(command) => command.run(settings).await,
            Command::Assignment(command) => command.run(settings).await,
            Command::Whoami(command) => command.run(settings).await,
            Command::Sign(command) => command.run(settings).await,
            Command::Verify(command) => command.run(settings).await,
            Command::Encrypt(command) => command.run(settings).await,
            Command::Decrypt(command) => command.run(settings).await,
            Command::Wrap(command) => command.run(settings).await,
            Command::Unwrap(command) => command.run(settings).await,
            Command::DataKey(command) => command.run(settings).await,
            Command::ReEncrypt(command) => command.run(settings).await,
            Command::Mac(command) => command.run(settings).await,
            Command::VerifyMac(command) => command.run(settings).await,
            Command::Jwt(command) => command.run(settings).await,
            Command::Random(command) => command.run(settings).await,
            Command::Status(command) => command.run(settings).await,
            Command::Audit(command) => command.run(settings).await,
            Command::Seal(command) => command.run(settings).await,
            Command::Unseal(command) => command.run(settings).await,
            Command::Principal(command) => command.run(settings).await,
            Command::Token(command) => command.run(settings).await,
            Command::RootKey(command) => command.run(),
            Command::Hsm(command) => command.run(settings),
            // Done by `run`.
            Command::Serve(_) | Command::Dev(_) | Command::Keyhost(_) | Command::Process(_) => {
                Ok(())
            }
            Command::Completions(command) => command.run(),
        }
    }
}

/// What the innermost command names, under whichever of its arguments.
fn object(matches: &ArgMatches) -> Option<String> {
    let mut innermost = matches;
    while let Some((_, inner)) = innermost.subcommand() {
        innermost = inner;
    }
    ["name", "vault", "key", "to", "parent"].into_iter().find_map(|argument| {
        let mut values = innermost.try_get_raw(argument).ok()??;
        values.next()?.to_str().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against advice about another object than the command's, or none.
    #[test]
    fn the_object_of_a_command_is_found() {
        for (line, expected) in [
            ("keyreeve sign prod/jwt --alg ES256 --file a/b", Some("prod/jwt")),
            ("keyreeve key update prod/jwt --enabled false", Some("prod/jwt")),
            ("keyreeve key list prod", Some("prod")),
            ("keyreeve vault create prod --tier standard", Some("prod")),
            ("keyreeve seal FILE --key prod/kek", Some("prod/kek")),
            ("keyreeve jwt jwks prod/jwt", Some("prod/jwt")),
            ("keyreeve random prod --size 32", Some("prod")),
            ("keyreeve status", None),
        ] {
            let matches = Cli::command().get_matches_from(line.split_whitespace());
            assert_eq!(object(&matches).as_deref(), expected, "{line}");
        }
    }

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    /// Guards against contradictory definitions, which clap finds only when it is
    /// asked.
    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Guards against a command of the documentation that no longer parses.
    #[test]
    fn documented_commands_parse() {
        for line in [
            "keyreeve vault create prod --tier premium",
            "keyreeve vault list --output json",
            "keyreeve key create prod/jwt --kty EC --crv P-256",
            "keyreeve key create prod/r --kty RSA --size 3072 --ops sign,verify --tag a=b --tag c=d",
            "keyreeve key create prod/k --kty oct --size 256 --expires 90d --disabled",
            "keyreeve key create prod/ed --kty OKP --crv Ed25519 --not-before 2027-01-31",
            "keyreeve key import prod/old --file key.pem",
            "keyreeve key show prod/jwt/0123456789abcdef0123456789abcdef --pem",
            "keyreeve key versions prod/jwt",
            "keyreeve key update prod/jwt --enabled false --expires none",
            "keyreeve key rotate prod/jwt",
            "keyreeve sign prod/jwt --alg ES256 --file FILE",
            "keyreeve sign prod/jwt --alg ES256 --digest 00ff",
            "keyreeve verify prod/jwt --alg ES256 --file FILE --signature AAAA",
            "keyreeve verify prod/jwt --alg ES256 --signature-file SIG",
            "keyreeve encrypt prod/k --aad customer",
            "keyreeve decrypt --aad customer --file c.json",
            "keyreeve decrypt prod/k",
            "keyreeve wrap prod/kek",
            "keyreeve unwrap prod/kek --out key.bin",
            "keyreeve data-key prod/kek --size 32 --wrapped-only",
            "keyreeve re-encrypt --to prod/new --file c.json",
            "keyreeve mac prod/h --alg HS256",
            "keyreeve verify-mac prod/h --alg HS256 --mac AAAA",
            "keyreeve jwt sign prod/jwt --alg ES256 --claims {}",
            "keyreeve jwt jwks prod",
            "keyreeve jwt jwks prod/jwt",
            "keyreeve random prod --size 32",
            "keyreeve status --addr https://localhost:1 --cacert ca.pem --token-file t",
            "keyreeve seal FILE --key prod/kek",
            "keyreeve unseal FILE.sealed --out FILE",
            "keyreeve role list",
            "keyreeve role show Owner",
            "keyreeve role create Signer --data-action Microsoft.KeyVault/vaults/keys/sign/action",
            "keyreeve role update Signer --title Signers",
            "keyreeve role delete Signers",
            "keyreeve assignment create --role Owner --to user:ann --issuer corp --scope /",
            "keyreeve assignment create --role Owner --to token:app --scope prod/jwt --expires 90d",
            "keyreeve assignment list --scope prod --to token:app",
            "keyreeve assignment delete 8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
            "keyreeve vault access show prod",
            "keyreeve vault access model prod access-policies",
            "keyreeve vault access grant prod --to token:app --keys get,sign",
            "keyreeve vault access revoke prod --to token:app",
            "keyreeve vault network show prod",
            "keyreeve vault network set prod --default deny --range 203.0.113.0/24",
            "keyreeve whoami",
            "keyreeve audit tail -n 5 --follow",
            "keyreeve audit query --principal token:app --object prod/jwt --outcome denied",
            "keyreeve audit query --since 2027-01-31 --operation Sign --output json",
            "keyreeve audit query --dir audit --key audit.vkey --from 100",
            "keyreeve audit verify --dir audit --key audit.vkey --checkpoint kept",
            "keyreeve audit prove 17 --out r17",
            "keyreeve audit prove 17 --dir audit --key audit.vkey",
            "keyreeve audit prove --check r17 --with audit.vkey",
            "keyreeve audit export --since 2027-01-31",
            "keyreeve completions bash",
            "keyreeve hsm list --profile p.toml --mechanisms",
            "keyreeve hsm list --module /usr/lib/softhsm/libsofthsm2.so --output json",
            "keyreeve hsm init --profile p.toml --token-label keyreeve --generate-so-pin so --generate-pin user",
            "keyreeve hsm provision --profile p.toml --pin-file user --group premium --dry-run",
            "keyreeve hsm check --profile p.toml --pin-file user --group premium --output json",
            "keyreeve hsm pin rotate --profile p.toml --pin-file user",
            "keyreeve hsm replicate --group g --from-profile a --from-pin-file u --from-so-pin-file s --to-profile b --to-pin-file v --close",
            "keyreeve hsm ceremony plan c.toml",
            "keyreeve hsm ceremony run c.toml --transcript t --confirmation a --confirmation b",
            "keyreeve hsm ceremony verify c.toml --transcript t",
            "keyreeve hsm provision --profile p.toml --token-label t --serial 1 --group premium --export open --root-recipient r",
            "keyreeve token generate",
            "keyreeve token create app --expires 30d",
            "keyreeve token create --principal 11111111-2222-4333-8444-555555555555",
            "keyreeve token list",
            "keyreeve token revoke 0123456789abcdef0123456789abcdef",
            "keyreeve principal create Deployer --kind managed-identity",
            "keyreeve principal list --output json",
            "keyreeve principal show 11111111-2222-4333-8444-555555555555",
            "keyreeve principal disable 11111111-2222-4333-8444-555555555555",
            "keyreeve principal enable 11111111-2222-4333-8444-555555555555",
            "keyreeve principal delete 11111111-2222-4333-8444-555555555555",
            "keyreeve principal secret add 11111111-2222-4333-8444-555555555555 --expires 30d",
            "keyreeve principal secret remove 11111111-2222-4333-8444-555555555555 0123456789abcdef0123456789abcdef",
            "keyreeve principal certificate add 11111111-2222-4333-8444-555555555555 --file app.pem",
            "keyreeve principal federated add 11111111-2222-4333-8444-555555555555 --issuer https://i --subject s --audience a",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    /// Guards against a slip that reaches the service, or worse another object.
    #[test]
    fn slips_are_refused_before_anything_is_sent() {
        for line in [
            "keyreeve sign prod --alg ES256",
            "keyreeve sign prod/../jwt --alg ES256",
            "keyreeve sign prod/jwt",
            "keyreeve sign prod/jwt --alg ES256 --file F --digest 00",
            "keyreeve vault create prod/x",
            "keyreeve vault create prod --tier gold",
            "keyreeve key create prod/jwt",
            "keyreeve key create prod/jwt --kty EC --tag novalue",
            "keyreeve key create prod/jwt --kty EC --expires tomorrow",
            "keyreeve key update prod/jwt",
            "keyreeve assignment create --role Owner --to app --scope /",
            "keyreeve assignment create --role Owner --to token:app",
            "keyreeve vault access grant prod --to token:app",
            "keyreeve status --token secret",
            "keyreeve audit query --dir audit",
            "keyreeve audit prove",
            "keyreeve audit tail -n 0",
            "keyreeve token revoke kr_secret",
            "keyreeve token create",
            "keyreeve principal show Deployer",
            "keyreeve hsm list",
            "keyreeve hsm ceremony run c.toml",
            "keyreeve hsm list --profile p --module m",
            "keyreeve hsm provision --profile p --pin 1234 --group g",
            "keyreeve hsm init --profile p --token-label t --pin-file f --generate-pin g",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    /// Guards against a token on the argument list, where every user can read it.
    #[test]
    fn no_flag_takes_a_token() {
        fn flags(command: &clap::Command, found: &mut Vec<String>) {
            found.extend(command.get_arguments().filter_map(|a| a.get_long()).map(str::to_owned));
            command.get_subcommands().for_each(|sub| flags(sub, found));
        }
        let mut found = Vec::new();
        flags(&Cli::command(), &mut found);
        assert!(found.iter().any(|flag| flag == "token-file"), "{found:?}");
        assert!(!found.iter().any(|flag| flag == "token"), "{found:?}");
    }
}
