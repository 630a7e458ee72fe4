//! Judges a server's certificate as `sslmode` asks.

use super::{Mode, common_name};
use crate::connect::Error;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Verifies nothing, the chain, or the chain and the name.
#[derive(Debug)]
pub(super) struct Verifier {
    provider: Arc<CryptoProvider>,
    chain: Option<Arc<WebPkiServerVerifier>>,
    roots: Vec<CertificateDer<'static>>,
    name_matters: bool,
}

impl Verifier {
    /// Without roots any certificate is good: the line is encrypted, the other end unknown.
    pub(super) fn new(
        provider: &Arc<CryptoProvider>,
        roots: Option<Vec<CertificateDer<'static>>>,
        revoked: Vec<CertificateRevocationListDer<'static>>,
        mode: Mode,
    ) -> Result<Self, Error> {
        let roots = roots.unwrap_or_default();
        let mut store = RootCertStore::empty();
        let (used, _) = store.add_parsable_certificates(roots.iter().cloned());
        let chain = if roots.is_empty() {
            None
        } else if used == 0 {
            return Err(Error::Tls("no root certificate could be used".into()));
        } else {
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
            Some(builder.with_crls(revoked).build().map_err(|error| Error::Tls(error.to_string()))?)
        };
        Ok(Self { provider: Arc::clone(provider), chain, roots, name_matters: mode == Mode::VerifyFull })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        // The chain is verified before the name, so it is good when only the name is not.
        let wrong_name = match chain.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(error) if is_about_name(&error) => error,
            // A self-signed certificate that is its own root: webpki wants a separate authority, OpenSSL does not.
            Err(error)
                if is_authority(&error) && self.roots.iter().any(|root| root.as_ref() == certificate.as_ref()) =>
            {
                match rustls::client::verify_server_name(&ParsedCertificate::try_from(certificate)?, name) {
                    Ok(()) => return Ok(ServerCertVerified::assertion()),
                    Err(error) => error,
                }
            }
            other => return other,
        };
        if !self.name_matters || common_name::fits(certificate, name) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(wrong_name)
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn is_about_name(error: &rustls::Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(error, rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

/// Whether the complaint is that the certificate is an authority's own.
fn is_authority(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}
