//! What ships for those who watch a hub: the dashboard for Grafana, and the alert rules for Prometheus. Every name that
//! they use is served, and Prometheus' own tools have nothing to complain of.

#[path = "shared/mod.rs"]
mod shared;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use chathub::wire::admin::metrics::table;
use serde_json::{Value, json};
use shared::generated::in_repository;
use shared::missing::have;
use tempfile::TempDir;

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

/// All expressions in the dashboard as Prometheus gets them: Grafana has put its variables in.
fn asked() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(in_repository(DASHBOARD))).expect("JSON");
    let mut all = Vec::new();
    expressions(&dashboard, &mut all);
    all.iter().map(|expr| expr.replace("$__rate_interval", "2m").replace("$instance", ".*")).collect()
}

/// Of Prometheus' files, which are YAML, the part that JSON is.
fn written(name: &str, content: &Value) -> (TempDir, String) {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join(name);
    std::fs::write(&path, content.to_string()).expect("a file");
    let path = path.to_str().expect("UTF-8").to_owned();
    (dir, path)
}

#[test]
fn prometheus_can_answer_what_each_panel_asks() {
    let asked = asked();
    assert!(asked.len() > 50 && asked.iter().all(|expr| !expr.contains('$')), "{asked:#?}");
    let rule = |(number, expr): (usize, &String)| json!({"record": format!("panel:{number}"), "expr": expr});
    let rules: Vec<Value> = asked.iter().enumerate().map(rule).collect();
    let (_dir, path) = written("dashboard.yml", &json!({"groups": [{"name": "dashboard", "rules": rules}]}));
    promtool(&["check", "rules", &path]);
}

/// A hub that is not asked any more is not one with nobody in it.
#[test]
fn what_nobody_serves_is_shown_as_no_data_and_not_as_zero() {
    let none: Vec<Value> =
        asked().iter().map(|expr| json!({"expr": expr, "eval_time": "1h", "exp_samples": []})).collect();
    // Served once, and stale since.
    let stale: Vec<Value> =
        served().iter().map(|name| json!({"series": format!("{name}{{le=\"1\"}}"), "values": "1 stale"})).collect();
    let test = |series: &[Value]| json!({"interval": "1m", "input_series": series, "promql_expr_test": &none});
    let (_dir, path) = written("none.yml", &json!({"rule_files": [], "tests": [test(&[]), test(&stale)]}));
    promtool(&["test", "rules", &path]);
    let dashboard: Value = serde_json::from_str(&read(in_repository(DASHBOARD))).expect("JSON");
    for panel in dashboard["panels"].as_array().expect("panels") {
        let (title, defaults) = (&panel["title"], &panel["fieldConfig"]["defaults"]);
        // Both would fill in what is not there.
        assert!(defaults["noValue"].is_null() && defaults["custom"]["spanNulls"].is_null(), "{title}");
        let says = |mapping: &Value| {
            mapping["options"]["match"] == "null+nan" && mapping["options"]["result"]["text"] == "no data"
        };
        let mut mappings = defaults["mappings"].as_array().into_iter().flatten();
        assert!(panel["type"] != "stat" || mappings.any(says), "{title}");
    }
}

/// The unit of what an expression yields, in Grafana's words.
fn unit(expr: &str) -> &'static str {
    let gauge = |end: &str| expr.contains(&format!("{end}{{"));
    match expr {
        _ if expr.contains("histogram_quantile") => "s",
        _ if expr.contains("rate(") && expr.contains("_bytes_") => "Bps",
        _ if expr.contains("rate(") && expr.contains("_seconds_sum") => "percentunit",
        _ if expr.contains("rate(") => "cps",
        _ if expr.contains("increase(") => "short",
        _ if expr.contains(" / ") => "percentunit",
        _ if gauge("_bytes") => "bytes",
        _ if gauge("_seconds") => "s",
        _ => "short",
    }
}

#[test]
fn each_panel_has_the_unit_of_what_it_shows_and_a_word_for_each_line() {
    let dashboard: Value = serde_json::from_str(&read(in_repository(DASHBOARD))).expect("JSON");
    for panel in dashboard["panels"].as_array().expect("panels").iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap_or_default();
        let targets: Vec<(&str, &str)> = panel["targets"]
            .as_array()
            .expect("targets")
            .iter()
            .map(|target| {
                (target["expr"].as_str().unwrap_or_default(), target["legendFormat"].as_str().unwrap_or_default())
            })
            .collect();
        let legends: BTreeSet<&str> = targets.iter().map(|(_, legend)| *legend).collect();
        assert_eq!(legends.len(), targets.len(), "{title}: two lines are called the same");
        if panel["type"] == "heatmap" {
            let expr = targets[0].0;
            let unit = if expr.contains("_bytes_") { "bytes" } else { "s" };
            assert_eq!(panel["options"]["yAxis"]["unit"], unit, "{title}");
            assert_eq!(panel["targets"][0]["format"], "heatmap", "{title}");
            continue;
        }
        let units: BTreeSet<&str> = targets.iter().map(|(expr, _)| unit(expr)).collect();
        let shown = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap_or_default();
        let shown = if panel["type"] == "stat" && shown == "none" { "short" } else { shown };
        if let [unit] = Vec::from_iter(&units)[..] {
            assert_eq!(shown, *unit, "{title}");
            continue;
        }
        // Where numbers of several kinds stand together, the legend says which are rates.
        assert_eq!(shown, "short", "{title}: {units:?}");
        for (expr, legend) in targets {
            assert!(["short", "cps"].contains(&unit(expr)), "{title}: {expr}");
            assert_eq!(unit(expr) == "cps", legend.ends_with(", a second"), "{title}: {legend}");
        }
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
