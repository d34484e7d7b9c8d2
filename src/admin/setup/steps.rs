//! The steps of the first run: what a new site is asked, and which of it is done.

use diesel::QueryResult;

use crate::admin::store::setup::{self, SetupNote, TestMail};
use crate::db::Db;
use crate::events::{Event, seed, store as events_store};
use crate::outbox::MailState;
use crate::site;

/// In the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupStep {
    BoxOffice,
    Mail,
    Payment,
    FirstConcert,
}

impl SetupStep {
    pub const ALL: [Self; 4] = [Self::BoxOffice, Self::Mail, Self::Payment, Self::FirstConcert];

    /// Its name in the database and in URLs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BoxOffice => "box-office",
            Self::Mail => "mail",
            Self::Payment => "payment",
            Self::FirstConcert => "first-concert",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }

    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::BoxOffice => "Your box office",
            Self::Mail => "Emails",
            Self::Payment => "Payment",
            Self::FirstConcert => "First concert",
        }
    }

    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::BoxOffice => "Name, address and contact, as buyers see them",
            Self::Mail => "Send one to yourself and see it arrive",
            Self::Payment => "How buyers pay",
            Self::FirstConcert => "Create it, or look around in a demo first",
        }
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    Open,
    Skipped,
    Done,
}

/// What the database says of the first run.
#[derive(Debug, Clone)]
pub struct FirstRun {
    pub steps: [(SetupStep, StepState); 4],
    /// The last test mail.
    pub test_mail: Option<TestMail>,
}

impl FirstRun {
    /// `sends_mail`: there is a mail server.
    pub fn read(db: &mut Db, sends_mail: bool) -> QueryResult<Self> {
        let notes = setup::notes(db)?;
        let noted = |step: SetupStep| notes.iter().find(|note| note.name == step.as_str());
        let key = noted(SetupStep::Mail).and_then(|note| note.mail_key.clone());
        let test_mail = key.map(|key| setup::test_mail(db, &key)).transpose()?.flatten();
        let (box_office, events) = (site::store::read(db)?, events_store::list(db)?);
        let is_done = |step: SetupStep| match step {
            SetupStep::BoxOffice => !box_office.name.is_empty(),
            SetupStep::Mail => sends_mail && test_mail.as_ref().is_some_and(TestMail::has_arrived),
            SetupStep::Payment => noted(step).is_some_and(|note| !note.is_skipped()),
            SetupStep::FirstConcert => events.iter().any(|event| !is_sample(event)),
        };
        let state = |step: SetupStep| match noted(step).is_some_and(SetupNote::is_skipped) {
            _ if is_done(step) => StepState::Done,
            true => StepState::Skipped,
            false => StepState::Open,
        };
        Ok(Self { steps: SetupStep::ALL.map(|step| (step, state(step))), test_mail })
    }

    /// How many are done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|(_, state)| *state == StepState::Done).count()
    }

    /// The first one that is open.
    #[must_use]
    pub fn next(&self) -> Option<SetupStep> {
        self.steps.iter().find(|(_, state)| *state == StepState::Open).map(|(step, _)| *step)
    }

    /// The step to go on with after this one: the next open one, or else the first open one.
    #[must_use]
    pub fn after(&self, step: SetupStep) -> Option<SetupStep> {
        let behind = self.steps.iter().skip_while(|(it, _)| *it != step).skip(1);
        let is_open = |(it, state): &&(SetupStep, StepState)| *state == StepState::Open && *it != step;
        behind.clone().find(is_open).or_else(|| self.steps.iter().find(is_open)).map(|(step, _)| *step)
    }
}

impl TestMail {
    /// The mail server has taken it.
    #[must_use]
    pub fn has_arrived(&self) -> bool {
        self.state == MailState::Sent.as_str()
    }

    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.state == MailState::Queued.as_str()
    }
}

/// Whether the concert is the one that a new database starts with, as it was.
#[must_use]
pub fn is_sample(event: &Event) -> bool {
    let seed = seed::concert();
    event.slug == seed.slug && event.name == seed.name && event.starts_at == seed.starts_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_leads_through_all_open_steps() {
        let run = |states: [StepState; 4]| {
            let mut states = states.into_iter();
            let steps = SetupStep::ALL.map(|step| (step, states.next().expect("four")));
            FirstRun { steps, test_mail: None }
        };
        let all = run([StepState::Open; 4]);
        assert_eq!(all.next(), Some(SetupStep::BoxOffice));
        assert_eq!(all.after(SetupStep::BoxOffice), Some(SetupStep::Mail));
        assert_eq!(all.after(SetupStep::FirstConcert), Some(SetupStep::BoxOffice));
        let some = run([StepState::Open, StepState::Skipped, StepState::Done, StepState::Done]);
        assert_eq!((some.next(), some.done()), (Some(SetupStep::BoxOffice), 2));
        assert_eq!(some.after(SetupStep::BoxOffice), None);
        assert_eq!(some.after(SetupStep::Payment), Some(SetupStep::BoxOffice));
    }

    #[test]
    fn a_steps_name_is_read_back() {
        for step in SetupStep::ALL {
            assert_eq!(SetupStep::parse(step.as_str()), Some(step));
        }
        assert_eq!(SetupStep::parse("backup"), None);
    }
}
