//! Every metric that alerts and the dashboard name is one that the server exports.

use std::collections::BTreeSet;

use crate::deploy::{output, read};
use testkit::database::TestDatabase;
use testkit::server::{Server, techkraft};

const RULES: &str = "deploy/prometheus/techkraft.rules.yml";
const DASHBOARD: &str = "deploy/grafana/techkraft.json";

/// Metrics that node_exporter exports, not our program: <https://github.com/prometheus/node_exporter>, collector
/// `filesystem`.
const OF_NODE_EXPORTER: [&str; 2] = ["node_filesystem_avail_bytes", "node_filesystem_size_bytes"];
/// Metrics that only a server with replicas exports; with SQLite there are no replicas.
const OF_REPLICAS: [&str; 2] = ["techkraft_replica_in_use", "techkraft_replica_lag_seconds"];
/// The suffixes of a histogram's series.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// The metrics that a text names: our own, those of the process, and those of node_exporter.
fn named(text: &str) -> BTreeSet<String> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_of_name(c));
    let prefixes = ["techkraft_", "process_", "node_"];
    words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix))).map(str::to_owned).collect()
}

/// The names of the metric families in a text in Prometheus's format.
fn told(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// All metrics that are exported, by a server and by the commands that the timers start.
fn all_told() -> BTreeSet<String> {
    let database = TestDatabase::create();
    let url = database.url.clone();
    let settings = [("DATABASE_READ_URLS", url.as_str())];
    let server = Server::start(&database, if database.is_postgres() { &settings } else { &[] });
    let metrics = reqwest::blocking::get(format!("http://{}/metrics", server.address)).expect("an answer");
    let mut all = told(&metrics.text().expect("text"));
    let folder = database.folder.path();
    let file = |name: &str| folder.join(name).display().to_string();
    output(techkraft(&database).args(["verify", "--metrics", &file("verify.prom")]));
    output(techkraft(&database).args(["backup", &file("a.backup"), "--metrics", &file("backup.prom")]));
    all.extend(told(&read(file("verify.prom"))));
    all.extend(told(&read(file("backup.prom"))));
    all.extend(OF_NODE_EXPORTER.map(str::to_owned));
    if !database.is_postgres() {
        all.extend(OF_REPLICAS.map(str::to_owned));
    }
    all
}

#[test]
fn every_metric_of_the_alerts_and_the_dashboard_is_told() {
    let rules: String = read(RULES).lines().filter(|it| !it.trim().starts_with('#')).collect();
    let dashboard: serde_json::Value = serde_json::from_str(&read(DASHBOARD)).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<&str> = targets.map(|it| it["expr"].as_str().expect("a query")).collect();
    assert!(queries.len() > 20, "{queries:?}");
    let all = all_told();
    for name in named(&rules).union(&named(&queries.join(" "))) {
        let stem = OF_HISTOGRAMS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
        let counter = name.strip_suffix("_total").unwrap_or(name);
        let info = name.strip_suffix("_info").unwrap_or(name);
        assert!(
            [name.as_str(), stem, counter, info].iter().any(|it| all.contains(*it)),
            "{name} is told by nobody: {all:?}"
        );
    }
}
