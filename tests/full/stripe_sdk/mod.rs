//! Stripe's own Python SDK checks the tests' fake Stripe: the SDK understands its answers, it refuses what Stripe
//! refuses, and our code and the SDK accept the same webhook signatures.

use std::path::Path;
use std::process::Command;

use chrono::Utc;
use techkraft::payment::settings::WebhookSecrets;
use techkraft::payment::signature::{SignatureError, sign, verify};
use tempfile::TempDir;

use testkit::stripe::{FakeStripe, STRIPE_KEY, STRIPE_SECRET};

/// A package on PyPI.
const SDK: &str = "stripe==16.1.0";

/// A Python environment for this test, which is deleted at its end.
struct Sdk {
    folder: TempDir,
}

impl Sdk {
    fn install() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        output(Command::new("python3").args(["-m", "venv"]).arg(folder.path()));
        let pip = folder.path().join("bin/pip");
        output(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check", SDK]));
        Self { folder }
    }

    /// Runs a check of `talk.py`; returns its output.
    fn talk(&self, check: &str, stripe: &FakeStripe, key: &str, arguments: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/full/stripe_sdk/talk.py");
        let mut python = Command::new(self.folder.path().join("bin/python"));
        output(python.arg(script).args([check, &stripe.url(), key]).args(arguments))
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn stripes_own_sdk_understands_the_fake() {
    let (sdk, stripe) = (Sdk::install(), FakeStripe::start());
    let session = sdk.talk("paying", &stripe, STRIPE_KEY, &[]);
    assert_eq!(stripe.money(), (2_100, 2_100));
    let dispute = stripe.dispute(&session);
    sdk.talk("disputed", &stripe, STRIPE_KEY, &[&dispute]);
    sdk.talk("stranger", &stripe, "sk_test_somebody", &[]);
    stripe.limit(1);
    sdk.talk("limited", &stripe, STRIPE_KEY, &[]);
    both_believe_the_same_signatures(&sdk, &stripe);
}

fn both_believe_the_same_signatures(sdk: &Sdk, stripe: &FakeStripe) {
    let now = Utc::now().timestamp();
    let payloads = [r#"{"id": "evt_1"}"#, "{}", "", "Björk – “ü” \u{1f3b8}\n\t"];
    let ours = |payload: &str| sign(payload.as_bytes(), STRIPE_SECRET, now);
    let mut signed: Vec<(String, String, bool)> =
        payloads.iter().map(|payload| ((*payload).to_owned(), ours(payload), true)).collect();
    // Neither accepts another body, another secret, an old time, or an incomplete header.
    let first = payloads[0];
    for (payload, header) in [
        (format!("{first} "), ours(first)),
        (first.to_owned(), sign(first.as_bytes(), "whsec_somebody_elses", now)),
        (first.to_owned(), sign(first.as_bytes(), STRIPE_SECRET, now - 301)),
        (first.to_owned(), ours(first).replace("v1=", "v0=")),
        (first.to_owned(), format!("t={now}")),
        (first.to_owned(), String::new()),
    ] {
        signed.push((payload, header, false));
    }
    let secrets = WebhookSecrets::parse(STRIPE_SECRET).expect("a secret");
    let believes = |payload: &str, header: &str| -> Result<(), SignatureError> {
        verify(header, payload.as_bytes(), &secrets, now)
    };
    for (payload, header, is_ours) in &signed {
        assert_eq!(believes(payload, header).is_ok(), *is_ours, "{payload} {header}");
    }
    let listed = serde_json::to_string(&signed).expect("JSON");
    let theirs = sdk.talk("signatures", stripe, STRIPE_KEY, &[STRIPE_SECRET, &listed]);
    let theirs: Vec<String> = serde_json::from_str(&theirs).expect("JSON");
    assert_eq!(theirs.len(), payloads.len());
    for (payload, header) in payloads.iter().zip(theirs) {
        assert_eq!(believes(payload, &header), Ok(()), "{payload} {header}");
    }
}
