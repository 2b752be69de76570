//! Rules about manifests: who may depend on whom.

/// Dependencies that pure crates do without.
const IMPURE: [&str; 8] =
    ["tokio", "axum", "hyper", "rusqlite", "tokio-postgres", "reqwest", "getrandom", "tracing"];

/// A dependency and the only crates that may have it.
const ONLY: [(&[&str], &[&str]); 2] = [
    (&["rusqlite", "tokio-postgres", "refinery"], &["hongbao-store"]),
    (&["axum", "hyper"], &["hongbao-http", "hongbao-server"]),
];

/// A crate and those of ours that it may be built on; dev-dependencies are free.
const BUILT_ON: [(&str, &[&str]); 8] = [
    ("hongbao-domain", &[]),
    ("hongbao-wire", &["hongbao-domain"]),
    ("hongbao-app", &["hongbao-domain"]),
    ("hongbao-store", &["hongbao-domain", "hongbao-app"]),
    ("hongbao-http", &["hongbao-domain", "hongbao-app", "hongbao-wire"]),
    // A model of the system, not a part of it: it reads figures and would learn nothing from types.
    ("hongbao-plan", &[]),
    (
        "hongbao-server",
        &[
            "hongbao-domain",
            "hongbao-app",
            "hongbao-wire",
            "hongbao-store",
            "hongbao-http",
            "hongbao-plan",
        ],
    ),
    ("hongbao-testkit", &["hongbao-domain", "hongbao-app", "hongbao-wire", "hongbao-store"]),
];

/// One dependency of a manifest.
struct Dependency<'t> {
    name: &'t str,
    dev: bool,
}

/// Dependencies that point the wrong way.
pub fn directions(path: &str, text: &str) -> Vec<String> {
    let package = package_name(text);
    let built_on = BUILT_ON.iter().find(|(name, _)| *name == package).map(|(_, on)| *on);
    let Some(built_on) = built_on else {
        return vec![format!("{path}: {package} has no place among the crates yet")];
    };
    let pure = ["hongbao-domain", "hongbao-wire", "hongbao-plan"].contains(&package);
    let wrong = |dependency: &Dependency<'_>| {
        let Dependency { name, dev } = dependency;
        let ours = name.starts_with("hongbao-");
        let closed = ONLY.iter().any(|(deps, by)| deps.contains(name) && !by.contains(&package));
        closed
            || *name == "hongbao-server"
            || (pure && IMPURE.contains(name))
            || (ours && !dev && !built_on.contains(name))
    };
    dependencies(text)
        .into_iter()
        .filter(wrong)
        .map(|dependency| format!("{path}: {package} must not depend on {}", dependency.name))
        .collect()
}

fn package_name(text: &str) -> &str {
    let line = text.lines().find_map(|line| line.strip_prefix("name = \""));
    line.and_then(|rest| rest.strip_suffix('"')).unwrap_or("a package without name")
}

fn dependencies(text: &str) -> Vec<Dependency<'_>> {
    let mut section = "";
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix('[') {
            section = head.trim_end_matches(']');
            // [dependencies.name] is a dependency, too.
            if let Some((kind, name)) = section.split_once("dependencies.") {
                found.push(Dependency { name, dev: kind.ends_with("dev-") });
            }
        } else if section.ends_with("dependencies")
            && let Some(name) = key(line)
        {
            found.push(Dependency { name, dev: section.ends_with("dev-dependencies") });
        }
    }
    found
}

/// The key of a line; `None` for comments, blank lines and further lines of a value.
fn key(line: &str) -> Option<&str> {
    let starts = line.chars().next()?;
    let end = line.find(['.', ' ', '='])?;
    starts.is_ascii_alphanumeric().then(|| line.split_at(end).0)
}

/// Entries of `[workspace.dependencies]` out of order inside their comment group.
pub fn unsorted(path: &str, text: &str) -> Vec<String> {
    let section = text
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    let mut before = "";
    let mut wrong = Vec::new();
    for line in section {
        if line.starts_with('#') {
            before = "";
        } else if let Some(name) = key(line) {
            if name < before {
                wrong.push(format!("{path}: {name} stands after {before}"));
            }
            before = name;
        }
    }
    wrong
}
