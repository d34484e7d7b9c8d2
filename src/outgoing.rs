//! What connections to other servers need: the certificates that the system trusts, and whether a host is this machine.

use tokio_rustls::rustls::pki_types::CertificateDer;
use url::Host;

use crate::log_safe::one_line;
use crate::start_error::StartError;

/// The certificates that the system trusts, for the server that a setting names.
///
/// # Errors
/// When there are none, or they cannot be read.
pub fn system_certificates(setting: &str, value: &str) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let error = found.errors.first().map_or("no certificates found".to_owned(), ToString::to_string);
        let hint = "install the system's certificates (ca-certificates)";
        return Err(StartError::setting(setting, value, &one_line(&error), hint));
    }
    Ok(found.certs)
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
