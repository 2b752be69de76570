//! The house rules hold in the whole workspace, and each rule can be broken.

use std::{collections::BTreeMap, path::Path};

use hongbao_testkit::tidy::{self, TextFile};

const NOTHING: [String; 0] = [];

fn workspace() -> Vec<TextFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = tidy::text_files(&root);
    assert!(files.len() > 50, "the workspace was not found");
    files
}

/// What a rule finds in the whole workspace.
fn found(rule: fn(&str, &str) -> Vec<String>, applies: fn(&str) -> bool) -> Vec<String> {
    let files = workspace();
    let files = files.iter().filter(|file| applies(&file.path));
    files.flat_map(|file| rule(&file.path, &file.text)).collect()
}

fn any(_path: &str) -> bool {
    true
}

fn crate_manifest(path: &str) -> bool {
    path.starts_with("crates/") && path.ends_with("/Cargo.toml")
}

fn migration(path: &str) -> bool {
    path.contains("/migrations/") && Path::new(path).extension().is_some_and(|end| end == "sql")
}

#[test]
fn money_and_limits_know_no_floating_point() {
    assert_eq!(found(tidy::floats, any), NOTHING);
}

#[test]
fn a_float_is_found_in_code_and_passed_in_comments_and_tests() {
    let path = "crates/domain/src/money.rs";
    for bad in ["fn yuan() -> f64 {", "let x: Vec<f32> = y;", "a as f64", "1_f64; // why\nx as f64"]
    {
        assert_eq!(tidy::floats(path, bad).len(), 1, "{bad}");
    }
    let tested = "fn x() {}\n#[cfg(test)]\nmod tests { fn y() -> f64 {} }";
    for good in ["// never an f64", "let f64_bits = 1;", "0xf64", tested] {
        assert_eq!(tidy::floats(path, good), NOTHING, "{good}");
    }
    assert_eq!(tidy::floats("crates/http/src/page.rs", "x: f64"), NOTHING);
    assert_eq!(tidy::floats("crates/domain/src/split/tests.rs", "x: f64"), NOTHING);
}

#[test]
fn no_file_is_longer_than_600_lines() {
    assert_eq!(found(tidy::too_long, any), NOTHING);
}

#[test]
fn line_601_is_found() {
    assert_eq!(tidy::too_long("a.rs", &"x\n".repeat(600)), NOTHING);
    assert_eq!(tidy::too_long("a.rs", &"x\n".repeat(601)).len(), 1);
    assert_eq!(tidy::too_long("Cargo.lock", &"x\n".repeat(601)), NOTHING);
}

#[test]
fn nothing_is_left_to_be_done() {
    assert_eq!(found(tidy::markers, any), NOTHING);
}

#[test]
fn a_marker_is_found() {
    for marker in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
        assert_eq!(tidy::markers("a.rs", &format!("// {marker}: later")).len(), 1);
        assert_eq!(tidy::markers("a.md", &format!("fine\n{marker}")).len(), 1);
        assert_eq!(tidy::markers("a.sh", &format!("mktemp /tmp/a.{marker}X")), NOTHING);
    }
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    assert_eq!(found(tidy::machine_paths, any), NOTHING);
}

#[test]
fn a_folder_of_one_machine_is_found() {
    for folder in [concat!("/wo", "rk/"), concat!("/ro", "ot/")] {
        let text = format!("# run\ncd {folder}main");
        assert_eq!(tidy::machine_paths("Makefile", &text).len(), 1);
    }
    assert_eq!(tidy::machine_paths("Makefile", "cd network/x; cd ./work"), NOTHING);
}

#[test]
fn crates_depend_in_one_direction() {
    assert_eq!(found(tidy::directions, crate_manifest), NOTHING);
}

#[test]
fn a_dependency_that_points_back_is_found() {
    let manifest = |package: &str, rest: &str| format!("[package]\nname = \"{package}\"\n{rest}");
    for (package, bad) in [
        ("hongbao-domain", "[dependencies]\ntokio.workspace = true"),
        ("hongbao-domain", "[dev-dependencies]\ntokio.workspace = true"),
        ("hongbao-wire", "[dependencies.hyper]\nversion = \"1\""),
        ("hongbao-wire", "[dependencies]\nhongbao-app = { workspace = true }"),
        ("hongbao-plan", "[dependencies]\ntokio.workspace = true"),
        ("hongbao-plan", "[dependencies]\nhongbao-app.workspace = true"),
        ("hongbao-app", "[dependencies]\nrusqlite = \"1\""),
        ("hongbao-app", "[dependencies]\nhongbao-testkit.workspace = true"),
        ("hongbao-app", "[target.'cfg(unix)'.dependencies]\naxum.workspace = true"),
        ("hongbao-http", "[dev-dependencies]\nhongbao-server.workspace = true"),
        ("hongbao-store", "[build-dependencies]\nhyper.workspace = true"),
        ("hongbao-newcomer", ""),
    ] {
        let text = manifest(package, bad);
        assert_eq!(tidy::directions("Cargo.toml", &text).len(), 1, "{text}");
    }
    for (package, good) in [
        ("hongbao-app", "[dev-dependencies]\nhongbao-testkit.workspace = true"),
        ("hongbao-app", "[dependencies]\ntokio.workspace = true"),
        ("hongbao-store", "[dependencies]\nrusqlite.workspace = true"),
        ("hongbao-http", "[dependencies]\naxum.workspace = true"),
        ("hongbao-domain", "[features]\ntokio = []"),
    ] {
        assert_eq!(tidy::directions("Cargo.toml", &manifest(package, good)), NOTHING);
    }
}

#[test]
fn workspace_dependencies_are_sorted_in_their_groups() {
    assert_eq!(found(tidy::unsorted, |path| path == "Cargo.toml"), NOTHING);
}

#[test]
fn a_dependency_out_of_order_is_found() {
    let text = |names: &str| format!("[workspace.dependencies]\n{names}\n[profile]\na = 1");
    assert_eq!(tidy::unsorted("Cargo.toml", &text("# x\nb = \"1\"\na = \"1\"")).len(), 1);
    assert_eq!(tidy::unsorted("Cargo.toml", &text("# x\nb = \"1\"\n# y\na = \"1\"")), NOTHING);
    assert_eq!(tidy::unsorted("Cargo.toml", &text("b = { f = [\n  \"a\",\n] }\nc = 1")), NOTHING);
}

#[test]
fn migrations_are_numbered_and_the_same_for_every_store() {
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in workspace().into_iter().filter(|file| migration(&file.path)) {
        let (folder, name) = file.path.rsplit_once('/').unwrap();
        folders.entry(folder.to_owned()).or_default().push(name.to_owned());
    }
    assert!(!folders.is_empty(), "there are no migrations");
    for (folder, names) in &folders {
        assert_eq!(tidy::numbers(names.iter().map(String::as_str)), NOTHING, "{folder}");
    }
    let lists: Vec<&Vec<String>> = folders.values().collect();
    assert!(lists.windows(2).all(|pair| pair[0] == pair[1]), "{folders:?}");
}

#[test]
fn a_migration_number_twice_or_missing_is_found() {
    assert_eq!(tidy::numbers(["V1__a.sql", "V2__b.sql", "V10__c.sql"]).len(), 1);
    assert_eq!(tidy::numbers(["V1__a.sql", "V1__b.sql"]).len(), 1);
    assert_eq!(tidy::numbers(["V2__a.sql"]).len(), 1);
    assert_eq!(tidy::numbers(["V1__a.sql", "tables.sql"]).len(), 1);
    assert_eq!(tidy::numbers(["V2__b.sql", "V1__a.sql"]), NOTHING);
}

#[test]
fn keys_of_tables_start_with_their_owner() {
    assert_eq!(found(tidy::keys, migration), NOTHING);
}

#[test]
fn a_key_that_starts_with_no_owner_is_found() {
    for bad in [
        "CREATE TABLE t (\n    id INTEGER NOT NULL PRIMARY KEY\n);",
        "CREATE TABLE t (\n    merchant_id INTEGER,\n    PRIMARY KEY (seq, merchant_id)\n);",
        "CREATE TABLE t (\n    serial TEXT NOT NULL UNIQUE,\n);",
        "CREATE TABLE t (\n    UNIQUE (packet_no, share_no)\n);",
        "CREATE UNIQUE INDEX i ON t (list_id);",
        "create table t (\n    id bigint primary key\n);",
    ] {
        assert_eq!(tidy::keys("V1__a.sql", bad).len(), 1, "{bad}");
    }
    for good in [
        "CREATE TABLE t (\n    merchant_id INTEGER NOT NULL PRIMARY KEY\n);",
        "CREATE TABLE t (\n    PRIMARY KEY (user_id, seq),\n    UNIQUE (user_id, at)\n);",
        "CREATE UNIQUE INDEX i ON t (merchant_id, serial);",
        "-- its PRIMARY KEY (seq) was wrong",
        "CREATE INDEX i ON t (at);",
    ] {
        assert_eq!(tidy::keys("V1__a.sql", good), NOTHING, "{good}");
    }
}
