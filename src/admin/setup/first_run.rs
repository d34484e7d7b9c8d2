//! `/admin/setup/{step}`: the first run asks what a new site needs, one page after the other. Each can be skipped, and
//! opened again later.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::steps::{FirstRun, SetupStep, StepState};
use crate::admin::store::setup;
use crate::admin::terms::parse_line;
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::Owner;
use crate::auth::return_path::Resumed;
use crate::auth::session::Admin;
use crate::auth::token;
use crate::booking::buyer::{parse_email, shown_email};
use crate::box_office::BoxOfficeDetails;
use crate::error::Error;
use crate::events::seed;
use crate::guard::form::Form;
use crate::outbox::{self, MailKind, NewMail};
use crate::page::{Page, Toast, see_other, see_other_with};
use crate::site;

#[derive(Template)]
#[template(path = "admin/first_run.html")]
struct FirstRunPage {
    page: Page,
    step: SetupStep,
    first_run: FirstRun,
    /// Where mails are written; `None`: there is a mail server.
    mail_folder: Option<String>,
    mail_sender: String,
    typed: StepFields,
    errors: StepErrors,
}

impl FirstRunPage {
    fn number(&self) -> usize {
        SetupStep::ALL.iter().take_while(|step| **step != self.step).count() + 1
    }

    fn is_current(&self, step: &SetupStep) -> bool {
        *step == self.step
    }

    fn is_done(&self) -> bool {
        self.first_run.steps.contains(&(self.step, StepState::Done))
    }

    /// The mail server has taken a test mail.
    fn has_tested(&self) -> bool {
        self.step == SetupStep::Mail && self.is_done()
    }

    /// The concert that a new database starts with.
    fn sample(&self) -> &'static str {
        seed::concert().slug
    }
}

/// The fields of all steps, as they were typed.
#[derive(Default)]
struct StepFields {
    name: String,
    address: String,
    contact: String,
    email: String,
}

#[derive(Default)]
struct StepErrors {
    name: Option<String>,
    address: Option<String>,
    contact: Option<String>,
    email: Option<String>,
}

impl StepErrors {
    fn is_empty(&self) -> bool {
        [&self.name, &self.address, &self.contact, &self.email].iter().all(|error| error.is_none())
    }
}

/// `GET /admin/setup/{step}`
pub async fn edit(
    page: Page,
    _: Owner,
    app: web::Data<App>,
    step: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let step = SetupStep::parse(&step).ok_or(Error::NotFound)?;
    let known = app.box_office.now();
    let typed = StepFields {
        name: known.name.clone(),
        address: known.address.clone(),
        contact: known.contact.clone(),
        email: String::new(),
    };
    show(&page, &app, step, StatusCode::OK, typed, StepErrors::default()).await
}

/// `POST /admin/setup/{step}`: `act` is what its button says.
pub async fn update(
    page: Page,
    Owner(admin): Owner,
    app: web::Data<App>,
    step: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(mut form): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let step = SetupStep::parse(&step).ok_or(Error::NotFound)?;
    let mut take = |name: &str| form.remove(name).unwrap_or_default();
    let act = take("act");
    let typed = StepFields {
        name: take("name"),
        address: take("address"),
        contact: take("contact"),
        email: take("email"),
    };
    if is_resumed {
        return show(&page, &app, step, StatusCode::OK, typed, StepErrors::default()).await;
    }
    match (act.as_str(), step) {
        ("skip", _) => {
            app.db.write(move |db| setup::skip(db, step.as_str())).await?;
            go_on(&app, step).await
        }
        ("skip-all", _) => skip_all(&app).await,
        (_, SetupStep::BoxOffice) => save_box_office(&page, &app, &admin, typed).await,
        (_, SetupStep::Mail) => send_test_mail(&page, &app, typed).await,
        (_, SetupStep::Payment) => {
            app.db.write(move |db| setup::done(db, step.as_str(), None)).await?;
            go_on(&app, step).await
        }
        // It is done by creating a concert.
        (_, SetupStep::FirstConcert) => go_on(&app, step).await,
    }
}

async fn save_box_office(
    page: &Page,
    app: &App,
    admin: &Admin,
    typed: StepFields,
) -> Result<HttpResponse, Error> {
    let mut errors = StepErrors::default();
    let read = |typed: &str, error: &mut Option<String>| {
        parse_line(typed.trim()).unwrap_or_else(|wrong| {
            *error = Some(wrong);
            String::new()
        })
    };
    let name = read(&typed.name, &mut errors.name);
    let address = read(&typed.address, &mut errors.address);
    let contact = read(&typed.contact, &mut errors.contact);
    if name.is_empty() && errors.name.is_none() {
        errors.name = Some("Enter a name, or skip this step.".into());
    }
    if !errors.is_empty() {
        return show(page, app, SetupStep::BoxOffice, StatusCode::UNPROCESSABLE_ENTITY, typed, errors).await;
    }
    let (actor, subject) = (admin.actor(), name.clone());
    let details = BoxOfficeDetails { name, address, contact };
    let saved = site::save(&app.db, &app.box_office, details, move |db| {
        audit::store::record(db, &actor, Action::BoxOfficeChanged, &subject, 1)
    });
    saved.await?;
    go_on(app, SetupStep::BoxOffice).await
}

async fn send_test_mail(page: &Page, app: &App, typed: StepFields) -> Result<HttpResponse, Error> {
    let step = SetupStep::Mail;
    let Ok(email) = parse_email(&typed.email) else {
        let email = Some("Enter your email address, such as grace@example.org.".into());
        let errors = StepErrors { email, ..StepErrors::default() };
        return show(page, app, step, StatusCode::UNPROCESSABLE_ENTITY, typed, errors).await;
    };
    let key = format!("setup test {}", token::random());
    let mail = NewMail {
        kind: MailKind::Test,
        booking_id: None,
        dedupe_key: Some(key.clone()),
        recipient: Some(email.clone()),
        payload: None,
    };
    let queue = app.db.write(move |db| {
        outbox::store::enqueue(db, &mail)?;
        setup::done(db, step.as_str(), Some(&key))
    });
    queue.await?;
    app.outbox_wakeup.notify();
    let toast = Toast::success(format!("A test email is on its way to {}.", shown_email(&email)));
    Ok(see_other_with(&app.cookies, "/admin/setup/mail", &toast))
}

async fn skip_all(app: &App) -> Result<HttpResponse, Error> {
    let sends_mail = app.mail_folder.is_none();
    let skip = app.db.write(move |db| {
        let steps = FirstRun::read(db, sends_mail)?.steps;
        let mut open = steps.iter().filter(|(_, state)| *state == StepState::Open);
        open.try_for_each(|(step, _)| setup::skip(db, step.as_str()))
    });
    skip.await?;
    let toast = Toast::success("Skipped. “Is everything set?” at the foot of the page leads back.");
    Ok(see_other_with(&app.cookies, "/admin", &toast))
}

/// To the next open step, or, where there is none, to the sales.
async fn go_on(app: &App, step: SetupStep) -> Result<HttpResponse, Error> {
    let sends_mail = app.mail_folder.is_none();
    let first_run = app.db.read_primary(move |db| FirstRun::read(db, sends_mail)).await?;
    match first_run.after(step) {
        Some(next) => Ok(see_other(&format!("/admin/setup/{}", next.as_str())).finish()),
        None => {
            let toast =
                Toast::success("That’s all. “Is everything set?” at the foot of the page leads back.");
            Ok(see_other_with(&app.cookies, "/admin", &toast))
        }
    }
}

async fn show(
    page: &Page,
    app: &App,
    step: SetupStep,
    status: StatusCode,
    typed: StepFields,
    errors: StepErrors,
) -> Result<HttpResponse, Error> {
    let sends_mail = app.mail_folder.is_none();
    let first_run = app.db.read_primary(move |db| FirstRun::read(db, sends_mail)).await?;
    let shown = FirstRunPage {
        page: page.clone(),
        step,
        first_run,
        mail_folder: app.mail_folder.as_ref().map(|folder| folder.display().to_string()),
        mail_sender: app.mail_sender.clone(),
        typed,
        errors,
    };
    page.respond_unlisted(status, &shown)
}
