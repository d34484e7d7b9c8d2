//! The URL map of accounts: signing in, one's own account, setup, and the team.

use actix_web::middleware::from_fn;
use actix_web::web::{ServiceConfig, post};

use crate::admin;
use crate::admin::resumption::keep_typed;
use crate::resource::{get, urls};

/// Signing in and one's own account.
pub(super) fn configure(site: &mut ServiceConfig) {
    site.service(
        urls::SIGN_IN
            .resource()
            .route(get().to(admin::sign_in::new))
            .route(post().to(admin::sign_in::create)),
    )
    .service(
        urls::SIGN_IN_CODE
            .resource()
            .route(get().to(admin::sign_in_code::new))
            .route(post().to(admin::sign_in_code::create)),
    )
    .service(
        urls::SECOND_FACTOR
            .resource()
            .route(get().to(admin::second_factor::edit))
            .route(post().to(admin::second_factor::update)),
    )
    .service(urls::SIGN_OUT.resource().route(post().to(admin::sign_in::destroy)))
    .service(
        urls::ACCOUNT
            .resource()
            .route(get().to(admin::account::show))
            .route(post().to(admin::account::destroy_sessions)),
    )
    .service(
        urls::PASSWORD
            .resource()
            .route(get().to(admin::password_change::edit))
            .route(post().to(admin::password_change::update)),
    )
    .configure(team);
}

/// The owner's setup and team pages, and the page for people who are invited.
fn team(site: &mut ServiceConfig) {
    use admin::setup::first_run;
    use admin::team::{acceptance, index, member, rule};
    let step = urls::SETUP_STEP.resource().route(get().to(first_run::edit));
    site.service(urls::SETUP.resource().route(get().to(admin::setup::show)))
        .service(step.route(post().to(first_run::update)).wrap(from_fn(keep_typed)))
        .service(urls::TEAM.resource().route(get().to(index::index)).route(post().to(index::create)))
        .service(urls::INVITATION_WITHDRAWAL.resource().route(post().to(index::withdraw)))
        .service(urls::TEAM_RULE.resource().route(post().to(rule::update)))
        .service(urls::TEAM_MEMBER.resource().route(get().to(member::edit)).route(post().to(member::update)))
        .service(
            urls::INVITATION.resource().route(get().to(acceptance::new)).route(post().to(acceptance::create)),
        );
}
