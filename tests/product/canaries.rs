//! No secret in a log, a trace, a metric, an audit record or an error: held against the
//! running product by looking.
//!
//! Every field of every call that can carry a secret gets one that is in no other place,
//! in lawful calls and in malformed ones; every secret that the service gives out is kept.
//! Then all that the service says about itself is read: what it logs at its most verbose,
//! what a collector was sent, the metrics, the audit log, every error. That nothing is
//! found means something only because the same search finds a decoy in each of them.

mod fields;
mod site;

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use keyreeve_client::{Error, NewKey, v1};
use prost_types::Timestamp;
use tonic::Status;

use self::{fields::every_field, site::Site};
use crate::{
    caller::{block_on, post},
    keys::{self, random},
    needles::Needles,
};

/// What nobody may say, each with where it was.
#[derive(Default)]
struct Canaries(Vec<(String, Vec<u8>)>);

/// All that the service said in errors.
#[derive(Default)]
struct Errors(String);

/// The name of a key, which logs, spans and audit records do have.
struct Decoy(String);

/// Guards against a secret that comes out by a side door: a `{:?}` of a request at the
/// level `trace`, a library that logs what it reads, an error that quotes its input.
#[test]
fn no_secret_is_in_anything_that_the_service_says() {
    let site = Site::start();
    let decoy = Decoy(format!("decoy-{}", hex::encode(random(24))));
    let (mut canaries, mut errors) = (site.files(), Errors::default());
    block_on(async {
        lawful(&site, &decoy, &mut canaries, &mut errors).await;
        every_field(&site, &mut canaries, &mut errors).await;
    });
    at_the_token_endpoint(&site, &mut canaries, &mut errors);
    let metrics = site.metrics();
    // What was done is with the collector when this is.
    let log = site.log_to_the_end(&decoy);

    let secrets = canaries.0.iter().map(|(name, secret)| (name.as_str(), &secret[..]));
    let needles = Needles::new(secrets.chain([("decoy", decoy.0.as_bytes())]));
    assert!(canaries.0.len() > 100, "{} canaries", canaries.0.len());
    let traces = site.sent("TraceService");
    let records = site.sent("LogsService");
    let audit = files(&site.dev("data/audit"));
    let places: [(&str, Vec<u8>); 6] = [
        ("the log", log),
        ("the spans", traces),
        ("the audit records that were sent", records),
        ("the audit log", audit),
        ("the errors", errors.0.into_bytes()),
        // It has no names of objects, so the decoy is put there.
        ("the metrics", (metrics + &decoy.0).into_bytes()),
    ];
    for (place, text) in &places {
        let found = needles.find(text);
        let (decoys, leaks): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| found.starts_with("decoy"));
        assert!(!decoys.is_empty(), "void: no decoy in {place}");
        assert!(leaks.is_empty(), "secrets in {place}: {leaks:#?}");
    }
    let sizes: Vec<_> = places.iter().map(|(place, text)| (place, text.len())).collect();
    eprintln!("{} canaries, {} needles, bytes: {sizes:?}", canaries.0.len(), needles.len());
}

impl Canaries {
    /// One that is new, in `place`.
    fn make(&mut self, place: &str) -> Vec<u8> {
        let canary = random(32);
        self.keep(place, &canary);
        canary
    }

    /// One that is text.
    fn text(&mut self, place: &str) -> String {
        let canary = hex::encode(random(32));
        self.keep(place, canary.as_bytes());
        canary
    }

    /// One that the service made.
    fn keep(&mut self, place: &str, secret: &[u8]) {
        self.0.push((place.to_owned(), secret.to_owned()));
    }
}

impl Errors {
    /// What must fail.
    fn expect<T>(&mut self, outcome: Result<T, Error>) {
        let error = outcome.err().expect("it is wrong");
        self.0 += &format!("{error} {error:?}\n");
    }

    /// What may fail.
    fn see(&mut self, status: &Status) {
        self.0 += &format!("{status:?} {:?}\n", status.message());
        self.0 += &String::from_utf8_lossy(status.details());
    }
}

/// Every operation as it is meant, and wrong in ways that are noticed late.
async fn lawful(site: &Site, decoy: &Decoy, canaries: &mut Canaries, errors: &mut Errors) {
    let client = site.client(site.token());
    for key in keys::make() {
        keys::import(&client, &key).await;
        canaries.0.extend(key.private);
    }
    client.key(&format!("dev/{}", decoy.0)).create(NewKey::ec("P-256")).await.expect("a key");
    client.key(&format!("dev/{}", decoy.0)).sign("ES256", b"m").await.expect("signed");

    let (ec, hmac) = (client.key("dev/ec-jwk"), client.key("dev/hmac"));
    let message = canaries.make("a message");
    let signature = ec.sign("ES256", message.clone()).await.expect("signed");
    ec.sign_digest("ES256", canaries.make("a digest")).await.expect("signed");
    ec.verify("ES256", message.clone(), &signature).await.expect("verified");
    errors.expect(ec.verify("RS256", canaries.make("a message"), &signature).await);
    let claims = format!(r#"{{"x":"{}"}}"#, canaries.text("claims"));
    let header = format!(r#"{{"x":"{}"}}"#, canaries.text("a header"));
    let jwt = ec.sign_jwt_with_header("ES256", &claims, &header).await.expect("signed");
    canaries.keep("a JWT", jwt.rsplit('.').next().expect("a signature").as_bytes());
    let twice = format!(r#"{{"a":1,"a":"{}"}}"#, canaries.text("claims"));
    errors.expect(ec.sign_jwt("ES256", &twice).await);
    let mac = hmac.mac("HS256", canaries.make("a message")).await.expect("a MAC");
    canaries.keep("a MAC", &mac);
    hmac.verify_mac("HS256", message, &mac).await.expect("verified");

    let aes = client.key("dev/aes-gcm");
    let (text, data) = (canaries.make("a plaintext"), canaries.make("additional data"));
    let sealed = aes.encrypt_with("A256GCM", text, &data).await.expect("sealed");
    aes.decrypt(&sealed, &data).await.expect("opened");
    errors.expect(aes.decrypt(&sealed, canaries.make("additional data")).await);
    let moved = aes.re_encrypt(&sealed, &data, &data).await.expect("moved");
    errors.expect(aes.decrypt(&moved, b"").await);
    let wrap = client.key("dev/aes-wrap");
    let wrapped = wrap.wrap(canaries.make("a key to wrap")).await.expect("wrapped");
    wrap.unwrap(&wrapped).await.expect("unwrapped");
    errors.expect(wrap.wrap(canaries.make("a key to wrap").repeat(4000)).await);
    let (data_key, _) = wrap.generate_data_key(32).await.expect("a data key");
    canaries.keep("a data key", &data_key);
    canaries.keep("random bytes", &client.vault("dev").random(32).await.expect("random"));

    let sign = |message| v1::SignRequest {
        name: "vaults/dev/keys/ec-jwk".to_owned(),
        algorithm: "ES256".to_owned(),
        input: Some(v1::sign_request::Input::Message(Bytes::from(message))),
    };
    let batch = [sign(canaries.make("a batch")), sign(canaries.make("a batch"))];
    client.batch(batch).await.expect("a batch");
    client.stream().call(sign(canaries.make("a stream"))).await.expect("signed");

    // Tokens: one that is issued, and some that are not.
    let expire_time = in_an_hour();
    let owner = Some(v1::token::Owner::Bearer("somebody".into()));
    let token = v1::Token { owner, expire_time, ..Default::default() };
    let made = client.call(v1::CreateTokenRequest { token: Some(token) }).await.expect("a token");
    canaries.keep("an issued token", made.secret_text.as_bytes());
    site.client(&made.secret_text).who_am_i().await.expect("somebody");
    let stranger = site.client(&made.secret_text);
    errors.expect(stranger.key(&format!("dev/{}", decoy.0)).sign("ES256", b"m").await);
    let unknown = format!("kr_{}", canaries.text("an unknown token"));
    errors.expect(site.client(&unknown).who_am_i().await);
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let (kid, sub) = (canaries.text("a kid"), canaries.text("a sub"));
    let forged = format!(
        "{}.{}.{}",
        part(format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#)),
        part(format!(r#"{{"iss":"https://nobody.example","sub":"{sub}","exp":9999999999}}"#)),
        URL_SAFE_NO_PAD.encode(canaries.make("a signature")),
    );
    errors.expect(site.client(&forged).who_am_i().await);
}

/// Secrets of clients, right and wrong, and what they get for them.
fn at_the_token_endpoint(site: &Site, canaries: &mut Canaries, errors: &mut Errors) {
    let (client, secret) = block_on(async {
        let owner = site.client(site.token());
        let principal = v1::Principal {
            display_name: "Deployer".into(),
            kind: v1::principal::Kind::ServicePrincipal.into(),
            ..Default::default()
        };
        let request = v1::CreatePrincipalRequest { principal: Some(principal) };
        let parent = owner.call(request).await.expect("a principal").name;
        let expire_time = in_an_hour();
        let request = v1::AddClientSecretRequest { parent: parent.clone(), expire_time };
        let made = owner.call(request).await.expect("a secret");
        (parent.trim_start_matches("principals/").to_owned(), made.secret_text)
    });
    canaries.keep("a client secret", secret.as_bytes());
    let ask = |rest: &str| {
        let form = format!("grant_type=client_credentials&client_id={client}&{rest}");
        post(&site.https, &site.ca(), "/oauth2/token", &form)
    };
    let answer = ask(&format!("client_secret={secret}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    let token = answer["access_token"].as_str().expect("a token");
    canaries.keep("an access token", token.as_bytes());
    let jwt_bearer = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let (text, sub) = (canaries.text("an assertion"), canaries.text("an assertion's claims"));
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"{client}","sub":"{sub}"}}"#));
    for wrong in [
        format!("client_secret={}", canaries.text("a wrong client secret")),
        format!("{jwt_bearer}&client_assertion={text}"),
        format!("{jwt_bearer}&client_assertion=eyJhbGciOiJSUzI1NiJ9.{claims}.{text}"),
        format!("client_secret={}&client_assertion=x", canaries.text("one of two ways")),
    ] {
        let answer = ask(&wrong);
        assert!((400..=401).contains(&answer.status), "{}", answer.body);
        errors.0 += &(answer.head + &answer.body);
    }
}

fn in_an_hour() -> Option<Timestamp> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Some(Timestamp { seconds: i64::try_from(now.as_secs()).expect("a time") + 3600, nanos: 0 })
}

/// All files in `directory`, one after another.
fn files(directory: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.extend(fs::read(&path).expect("readable"));
        }
    }
    all
}
