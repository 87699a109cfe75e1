//! Give a principal a certificate, whose key then signs its client assertions.

use std::sync::Arc;

use keyreeve_authz::{Action, PrincipalKind};
use keyreeve_identity::{secret, verifies_tokens};
use keyreeve_keyhost::Deadline;
use keyreeve_publickey::PublicKey;
use keyreeve_types::SignatureAlgorithm;
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

use super::check_room;
use crate::{Account, Caller, Error, Service, draw, gate::Ask, record::CertificateRecord};

/// Longest certificate, in bytes.
const MAX_CERTIFICATE: usize = 32 * 1024;

impl Service {
    /// Adds the certificate `der`. Its key is what counts, until the certificate ends; who
    /// signed it means nothing, because an Owner vouches for it here. Returned with the
    /// credential's id.
    pub async fn add_certificate(
        &self,
        caller: &Caller,
        principal: &str,
        der: &[u8],
        deadline: Deadline,
    ) -> Result<(Arc<Account>, String), Error> {
        let ask = Ask::principal("AddCertificate", Action::WriteIdentity, Some(principal));
        self.run(caller, ask, deadline, move |permit| async move {
            let now = self.shared().clock.now().0;
            let (public_key, expires) = read(der)?;
            if expires <= now {
                return Err(Error::invalid("certificate", "the certificate has expired"));
            }
            let id = draw::credential_id()?;
            let thumbprint = secret::hash(der).to_vec();
            let account = self
                .change_account(&permit, principal, deadline, |record| {
                    if record.kind == PrincipalKind::ManagedIdentity {
                        return Err(Error::precondition(
                            "MANAGED_IDENTITY",
                            "a managed identity has no secrets and certificates; give it a \
                             federated credential, or make a service principal",
                        ));
                    }
                    check_room(record.certificates.len())?;
                    if record.certificates.iter().any(|known| known.thumbprint == thumbprint) {
                        return Err(Error::precondition(
                            "CERTIFICATE_EXISTS",
                            "the principal has this certificate already",
                        ));
                    }
                    record.certificates.push(CertificateRecord {
                        id: id.clone(),
                        thumbprint: thumbprint.clone(),
                        public_key: public_key.clone(),
                        created: now,
                        expires,
                    });
                    Ok(())
                })
                .await?;
            Ok((account, id))
        })
        .await
    }
}

/// The public key, and when the certificate ends.
fn read(der: &[u8]) -> Result<(Vec<u8>, i64), Error> {
    let bad = |why| Error::invalid("certificate", why);
    if der.len() > MAX_CERTIFICATE {
        return Err(bad("a certificate has at most 32 KiB"));
    }
    let certificate =
        Certificate::from_der(der).map_err(|_| bad("it is not an X.509 certificate"))?;
    let certificate = certificate.tbs_certificate();
    let ends = certificate.validity().not_after.to_unix_duration().as_secs();
    let spki = certificate.subject_public_key_info().to_der();
    let spki = spki.map_err(|_| bad("its public key cannot be read"))?;
    let unfit = "its key must be RSA of 2048, 3072 or 4096 bits, P-256, P-384, P-521 or Ed25519";
    let key = PublicKey::from_spki(&spki).map_err(|_| bad(unfit))?;
    let signs = |one: &SignatureAlgorithm| verifies_tokens(*one) && one.fits(key.spec());
    if !SignatureAlgorithm::ALL.iter().any(signs) {
        return Err(bad(unfit));
    }
    Ok((key.spki().to_vec(), i64::try_from(ends).map_err(|_| bad("it never ends"))?))
}
