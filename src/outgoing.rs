//! What connections to other servers need: the certificates that the system trusts, and whether a host is this machine.

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use url::Host;

use crate::log_safe::one_line;
use crate::start_error::StartError;

/// The certificates that the system trusts, for the server that a setting names.
///
/// # Errors
/// When there are none, or none can be used.
pub fn system_certificates(setting: &str, value: &str) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let found = rustls_native_certs::load_native_certs();
    let certificates = usable(found.certs);
    if certificates.is_empty() {
        let error = found.errors.first().map_or("no usable certificates".to_owned(), ToString::to_string);
        let hint = "install the system's certificates (ca-certificates)";
        return Err(StartError::setting(setting, value, &one_line(&error), hint));
    }
    Ok(certificates)
}

/// Those that are certificates: with none, no server would ever be trusted.
fn usable(found: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    let mut roots = RootCertStore::empty();
    found.into_iter().filter(|it| roots.add(it.clone()).is_ok()).collect()
}

/// Whether a host is this machine, so that nobody else reads what is sent there.
#[must_use]
pub fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_not_used() {
        assert!(usable(vec![CertificateDer::from(b"no certificate".to_vec())]).is_empty());
        let found = rustls_native_certs::load_native_certs().certs;
        assert_eq!(usable(found.clone()).is_empty(), found.is_empty(), "the system's are");
    }
}
