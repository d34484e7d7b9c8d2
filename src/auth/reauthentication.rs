//! Asks somebody who is signed in for the password again. The right password gives the session a new token,
//! so that an old token that somebody else has learned is no longer valid (OWASP ASVS 5.0, 7.2.4).

use actix_web::body::MessageBody;
use actix_web::cookie::Cookie;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, web};

use super::Auth;
use super::authentication::{Attempt, Proof, SignInRefusal};
use super::session::{self, Admin};
use crate::audit::Action;
use crate::error::Error;

/// The cookie of the new token, on its way to the response.
struct RenewedSession(Cookie<'static>);

/// Checks the password of an account that is signed in, and renews the token of `admin`'s session when it is right.
///
/// # Errors
/// Database errors, and [`Error::SignInRequired`] when the session has ended meanwhile.
pub async fn check_again(
    request: &HttpRequest,
    auth: &web::Data<Auth>,
    admin: &mut Admin,
    password: String,
) -> Result<Result<Proof, SignInRefusal>, Error> {
    let attempt = Attempt::new(request, auth, &admin.username, password, Action::PasswordRefused);
    let proof = match attempt.check(auth).await? {
        Ok(proof) => proof,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let cookie = session::renew(auth, request, admin, proof.counters.clone()).await?;
    request.extensions_mut().insert(RenewedSession(cookie));
    Ok(Ok(proof))
}

/// Middleware: adds the cookie of a renewed session to the response, whether the form succeeded or not,
/// unless the form has started another session.
///
/// # Errors
/// Those of the page.
pub async fn carry_renewed_session<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let renewed = response.request().extensions_mut().remove::<RenewedSession>();
    if let Some(RenewedSession(cookie)) = renewed {
        let has_another = response.response().cookies().any(|it| it.name() == cookie.name());
        if !has_another {
            response.response_mut().add_cookie(&cookie)?;
        }
    }
    Ok(response)
}
