//! TLS by rustls, with libpq's `sslmode`, root certificates, client certificates and revocation lists.

mod common_name;
mod verifier;

use super::parameters::Parameters;
use super::{Environment, Error};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How much TLS is asked for.
/// <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub(super) enum Mode {
    /// Never.
    Disable,
    /// Only if the server insists.
    Allow,
    /// If the server can.
    #[default]
    Prefer,
    /// Always, whoever the server is.
    Require,
    /// Always, with a certificate that a known authority signed.
    VerifyCa,
    /// As before, and the certificate must carry the server's name.
    VerifyFull,
}

impl Mode {
    const ALL: [Mode; 6] = [Mode::Disable, Mode::Allow, Mode::Prefer, Mode::Require, Mode::VerifyCa, Mode::VerifyFull];

    /// The value of `sslmode`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Mode::Disable => "disable",
            Mode::Allow => "allow",
            Mode::Prefer => "prefer",
            Mode::Require => "require",
            Mode::VerifyCa => "verify-ca",
            Mode::VerifyFull => "verify-full",
        }
    }
}

/// Where the trusted roots come from.
#[derive(Clone, Debug, Default)]
enum Roots {
    /// No file is named, and the default one does not exist.
    #[default]
    None,
    /// `sslrootcert=system`.
    System,
    File(PathBuf),
}

/// Everything that TLS needs, as file names; the files are read when TLS is used.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) mode: Mode,
    pub(super) direct: bool,
    roots: Roots,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    revoked: Option<PathBuf>,
    no_server_name: bool,
    tls13_only: bool,
    tls12_only: bool,
}

impl Settings {
    /// Reads the `ssl…` parameters; files that are not named have libpq's defaults below `~/.postgresql/`.
    pub(super) fn resolve(given: &Parameters, environment: &Environment) -> Result<Self, Error> {
        let get = |name: &str| given.get(name).map(String::as_str);
        let existing = |path: &str| environment.in_home(path).filter(|path| path.exists());
        let roots = match get("sslrootcert") {
            Some("system") => Roots::System,
            Some(path) => Roots::File(path.into()),
            None => existing(".postgresql/root.crt").map_or(Roots::None, Roots::File),
        };
        let direct = match get("sslnegotiation") {
            None | Some("postgres") => false,
            Some("direct") => true,
            Some(_) => return Err(Error::parameter("sslnegotiation", "expected postgres or direct")),
        };
        let mode = mode(given, &roots)?;
        if direct && mode < Mode::Require {
            return Err(Error::parameter("sslnegotiation", "direct needs sslmode=require or stronger"));
        }
        let mut certificate = get("sslcert").map(PathBuf::from).or_else(|| existing(".postgresql/postgresql.crt"));
        match get("sslcertmode") {
            None | Some("allow") => {}
            Some("disable") => certificate = None,
            Some("require") => return Err(Error::parameter("sslcertmode", "require is not supported")),
            Some(_) => return Err(Error::parameter("sslcertmode", "expected disable or allow")),
        }
        Ok(Self {
            mode,
            direct,
            roots,
            certificate,
            key: get("sslkey").map(PathBuf::from).or_else(|| existing(".postgresql/postgresql.key")),
            revoked: get("sslcrl").map(PathBuf::from).or_else(|| existing(".postgresql/root.crl")),
            no_server_name: get("sslsni") == Some("0"),
            tls13_only: get("ssl_min_protocol_version") == Some("TLSv1.3"),
            tls12_only: matches!(get("ssl_max_protocol_version"), Some("TLSv1.2")),
        })
    }

    /// Reads the files and makes what a connection is upgraded with.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions: &[&rustls::SupportedProtocolVersion] = match (self.tls12_only, self.tls13_only) {
            (true, true) => {
                return Err(Error::Tls("ssl_min_protocol_version is above ssl_max_protocol_version".into()));
            }
            (true, false) => &[&rustls::version::TLS12],
            (false, true) => &[&rustls::version::TLS13],
            (false, false) => rustls::DEFAULT_VERSIONS,
        };
        let verifier = verifier::Verifier::new(&provider, self.roots()?, self.crls()?, self.mode)?;
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|error| Error::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match self.client_certificate()? {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| Error::Tls(format!("client certificate and key do not fit: {error}")))?,
            None => builder.with_no_client_auth(),
        };
        config.enable_sni = !self.no_server_name;
        if self.direct {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(MakeRustlsConnect::new(config))
    }

    /// The trusted roots; none where nothing is to be verified.
    fn roots(&self) -> Result<Option<Vec<CertificateDer<'static>>>, Error> {
        match &self.roots {
            Roots::System => {
                let found = rustls_native_certs::load_native_certs();
                if found.certs.is_empty() {
                    return Err(Error::Tls("sslrootcert=system, but no certificates are installed here".into()));
                }
                Ok(Some(found.certs))
            }
            // libpq: a root file that does not exist matters only when the certificate must be verified.
            Roots::File(path) if path.exists() || self.mode >= Mode::VerifyCa => {
                certificates("root certificate file", path).map(Some)
            }
            Roots::None if self.mode >= Mode::VerifyCa => Err(Error::Tls(format!(
                "sslmode={} needs root certificates: name a file with sslrootcert, use sslrootcert=system, or put them into \
                 ~/.postgresql/root.crt",
                self.mode.name()
            ))),
            Roots::File(_) | Roots::None => Ok(None),
        }
    }

    fn crls(&self) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
        let Some(path) = &self.revoked else { return Ok(Vec::new()) };
        let bytes = read("certificate revocation list", path)?;
        CertificateRevocationListDer::pem_slice_iter(&bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Tls(format!("{} is not a revocation list in PEM: {error}", path.display())))
    }

    fn client_certificate(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Error> {
        let Some(path) = &self.certificate else { return Ok(None) };
        let chain = certificates("client certificate", path)?;
        let key = self
            .key
            .as_ref()
            .ok_or_else(|| Error::Tls(format!("certificate {} is given, but no sslkey for it", path.display())))?;
        check_key_is_private(key)?;
        let bytes = read("private key", key)?;
        if contains(&bytes, b"ENCRYPTED") {
            return Err(Error::Tls(format!("private key {} is encrypted, which is not supported", key.display())));
        }
        let key = PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|error| Error::Tls(format!("{} is not a private key in PEM: {error}", key.display())))?;
        Ok(Some((chain, key)))
    }
}

/// `sslmode`, whose default and choice depend on `sslrootcert=system` as in libpq.
fn mode(given: &Parameters, roots: &Roots) -> Result<Mode, Error> {
    let mode = match given.get("sslmode") {
        Some(text) => Some(Mode::ALL.into_iter().find(|mode| mode.name() == text).ok_or_else(|| {
            Error::parameter("sslmode", "expected disable, allow, prefer, require, verify-ca or verify-full")
        })?),
        None if given.get("requiressl").is_some_and(|value| value == "1") => Some(Mode::Require),
        None => None,
    };
    match (roots, mode) {
        (Roots::System, None) => Ok(Mode::VerifyFull),
        (Roots::System, Some(mode)) if mode != Mode::VerifyFull => {
            Err(Error::parameter("sslmode", "with sslrootcert=system it can only be verify-full"))
        }
        (_, mode) => Ok(mode.unwrap_or_default()),
    }
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = read(what, path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::Tls(format!("{} is not a certificate in PEM: {error}", path.display())))?;
    if found.is_empty() {
        return Err(Error::Tls(format!("{what} {} holds no certificate in PEM", path.display())));
    }
    Ok(found)
}

/// libpq: others may not read the key, and the group only if root owns it.
fn check_key_is_private(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;
    let about =
        std::fs::metadata(path).map_err(|source| Error::Read { what: "private key", path: path.to_owned(), source })?;
    let allowed = if about.uid() == 0 { 0o640 } else { 0o600 };
    if about.mode() & 0o777 & !allowed != 0 {
        return Err(Error::Tls(format!(
            "private key {path} can be read by others; run: chmod 0600 {path}",
            path = path.display()
        )));
    }
    Ok(())
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { what, path: path.to_owned(), source })
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
