//! What mail servers write in a refusal, as the beginnings of words: see [`judge`](super::reply::judge).

/// What servers say about a client, an account or a sender: beginnings of words.
pub const OF_SITE: &[&str] = &[
    " authenticat",
    " unauthenticated",
    " sign in",
    " log in",
    " credential",
    " credits",
    " sender",
    " sending",
    " send as",
    " sendas",
    " send limit",
    " send quota",
    " to send",
    " outgoing",
    " envoi",
    " versand",
    " envío",
    " invio",
    " from address",
    " not verified",
    " rate limit",
    " ratelimit",
    " throttl",
    " daily",
    " hourly",
    " per day",
    " per hour",
    " per minute",
    " client host",
    " the ip ",
    " this ip ",
    " your ip ",
    " your domain",
    " blacklist",
    " blocklist",
    " block list",
    " reputation",
];

/// What they say about a recipient.
pub const OF_RECIPIENT: &[&str] = &[
    " recipient ",
    " mailbox",
    " inbox",
    " user unknown",
    " unknown user",
    " no such ",
    " not exist",
    " user quota",
    " undeliverable",
    " unroutable",
    " unrouteable",
    " no valid recipient",
    " tried to reach",
    " trying to contact",
    " receiv",
    // Exchange's lookup of recipients.
    " resolver ",
];

/// What they say when they relay no mail from us to other servers at all.
pub const RELAYING: &[&str] = &[" relay", " rcpthosts", " outbound"];

/// What they say when they greylist: a stranger has to try again later. They decide that for each recipient
/// separately.
pub const GREYLISTING: &[&str] = &[" greylist", " graylist", " grey list", " postgrey"];

/// What they say about a limit that passes by itself.
pub const TOO_FAST: &[&str] = &[" too many", " too much", " limit", " slow down"];
