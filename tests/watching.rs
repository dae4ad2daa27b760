//! What ships for those who watch a hub: the dashboard for Grafana, and the alert rules for Prometheus. Every name that
//! they use is served, and Prometheus' own tools have nothing to complain of.

#[path = "shared/mod.rs"]
mod shared;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use chathub::wire::admin::metrics::table;
use serde_json::Value;
use shared::generated::in_repository;
use shared::missing::have;

const RULES: &str = "packaging/prometheus/chathub.rules.yml";
const ALERTS: &str = "tests/watching/alerts.yml";
const DASHBOARD: &str = "packaging/grafana/chathub.json";

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// The names in a text that begin as those of metrics do.
fn names(text: &str) -> BTreeSet<String> {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !in_word(c));
    words.filter(|word| word.starts_with(table::PREFIX) && *word != table::PREFIX).map(str::to_owned).collect()
}

fn served() -> BTreeSet<String> {
    table::all().flat_map(|metric| metric.series()).collect()
}

#[test]
fn every_name_in_the_dashboard_and_in_the_rules_is_served() {
    for path in [RULES, ALERTS, DASHBOARD] {
        let names = names(&read(in_repository(path)));
        assert!(names.len() > 15, "{path} uses few names: {names:?}");
        let unknown: Vec<_> = names.difference(&BTreeSet::from_iter(served())).cloned().collect();
        assert!(unknown.is_empty(), "{path} uses names that nobody serves: {unknown:?}");
    }
}

/// All expressions in the dashboard.
fn expressions(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            into.extend(object.get("expr").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| expressions(value, into));
        }
        Value::Array(array) => array.iter().for_each(|value| expressions(value, into)),
        _ => {}
    }
}

#[test]
fn the_dashboard_has_what_an_administrator_asks_for() {
    let dashboard: Value = serde_json::from_str(&read(in_repository(DASHBOARD))).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let (title, at) = (panel["title"].as_str().unwrap_or_default(), &panel["gridPos"]);
        assert!(!title.is_empty(), "{panel}");
        assert!(panel["type"] == "row" || panel["description"].is_string(), "{title} does not say what it is");
        let number = |key: &str| at[key].as_u64().expect("a place");
        assert!(number("x") + number("w") <= 24, "{title} goes beyond the edge");
        for x in number("x")..number("x") + number("w") {
            for y in number("y")..number("y") + number("h") {
                assert!(taken.insert((x, y)), "{title} covers another panel");
            }
        }
    }
    let mut all = Vec::new();
    expressions(&dashboard, &mut all);
    // Whoever watches several hubs chooses one: all expressions do.
    assert!(all.iter().all(|expr| expr.contains("instance=~\"$instance\"")), "{all:#?}");
    let names = names(&all.join(" "));
    // Events are of no use to whom nobody shows them. These few are for whoever looks closer.
    let closer = ["chathub_held_at_door_total", "chathub_presence_gathered_total", "chathub_memos_left_total"];
    let closer = [&closer[..], &["chathub_memos_delivered_total"]].concat();
    for event in table::events().flat_map(|event| event.series()).filter(|name| !closer.contains(&name.as_str())) {
        assert!(names.contains(&event), "no panel shows {event}");
    }
}

fn promtool(args: &[&str]) {
    if !have("promtool") {
        return;
    }
    let output = Command::new("promtool").args(args).current_dir(in_repository(".")).output().expect("it runs");
    let told = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "promtool {}:\n{}", args.join(" "), String::from_utf8_lossy(&told));
}

#[test]
fn prometheus_takes_the_rules_and_the_example() {
    promtool(&["check", "rules", RULES]);
    promtool(&["check", "config", "packaging/prometheus/scrape.yml"]);
}

#[test]
fn each_alert_fires_when_it_should_and_not_before() {
    promtool(&["test", "rules", ALERTS]);
}

/// So that a new alert gets a test: the last case of "all is wrong" counts them.
#[test]
fn every_alert_is_tested_and_says_what_to_do() {
    let (rules, tests) = (read(in_repository(RULES)), read(in_repository(ALERTS)));
    let count = rules.matches("- alert: ").count();
    assert!(tests.contains(&format!("exp_samples: [{{value: {count}}}]")), "{count} alerts, and not all are tested");
    for part in ["summary: ", "description: ", "severity: "] {
        assert_eq!(rules.matches(part).count(), count, "each alert has its {part}");
    }
}
