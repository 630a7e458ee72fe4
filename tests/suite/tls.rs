//! TLS against a server with certificates of our own making.

use crate::postgres::{Postgres, file};
use reconcile::connect::{Environment, Target};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};
use tempfile::TempDir;

/// Certificates of two authorities, and a server that uses one of them.
struct Tls {
    folder: TempDir,
    server: Postgres,
}

impl Tls {
    /// The server, shared by the tests that run at the same time.
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Tls>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().expect("starting it does not fail");
        shared.upgrade().unwrap_or_else(|| {
            let tls = Arc::new(Tls::start());
            *shared = Arc::downgrade(&tls);
            tls
        })
    }

    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let at = folder.path();
        for authority in ["ca", "other"] {
            let subject = format!("/CN={authority}");
            let keys = ["-keyout", &format!("{authority}.key"), "-out", &format!("{authority}.crt")].map(str::to_owned);
            openssl(
                at,
                &["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", &subject],
                &keys,
            );
        }
        sign(at, "server", "/CN=ignored", "subjectAltName=DNS:db.example.com,DNS:*.wild.example.com,IP:127.0.0.1");
        sign(at, "client", "/CN=bob", "extendedKeyUsage=clientAuth");
        let access = "hostssl all bob 127.0.0.1/32 cert\nhostssl all eve 127.0.0.1/32 scram-sha-256\n\
                      hostnossl all plain 127.0.0.1/32 trust";
        let files = ["server.crt", "server.key", "ca.crt"].map(|name| (name, at.join(name)));
        let files = [0, 1, 2].map(|n: usize| (files[n].0, files[n].1.as_path()));
        let server = Postgres::start(access, &files, &["ssl=on", "ssl_ca_file=ca.crt"]);
        server.run("CREATE ROLE bob LOGIN; CREATE ROLE eve LOGIN PASSWORD 's3cr3t'; CREATE ROLE plain LOGIN");
        Self { folder, server }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Connects over TCP as a role with a password.
    fn eve(&self, parameters: &str) -> Result<String, String> {
        describe(&self.server.tcp(&format!("user=eve password=s3cr3t {parameters}")))
    }
}

/// Whether the session is encrypted, or why there is none.
fn describe(target: &Target) -> Result<String, String> {
    let mut client = target.connect().map_err(|error| format!("{error} {:?}", error.hints()))?;
    let query = "SELECT CASE WHEN ssl THEN 'encrypted ' || version ELSE 'plain' END FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Ok(client.query_one(query, &[]).unwrap().get(0))
}

fn openssl(at: &Path, arguments: &[&str], more: &[String]) {
    let output =
        Command::new("openssl").args(arguments).args(more).current_dir(at).output().expect("openssl is installed");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Makes a key, and a certificate signed by the first authority.
fn sign(at: &Path, name: &str, subject: &str, extension: &str) {
    let extensions: PathBuf = file(at, "extensions", &format!("basicConstraints=CA:FALSE\n{extension}\n"), 0o600);
    let request = ["-keyout", &format!("{name}.key"), "-out", &format!("{name}.csr")].map(str::to_owned);
    openssl(at, &["req", "-newkey", "rsa:2048", "-nodes", "-subj", subject], &request);
    let files =
        ["-in", &format!("{name}.csr"), "-out", &format!("{name}.crt"), "-extfile", &extensions.display().to_string()];
    let files = files.map(str::to_owned);
    openssl(at, &["x509", "-req", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"], &files);
}

#[test]
fn each_sslmode_asks_for_what_it_says() {
    let tls = Tls::shared();
    let encrypted = Ok("encrypted TLSv1.3".to_owned());
    for mode in ["prefer", "require", "allow"] {
        assert_eq!(tls.eve(&format!("sslmode={mode}")), encrypted, "{mode}");
    }
    assert_eq!(tls.eve("sslmode=require ssl_max_protocol_version=TLSv1.2"), Ok("encrypted TLSv1.2".to_owned()));
    assert_eq!(tls.eve("sslmode=require channel_binding=require"), encrypted);
    let refused = tls.eve("sslmode=disable").unwrap_err();
    assert!(refused.contains("28000") && refused.contains("add sslmode=require"), "{refused}");

    let plain = |mode: &str| describe(&tls.server.tcp(&format!("user=plain sslmode={mode}")));
    assert_eq!(plain("allow"), Ok("plain".to_owned()));
    assert_eq!(plain("prefer"), Ok("plain".to_owned()));
    assert!(plain("require").is_err());
    // There is no TLS on Unix sockets, whatever the mode.
    assert_eq!(describe(&tls.server.admin()), Ok("plain".to_owned()));
}

#[test]
fn certificates_are_verified_against_the_root() {
    let tls = Tls::shared();
    let (root, other) = (tls.path("ca.crt"), tls.path("other.crt"));
    for mode in ["require", "verify-ca", "verify-full"] {
        tls.eve(&format!("sslmode={mode} sslrootcert={root}")).unwrap();
        let refused = tls.eve(&format!("sslmode={mode} sslrootcert={other}")).unwrap_err();
        assert!(refused.contains("not signed by an authority of sslrootcert"), "{mode}: {refused}");
    }
    let refused = tls.eve("sslrootcert=system").unwrap_err();
    assert!(refused.contains("not signed by an authority of sslrootcert"), "{refused}");
    let refused = tls.eve("sslmode=verify-ca").unwrap_err();
    assert!(refused.contains("name a file with sslrootcert"), "{refused}");
    let refused = tls.eve("sslmode=verify-ca sslrootcert=/nowhere").unwrap_err();
    assert!(refused.contains("cannot read root certificate file /nowhere"), "{refused}");
    // As in libpq: without verification a missing file does not matter.
    tls.eve("sslmode=require sslrootcert=/nowhere").unwrap();

    let home = TempDir::new().unwrap();
    std::fs::create_dir(home.path().join(".postgresql")).unwrap();
    std::fs::copy(&root, home.path().join(".postgresql/root.crt")).unwrap();
    let environment = Environment::default().with_home(home.path());
    describe(&tls.server.tcp_in("user=eve password=s3cr3t sslmode=verify-full", &environment)).unwrap();
}

#[test]
fn verify_full_compares_the_name() {
    let tls = Tls::shared();
    let at = |host: &str, mode: &str| {
        tls.eve(&format!("host={host} hostaddr=127.0.0.1 sslmode={mode} sslrootcert={}", tls.path("ca.crt")))
    };
    at("db.example.com", "verify-full").unwrap();
    at("a.wild.example.com", "verify-full").unwrap();
    let refused = at("localhost", "verify-full").unwrap_err();
    assert!(refused.contains("the server's certificate is not for \\\"localhost\\\""), "{refused}");
    at("localhost", "verify-ca").unwrap();
}

#[test]
fn clients_prove_themselves_by_certificate() {
    let tls = Tls::shared();
    let bob = |cert: &str, key: &str| {
        let (cert, key, root) = (tls.path(cert), tls.path(key), tls.path("ca.crt"));
        describe(
            &tls.server.tcp(&format!("user=bob sslmode=verify-full sslrootcert={root} sslcert={cert} sslkey={key}")),
        )
    };
    bob("client.crt", "client.key").unwrap();
    assert!(bob("server.crt", "server.key").unwrap_err().contains("28000"));
    assert!(bob("client.crt", "server.key").unwrap_err().contains("do not fit"));
    assert!(bob("client.crt", "nowhere.key").unwrap_err().contains("cannot read private key"));
    file(tls.folder.path(), "open.key", &std::fs::read_to_string(tls.path("client.key")).unwrap(), 0o644);
    assert!(bob("client.crt", "open.key").unwrap_err().contains("can be read by others; run: chmod 0600"));
    let encrypted = tls.path("encrypted.key");
    let files = ["-in", &tls.path("client.key"), "-out", &encrypted].map(str::to_owned);
    openssl(tls.folder.path(), &["pkey", "-aes256", "-passout", "pass:x"], &files);
    assert!(bob("client.crt", "encrypted.key").unwrap_err().contains("is encrypted, which is not supported"));
    let none = describe(&tls.server.tcp("user=bob sslmode=require")).unwrap_err();
    assert!(none.contains("28000"), "{none}");
}

#[test]
fn revoked_certificates_are_refused() {
    let tls = Tls::shared();
    let at = tls.folder.path();
    let config =
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=30\n";
    for (name, text) in [("ca.cnf", config), ("index.txt", ""), ("number", "01\n")] {
        file(at, name, text, 0o600);
    }
    let authority = ["ca", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.crt"];
    let eve =
        || tls.eve(&format!("sslmode=verify-ca sslrootcert={} sslcrl={}", tls.path("ca.crt"), tls.path("ca.crl")));
    openssl(at, &authority, &["-gencrl", "-out", "ca.crl"].map(str::to_owned));
    eve().unwrap();
    openssl(at, &authority, &["-revoke", "server.crt"].map(str::to_owned));
    openssl(at, &authority, &["-gencrl", "-out", "ca.crl"].map(str::to_owned));
    assert!(eve().unwrap_err().contains("Revoked"), "{:?}", eve());
}

#[test]
fn a_self_signed_certificate_may_be_its_own_root_and_name_the_server_in_its_common_name() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let keys = ["-keyout", "server.key", "-out", "server.crt"].map(str::to_owned);
    openssl(at, &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=db.example.com"], &keys);
    let (certificate, key) = (at.join("server.crt"), at.join("server.key"));
    let files = [("server.crt", certificate.as_path()), ("server.key", key.as_path())];
    let server = Postgres::start("hostssl all all 127.0.0.1/32 trust", &files, &["ssl=on"]);
    let connect = |host: &str, root: &Path| {
        let root = root.display();
        describe(
            &server
                .tcp(&format!("host={host} hostaddr=127.0.0.1 user=postgres sslmode=verify-full sslrootcert={root}")),
        )
    };
    connect("db.example.com", &certificate).unwrap();
    assert!(connect("localhost", &certificate).unwrap_err().contains("is not for"));
    openssl(
        at,
        &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=db.example.com"],
        &["-keyout", "k", "-out", "other.crt"].map(str::to_owned),
    );
    assert!(connect("db.example.com", &at.join("other.crt")).is_err());
}
