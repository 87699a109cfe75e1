//! The service of the canaries: as an operator runs it, and as talkative as it can be.

use std::{fs, net::TcpListener, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyreeve_client::Client;
use keyreeve_testkit::{Collector, Keyreeve, Service};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::{Canaries, Decoy};
use crate::caller::{block_on, get};

/// A service as an operator runs it, with everything on that tells what it does.
pub(super) struct Site {
    service: Option<Service>,
    collector: Collector,
    directory: tempfile::TempDir,
    grpc: String,
    pub(super) https: String,
    token: String,
}

impl Site {
    /// Of the files that `keyreeve dev` made.
    pub(super) fn start() -> Self {
        let directory = Keyreeve::start().expect("a service").stop().expect("it ends");
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let [grpc, https] = [free(), free()].map(|found| found.expect("a port").to_string());
        let collector = Collector::start(None).expect("a collector");
        let dev = directory.path().join("dev");
        let text = fs::read_to_string(dev.join("keyreeve.toml")).expect("a configuration");
        let mut config: toml::Table = text.parse().expect("TOML");
        config["grpc"]["listen"] = grpc.clone().into();
        config["https"]["listen"] = https.clone().into();
        let url = format!("https://{https}");
        let more = |table: &mut toml::Value, name: &str, value: toml::Value| {
            table.as_table_mut().expect("a table").insert(name.to_owned(), value);
        };
        more(&mut config["https"], "url", url.clone().into());
        more(&mut config["log"], "level", "trace".into());
        config.insert(
            "telemetry".to_owned(),
            toml::Table::from_iter([
                ("otlp".to_owned(), collector.address().to_string().into()),
                ("sample".to_owned(), 1.0.into()),
                ("audit".to_owned(), true.into()),
            ])
            .into(),
        );
        let file = dev.join("canaries.toml");
        fs::write(&file, config.to_string()).expect("written");
        let arguments = ["serve", "--config", file.to_str().expect("UTF-8")];
        let log = directory.path().join("canaries.log");
        let mut service = Service::start(arguments, directory.path(), log).expect("it starts");
        let token = fs::read_to_string(dev.join("token")).expect("a token").trim().to_owned();
        let mut site = Self { service: None, collector, directory, grpc, https: url, token };
        let ready = || block_on(async { site.client(site.token()).status().await.ok() });
        service.until(ready).expect("it serves");
        site.service = Some(service);
        site
    }

    pub(super) fn dev(&self, name: &str) -> PathBuf {
        self.directory.path().join("dev").join(name)
    }

    pub(super) fn ca(&self) -> String {
        self.dev("tls/ca.pem").display().to_string()
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn client(&self, token: &str) -> Client {
        let client = Client::builder().address(&self.grpc).ca_certificate_file(self.ca());
        client.token(token).build().expect("a client")
    }

    pub(super) async fn channel(&self) -> Channel {
        let ca = Certificate::from_pem(fs::read(self.ca()).expect("a certificate"));
        let tls = ClientTlsConfig::new().ca_certificate(ca);
        let endpoint = Endpoint::from_shared(format!("https://{}", self.grpc));
        let endpoint = endpoint.and_then(|endpoint| endpoint.tls_config(tls)).expect("an address");
        endpoint.connect().await.expect("it listens")
    }

    /// Secrets that the service is started with.
    pub(super) fn files(&self) -> Canaries {
        let mut canaries = Canaries::default();
        canaries.keep("the bearer token", self.token.as_bytes());
        let root = fs::read_to_string(self.dev("root.key")).expect("a root key");
        let root = hex::decode(root.lines().last().expect("a line").trim()).expect("hex");
        canaries.keep("the root key", &root);
        if let Ok(pin) = fs::read(self.dev("softhsm/pin")) {
            canaries.keep("the PIN", pin.trim_ascii());
        }
        let key = fs::read_to_string(self.dev("tls/server.key")).expect("a key");
        let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        // The scalar in the PKCS#8 of a P-256 key; the public half is in the certificate.
        let der = STANDARD.decode(body).expect("base64");
        canaries.keep("the server's key", &der[36..68]);
        canaries
    }

    pub(super) fn metrics(&self) -> String {
        let more = format!("authorization: Bearer {}\r\n", self.token);
        let answer = get(&self.https, &self.ca(), "/metrics", &more);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// The messages that the collector was sent at that service of its, one after another.
    pub(super) fn sent(&self, service: &str) -> Vec<u8> {
        let received = self.collector.received().into_iter();
        received.filter(|(path, _)| path.contains(service)).flat_map(|(_, sent)| sent).collect()
    }

    /// Waits until the collector has heard of the last thing that was done, ends the
    /// service, and gives what it has logged.
    pub(super) fn log_to_the_end(&self, decoy: &Decoy) -> Vec<u8> {
        let heard = |service: &str| {
            let sent = self.sent(service);
            sent.windows(decoy.0.len()).any(|part| part == decoy.0.as_bytes())
        };
        let has_records = || {
            let sent = self.sent("LogsService");
            let last = b"IssueAccessToken";
            sent.windows(last.len()).any(|part| part == last)
        };
        let since = std::time::Instant::now();
        while !(heard("TraceService") && heard("LogsService") && has_records()) {
            assert!(since.elapsed().as_secs() < 60, "the collector hears nothing");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        std::thread::sleep(std::time::Duration::from_secs(3));
        let service = self.service.as_ref().expect("it runs");
        service.log().into_bytes()
    }
}
