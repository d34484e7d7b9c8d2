//! The alerts, checked by Prometheus, and their runbooks.

use std::process::Command;

use crate::deploy::{output, read, stems};

const RULES: &str = "deploy/prometheus/techkraft.rules.yml";
const TESTS: &str = "deploy/prometheus/techkraft.test.yml";
const PAGES: &str = "docs/runbooks";

fn alerts() -> Vec<String> {
    let rules = read(RULES);
    let mut alerts: Vec<String> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).map(str::to_owned).collect();
    alerts.sort();
    alerts
}

#[test]
fn prometheus_understands_the_rules_and_they_fire_when_they_should() {
    output(Command::new("promtool").args(["check", "config", "deploy/prometheus/prometheus.yml"]));
    println!("{}", output(Command::new("promtool").args(["test", "rules", TESTS])));
}

/// For every alert there is a test in which it fires, and one in which it does not.
#[test]
fn every_alert_is_tested_both_ways() {
    let tests = read(TESTS);
    for alert in alerts() {
        assert!(
            tests.contains(&format!("        alertname: {alert}\n        exp_alerts:\n")),
            "{alert} fires nowhere"
        );
    }
}

#[test]
fn every_alert_has_its_page_and_every_page_its_alert() {
    let rules = read(RULES);
    assert_eq!(stems(PAGES, ".md"), alerts());
    for alert in alerts() {
        let page = read(format!("{PAGES}/{alert}.md"));
        assert!(page.starts_with(&format!("# {alert}\n")), "{alert}");
        assert!(page.contains("\n## Look\n") && page.contains("\n## Do\n"), "{alert}");
        assert!(rules.contains(&format!("runbook_url: {PAGES}/{alert}.md\n")), "{alert}");
        for link in page.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let file = link.0.split('#').next().unwrap_or_default();
            assert!(std::path::Path::new(PAGES).join(file).exists(), "{alert}: {}", link.0);
        }
    }
}
