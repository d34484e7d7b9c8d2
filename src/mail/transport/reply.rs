//! Whom a mail server's refusal concerns: one recipient, one mail, or this site.
//!
//! What concerns the site (a quota, an unknown sign-in, a blocked sender) refuses every mail alike, so it must not fail
//! them one after the other. What concerns a recipient must not hold up the others. The stage of the conversation, the
//! enhanced code (RFC 3463, RFC 5248) and plain words decide. Where they do not agree or say nothing, the refusal is
//! doubtful, and other mails show whom it concerned: no list knows all languages and servers.

use super::reply_words::{GREYLISTING, OF_RECIPIENT, OF_SITE, RELAYING, TOO_FAST};

/// The command that was refused. A refusal before the first of these always concerns the site.
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
    /// This mail for good, or all mails.
    Doubtful,
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
    if step == Step::Sender {
        // Only a mail for an address with non-English letters says SMTPUTF8 here.
        return if enhanced.is_some_and(|it| it.1 == 6) { about_mail } else { Refusal::Site };
    }
    if of_code(code) {
        return Refusal::Site;
    }
    let words = words(text);
    let says = |list: &[&str]| list.iter().any(|it| words.contains(it));
    let (status, says_site, says_mail) = (enhanced.and_then(of_enhanced), says(OF_SITE), says(OF_RECIPIENT));
    let (is_site, is_mail) =
        (says_site || status == Some(Whose::Site), says_mail || status == Some(Whose::Recipient));
    match (is_site, is_mail) {
        _ if status == Some(Whose::RecipientAlone) => about_mail,
        _ if code < 500 && says(GREYLISTING) => Refusal::MailForNow,
        _ if says(RELAYING) && status != Some(Whose::Recipient) => Refusal::Site,
        (true, false) => Refusal::Site,
        (false, true) => about_mail,
        (false, false) if code < 500 && says(TOO_FAST) => Refusal::Site,
        // A mail that waits loses nothing, so there is no doubt to clear up.
        _ if code < 500 => Refusal::MailForNow,
        _ => Refusal::Doubtful,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Whatever the words are.
    RecipientAlone,
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
        // The recipient's mailbox: full, for small mails, or a list that cannot be expanded.
        (2, 2..=4) => Some(Whose::Recipient),
        // The server is full, or takes no mail. The mail is too large for it.
        (3, 1 | 2) => Some(Whose::Site),
        (3, 4) => Some(Whose::Recipient),
        // Congestion. Gmail: the day's quota.
        (4, 5) => Some(Whose::Site),
        // More recipients, in all mails, than the server takes.
        (5, 3) => Some(Whose::Site),
        // The content.
        (6, _) => Some(Whose::Recipient),
        // A list. RFC 7293: the mailbox or the domain has changed hands. Exchange: a group takes mail from its members
        // only. Outlook: a stranger has to come again.
        (7, 2 | 17 | 18 | 124 | 129..=136 | 650) => Some(Whose::RecipientAlone),
        // Policy and reputation (5.7.1) are said of anybody.
        _ => None,
    }
}

/// RFC 5321, 3.8: the server is closing. RFC 4954, 6: signing in is required or has failed. Exchange: too many
/// connections.
fn of_code(code: u16) -> bool {
    matches!(code, 421 | 432 | 454 | 530 | 534 | 535 | 538)
}

/// The words of the text in lower case, each between spaces, without the code that each of its lines begins with, and
/// without addresses, which may contain any word.
fn words(text: &str) -> String {
    let is_word = |word: &&str| !word.contains('@') && parse(word).is_none();
    let text = text.split_whitespace().filter(is_word).collect::<Vec<_>>().join(" ").to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" "))
}

/// The enhanced code, at the start of the text or, as qmail writes it, as `(#5.7.1)`. It counts only if its
/// class is that of the reply's code.
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
        use Refusal::{Doubtful, Mail, MailForNow, Site};
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
            ("550", Doubtful),
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
    fn what_is_doubtful_is_neither_failed_nor_a_pause() {
        use Refusal::{Doubtful, Mail, MailForNow, Site};
        for (reply, refusal) in [
            // The sender's account, and none of these may fail a mail for good.
            ("550 5.4.6 Unusual sending activity detected. Please try after sometime.", Site),
            ("550 Sending quota exceeded for your account", Site),
            ("552 5.2.2 You have exceeded the daily sending quota", Doubtful),
            ("554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed", Site),
            ("550 Outgoing mail from this account has been suspended", Site),
            ("550 Account suspended", Doubtful),
            ("550 5.2.1 Account disabled: please contact support", Doubtful),
            ("550 SMTP access disabled for this user", Doubtful),
            ("550 Your plan has expired", Doubtful),
            ("550 Subscription expired", Doubtful),
            ("550 Tageslimit erreicht", Doubtful),
            ("550 Quota d'envoi dépassé", Site),
            ("554 5.7.1 Envoi limité", Site),
            ("450 Too many messages, slow down", Site),
            // A recipient, or a mail: none of these may stop the others.
            ("552 Mailbox limit exceeded for this email address", Mail),
            ("552 user quota limit reached", Mail),
            ("550 Mailbox quota exceeded, too many messages in the mailbox", Mail),
            ("522 5.7.1 mailbox full", Mail),
            ("550 No such user - your account may have been moved", Mail),
            ("550 login not found: user unknown", Mail),
            ("550 5.3.0 Recipient unknown", Mail),
            ("550 5.7.1 <ada@example.org>: Recipient address rejected: undeliverable address", Mail),
            ("554 5.7.1 <ada@example.org>: Recipient address rejected: Access denied", Mail),
            ("554 5.7.1 Message rejected as spam", Doubtful),
            ("554 5.7.1 Message contains a virus", Doubtful),
            ("550 5.7.1 RESOLVER.RST.AuthRequired", Mail),
            ("550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", Doubtful),
            ("550 5.7.2 Mailing list expansion prohibited", Mail),
            (
                "550 Verification failed for <tickets@example.org> No Such User Here Sender verify failed",
                Doubtful,
            ),
            // Its words come from the recipient's own server.
            ("550 5.1.1 <ada@example.org>: host mx.example said: 550 sending quota exceeded", Doubtful),
            ("451 4.7.1 Please try again later: first contact, deferred for 300 seconds", MailForNow),
            ("451 4.7.1 You are unknown to us, please retry in 300 seconds", MailForNow),
            ("451 4.7.1 Temporarily rejected. Try again later.", MailForNow),
            ("451 4.3.0 Try again later (Postgrey)", MailForNow),
            ("451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited", MailForNow),
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
        assert_eq!(judged(Step::Content, "554 5.7.1 message looks like spam"), Refusal::Doubtful);
    }
}
