//! Whom a mail server's refusal concerns: one recipient, one mail, or this site.
//!
//! What concerns the site (a quota, an unknown sign-in, a blocked sender) refuses every mail alike, so it must not fail
//! them one after the other. The enhanced code (RFC 3463, RFC 5248) decides. Servers without one are read by their
//! words, and so are codes that providers use for something else.

/// The command that was refused. Until the first one, everything concerns the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `MAIL FROM`: all mails have the same sender.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA` and the mail itself.
    Content,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// This mail, for good.
    Mail,
    /// This mail, for now.
    MailForNow,
    /// All mails, until something about the site or its account has changed.
    Site,
}

/// `5.7.1`
type Enhanced = (u16, u16, u16);

/// Judges a negative reply: its code, and the text behind it.
#[must_use]
pub fn judge(step: Step, code: u16, text: &str) -> Refusal {
    let about_mail = if code >= 500 { Refusal::Mail } else { Refusal::MailForNow };
    let enhanced = enhanced(code, text);
    let words = words(text);
    match step {
        // Only a mail for an address with non-English letters says SMTPUTF8 here.
        Step::Sender if enhanced.is_some_and(|it| it.1 == 6) => about_mail,
        Step::Sender => Refusal::Site,
        Step::Recipient | Step::Content => match enhanced.and_then(of_enhanced) {
            Some(Whose::Site) if code < 500 && is_greylisting(&words) => Refusal::MailForNow,
            Some(Whose::Site) => Refusal::Site,
            Some(Whose::Recipient) => about_mail,
            None if of_code(code) || (!is_greylisting(&words) && of_words(&words)) => Refusal::Site,
            None => about_mail,
        },
    }
}

enum Whose {
    Recipient,
    Site,
}

/// `None`: its words decide.
fn of_enhanced((_, subject, detail): Enhanced) -> Option<Whose> {
    match (subject, detail) {
        // Bad, moved or ambiguous mailboxes; a domain that takes no mail.
        (1, 1..=4 | 6 | 10) => Some(Whose::Recipient),
        // A bad sender's address or domain. Exchange: the day's limit.
        (1, 7 | 8 | 90) => Some(Whose::Site),
        // The recipient's mailbox: full.
        (2, 2) => Some(Whose::Recipient),
        // The mail is too large for the server.
        (3, 4) => Some(Whose::Recipient),
        (3, _) => Some(Whose::Site),
        // Congestion. Gmail: the day's quota.
        (4, 5) => Some(Whose::Site),
        // More recipients, in all mails, than the server takes.
        (5, 3) => Some(Whose::Site),
        // The content.
        (6, _) => Some(Whose::Recipient),
        // RFC 7293: the mailbox or the domain has changed hands. Exchange: a group takes mail from its members only.
        (7, 17 | 18 | 124 | 129..=136) => Some(Whose::Recipient),
        // Authentication, relaying, reputation, policy.
        (7, _) => Some(Whose::Site),
        _ => None,
    }
}

/// RFC 5321, 3.8: the server is closing. RFC 4954, 6: signing in is required or has failed. Exchange: too many
/// connections.
fn of_code(code: u16) -> bool {
    matches!(code, 421 | 432 | 454 | 530 | 534 | 535 | 538)
}

/// What servers say about a client, an account or a sender. None of it fits a recipient.
const OF_SITE: [&str; 41] = [
    "relay",
    "rcpthosts",
    "authenticat",
    "auth required",
    "sign in",
    "log in",
    "login",
    "credential",
    "sending quota",
    "sending limit",
    "sending rate",
    "send limit",
    "send quota",
    "message quota",
    "mail quota",
    "rate limit",
    "ratelimit",
    "limit exceeded",
    "limit reached",
    "daily",
    "hourly",
    "per day",
    "per hour",
    "per minute",
    "throttl",
    "too many",
    "sender",
    "send as",
    "sendas",
    "from address",
    "not verified",
    "to send",
    "your account",
    "your domain",
    "your ip",
    "client host",
    "blacklist",
    "blocklist",
    "block list",
    "reputation",
    "credits",
];

fn of_words(words: &str) -> bool {
    OF_SITE.iter().any(|it| words.contains(it))
}

/// A server that makes strangers come again takes each recipient for itself.
fn is_greylisting(words: &str) -> bool {
    words.contains("greylist") || words.contains("graylist") || words.contains("grey list")
}

/// The text in lower case, without the code that each of its lines begins with, and without addresses, which may
/// contain any of the words.
fn words(text: &str) -> String {
    let is_word = |word: &&str| !word.contains('@') && parse(word).is_none();
    text.split_whitespace().filter(is_word).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The enhanced code, at the start of the text or, as qmail writes it, as `(#5.7.1)`. Its class is the reply's.
fn enhanced(code: u16, text: &str) -> Option<Enhanced> {
    let mut words = text.split_whitespace();
    let first = words.next().and_then(parse);
    let marked = || words.filter(|word| word.contains('#')).find_map(parse);
    first.or_else(marked).filter(|it| it.0 == code / 100)
}

fn parse(word: &str) -> Option<Enhanced> {
    let word = word.trim_matches(|c: char| !c.is_ascii_digit());
    let numbers: Vec<u16> = word.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let [class, subject, detail] = numbers[..] else { return None };
    Some((class, subject, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(step: Step, reply: &str) -> Refusal {
        let (code, text) = reply.split_once(' ').unwrap_or((reply, ""));
        judge(step, code.parse().expect("a code"), text)
    }

    /// As providers write them, with enhanced codes and without.
    #[test]
    fn what_concerns_the_site_is_told_from_what_concerns_a_recipient() {
        use Refusal::{Mail, MailForNow, Site};
        for (reply, refusal) in [
            // Gmail and Google Workspace.
            ("550 5.4.5 Daily user sending quota exceeded. x1-20020a sm - gsmtp", Site),
            ("550 5.4.5 Daily SMTP relay limit exceeded for customer.", Site),
            ("421 4.7.0 Try again later, closing connection.", Site),
            ("421 4.7.28 Our system has detected an unusual rate of mail from your IP", Site),
            ("550 5.7.26 Unauthenticated email from example.org is not accepted", Site),
            ("550 5.7.1 The IP you're using to send mail is not authorized", Site),
            ("530 5.7.0 Authentication Required.", Site),
            ("550 5.1.1 The email account that you tried to reach does not exist.", Mail),
            ("550 5.2.1 The email account that you tried to reach is disabled.", Mail),
            ("552 5.2.2 The email account that you tried to reach is over quota.", Mail),
            ("452 4.2.2 The email account that you tried to reach is over quota.", MailForNow),
            ("450 4.2.1 The user you are trying to contact is receiving mail too quickly.", MailForNow),
            // Exchange and Microsoft 365.
            ("550 5.1.90 Your message can't be sent because you've reached your daily limit", Site),
            ("554 5.2.252 SendAsDenied; tickets@example.org not allowed to send as", Site),
            ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", Site),
            ("550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Site),
            ("550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", Site),
            ("432 4.3.2 Concurrent connections limit exceeded", Site),
            ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", Mail),
            ("550 5.4.1 Recipient address rejected: Access denied", Mail),
            ("550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", Mail),
            // Postfix.
            ("554 5.7.1 <ada@example.org>: Relay access denied", Site),
            ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Site),
            ("553 5.7.1 <tickets@example.org>: Sender address rejected: not owned by user techkraft", Site),
            ("450 4.1.8 <tickets@example.org>: Sender address rejected: Domain not found", Site),
            ("452 4.3.1 Insufficient system storage", Site),
            ("550 5.1.1 <daily@relay.example>: Recipient address rejected: User unknown", Mail),
            ("450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted", MailForNow),
            ("451 4.7.1 Greylisting in action, please come back later", MailForNow),
            ("552 5.3.4 Message size exceeds fixed limit", Mail),
            // Exim, qmail, sendmail and others, without enhanced codes or with old ones.
            ("550 relay not permitted", Site),
            ("550 Please turn on SMTP Authentication in your mail client", Site),
            ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Site),
            ("550 Sender verify failed", Site),
            ("550 Administrative prohibition: sender is on a blacklist", Site),
            ("550 Unrouteable address", Mail),
            ("550 <too.many@example.org>: No such user here", Mail),
            ("511 sorry, no mailbox here by that name (#5.1.1)", Mail),
            ("550", Mail),
            ("451 please come again", MailForNow),
            // SES, SendGrid, Mailgun, SparkPost.
            ("454 Throttling failure: Maximum sending rate exceeded.", Site),
            ("454 Throttling failure: Daily message quota exceeded.", Site),
            ("554 Message rejected: Email address is not verified.", Site),
            ("451 Authentication failed: Maximum credits exceeded", Site),
            ("550 The from address does not match a verified Sender Identity.", Site),
            ("421 Domain example.org is not allowed to send: Please activate your account.", Site),
            ("420 4.2.1 Sending limit exceeded", Site),
            ("452 4.5.3 Too many recipients", Site),
        ] {
            assert_eq!(judged(Step::Recipient, reply), refusal, "{reply}");
        }
    }

    #[test]
    fn the_sender_is_always_the_sites() {
        for reply in ["550 5.1.1 no", "451 4.3.0 later", "535 5.7.8 bad password", "554 go away"] {
            assert_eq!(judged(Step::Sender, reply), Refusal::Site, "{reply}");
        }
        assert_eq!(judged(Step::Sender, "553 5.6.7 SMTPUTF8 is required"), Refusal::Mail);
        assert_eq!(judged(Step::Content, "554 5.6.0 the content is not wanted"), Refusal::Mail);
        assert_eq!(judged(Step::Content, "554 5.5.1 no valid recipients"), Refusal::Mail);
        assert_eq!(judged(Step::Content, "554 5.7.1 message looks like spam"), Refusal::Site);
    }
}
