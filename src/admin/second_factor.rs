//! `/admin/second-factor`: the account's second factor is set up, gets new recovery codes, or is turned off. Each asks
//! for the password and a code.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;

use super::{refusal, store};
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::Enrolling;
use crate::auth::authentication::{Proof, SignInRefusal, longest_wait, throttled};
use crate::auth::known_browser::KnownBrowser;
use crate::auth::reauthentication::check_again;
use crate::auth::second_factor::{SecondFactor, TypedCode, app_url, new_recovery_codes};
use crate::auth::session::{self, Admin};
use crate::auth::store::second_factor::{self, CodeOutcome};
use crate::auth::store::sessions;
use crate::auth::throttle::FailureCounter;
use crate::auth::totp::TotpSecret;
use crate::error::Error;
use crate::guard::client_address;
use crate::guard::form::Form;
use crate::page::{Page, Toast, html, see_other_with};
use crate::tickets::qr::QrCode;
use crate::venue_clock::VenueClock;

/// The acts of a form.
const SET_UP: &str = "set-up";
const NEW_CODES: &str = "new-codes";
const TURN_OFF: &str = "turn-off";

#[derive(Template)]
#[template(path = "admin/second_factor.html")]
struct SecondFactorPage {
    page: Page,
    admin: Admin,
    factor: Option<SecondFactor>,
    is_required: bool,
    clock: VenueClock,
    /// Only for an account without a second factor.
    setup: Option<Setup>,
    chosen: String,
    errors: SecondFactorErrors,
}

/// What the authenticator app needs.
struct Setup {
    sealed: String,
    secret: String,
    qr: String,
}

#[derive(Template)]
#[template(path = "admin/recovery_codes.html")]
struct RecoveryCodesPage {
    page: Page,
    codes: Vec<String>,
    is_new: bool,
}

/// Neither a password nor a code is sent back.
#[derive(Default)]
struct SecondFactorErrors {
    password: Option<String>,
    code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SecondFactorForm {
    act: String,
    /// What the codes are generated from, sealed: nothing is stored before the first code is right.
    secret: String,
    password: String,
    code: String,
}

/// `GET /admin/second-factor`
pub async fn edit(
    page: Page,
    Enrolling(admin): Enrolling,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let form = SecondFactorForm::default();
    let shown = load(page.clone(), admin, &app, &form, SecondFactorErrors::default()).await?;
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /admin/second-factor`
pub async fn update(
    request: HttpRequest,
    page: Page,
    Enrolling(mut admin): Enrolling,
    app: web::Data<App>,
    Form(form): Form<SecondFactorForm>,
) -> Result<HttpResponse, Error> {
    let password = form.password.clone();
    let proof = match check_again(&request, &app.auth, &mut admin, password).await? {
        Ok(proof) => proof,
        Err(refusal) => {
            let password = Some(refusal::sentence(refusal, "Wrong password. Nothing was changed."));
            let errors = SecondFactorErrors { password, code: None };
            let shown = load(page.clone(), admin, &app, &form, errors).await?;
            return refusal::respond(&page, refusal, &shown);
        }
    };
    match form.act.as_str() {
        SET_UP => set_up(page, admin, &app, form, proof).await,
        NEW_CODES | TURN_OFF => change(&request, page, admin, &app, form).await,
        _ => Err(Error::NotFound),
    }
}

/// Sets up the second factor. The first code shows that the app has the secret.
async fn set_up(
    page: Page,
    admin: Admin,
    app: &App,
    form: SecondFactorForm,
    proof: Proof,
) -> Result<HttpResponse, Error> {
    let now = Utc::now().naive_utc();
    let secret = app.auth.second_factors.open(admin.account_id, &form.secret);
    let step = match (secret, TypedCode::parse(&form.code)) {
        (Some(secret), TypedCode::Totp(code)) => secret.accept(code, now.and_utc().timestamp(), 0),
        _ => None,
    };
    let Some(step) = step else {
        let code = Some("That’s not the current code. Check that your phone’s clock is right.");
        return refuse(page, admin, app, &form, code, SignInRefusal::WrongPassword).await;
    };
    let codes = new_recovery_codes();
    let (sealed, kept, actor) = (form.secret.clone(), codes.clone(), admin.actor());
    // A session that was started with the password alone is worth nothing now: this browser gets a new one.
    let (session, cookie) = session::prepare(&app.auth, &proof.account, &admin.client_address, true);
    let is_set = app.db.write(move |db| {
        // It was set up in another browser meanwhile, whose page has shown its recovery codes.
        if second_factor::find(db, proof.account.id)?.is_some() {
            return Ok(false);
        }
        second_factor::set(db, proof.account.id, &sealed, step, &kept, now)?;
        let others = sessions::delete_all(db, proof.account.id)?.saturating_sub(1);
        sessions::insert(db, &session, now)?;
        audit::store::record(db, &actor, Action::SecondFactorSet, &proof.account.username, others)?;
        Ok(true)
    });
    if !is_set.await? {
        let toast = Toast::failure("A second factor was just set up in another browser.");
        return Ok(see_other_with(&app.cookies, "/admin/second-factor", &toast));
    }
    let mut response = page.unlisted_builder(StatusCode::OK);
    let shown = RecoveryCodesPage { page, codes, is_new: true };
    Ok(response.cookie(cookie).body(html(&shown)?))
}

/// Makes new recovery codes, or turns the second factor off.
async fn change(
    request: &HttpRequest,
    page: Page,
    admin: Admin,
    app: &App,
    form: SecondFactorForm,
) -> Result<HttpResponse, Error> {
    let turns_off = form.act == TURN_OFF;
    let browser = KnownBrowser::id_of(&app.auth, request, &admin.username).await?;
    let counters = FailureCounter::for_code(&admin.username, browser.as_deref());
    let (typed, actor, id) = (TypedCode::parse(&form.code), admin.actor(), admin.account_id);
    let codes = new_recovery_codes();
    let (kept, seals) = (codes.clone(), app.auth.second_factors.clone());
    let now = Utc::now().naive_utc();
    let outcome = app.db.write(move |db| {
        if turns_off && second_factor::is_required(db)? {
            return Ok(None);
        }
        let outcome = second_factor::check(db, &seals, id, &typed, &counters, &actor, now)?;
        if outcome == CodeOutcome::Accepted && turns_off {
            second_factor::remove(db, id)?;
            audit::store::record(db, &actor, Action::SecondFactorTurnedOff, &actor.name, 1)?;
        } else if outcome == CodeOutcome::Accepted {
            second_factor::set_recovery_codes(db, id, &kept)?;
            audit::store::record(db, &actor, Action::RecoveryCodesMade, &actor.name, kept.len())?;
        }
        Ok(Some(outcome))
    });
    let back = |toast| Ok(see_other_with(&app.cookies, "/admin/second-factor", &toast));
    match outcome.await? {
        None => back(Toast::failure("An owner requires a second factor for all accounts. It stays on.")),
        Some(CodeOutcome::Gone) => back(Toast::failure("The second factor was off already.")),
        Some(CodeOutcome::Accepted) if turns_off => back(Toast::success("The second factor is off.")),
        Some(CodeOutcome::Accepted) => {
            let shown = RecoveryCodesPage { page: page.clone(), codes, is_new: false };
            page.respond_unlisted(StatusCode::OK, &shown)
        }
        Some(CodeOutcome::Wrong(waits)) => {
            app.auth.throttle.remember(waits, now);
            let code = Some("Wrong code, or used before. Nothing was changed.");
            refuse(page, admin, app, &form, code, SignInRefusal::WrongPassword).await
        }
        Some(CodeOutcome::Throttled(waits)) => {
            let network = client_address::network_of(client_address::of(request));
            let refusal = throttled(&app.auth, network, longest_wait(&waits, now));
            let code = refusal::code_sentence(refusal);
            refuse(page, admin, app, &form, Some(&code), refusal).await
        }
    }
}

async fn refuse(
    page: Page,
    admin: Admin,
    app: &App,
    form: &SecondFactorForm,
    code: Option<&str>,
    refusal: SignInRefusal,
) -> Result<HttpResponse, Error> {
    let errors = SecondFactorErrors { password: None, code: code.map(str::to_owned) };
    let shown = load(page.clone(), admin, app, form, errors).await?;
    refusal::respond(&page, refusal, &shown)
}

async fn load(
    page: Page,
    admin: Admin,
    app: &App,
    form: &SecondFactorForm,
    errors: SecondFactorErrors,
) -> Result<SecondFactorPage, Error> {
    let id = admin.account_id;
    let load = app.db.read_primary(move |db| {
        Ok((second_factor::find(db, id)?, second_factor::is_required(db)?, store::clock(db)?))
    });
    let (factor, is_required, clock) = load.await?;
    let setup = factor.is_none().then(|| {
        let typed = app.auth.second_factors.open(id, &form.secret);
        // After a mistake the same QR code stays good.
        let (secret, sealed) = match typed {
            Some(secret) => (secret, form.secret.clone()),
            None => {
                let secret = TotpSecret::random();
                let sealed = app.auth.second_factors.seal(id, &secret);
                (secret, sealed)
            }
        };
        let qr = QrCode::of(&app_url(&secret, &admin.username)).svg();
        Setup { sealed, secret: in_groups(&secret.base32()), qr }
    });
    let chosen = if form.act == TURN_OFF { TURN_OFF } else { NEW_CODES }.to_owned();
    Ok(SecondFactorPage { page, admin, factor, is_required, clock, setup, chosen, errors })
}

/// "GEZD GNBV …": easier to type from a screen.
fn in_groups(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}
