//! The house rules, as functions that find violations.
//!
//! Each takes a path (relative to the workspace) and a text, and answers with one sentence for
//! each violation. `tests/tidy.rs` runs them over the tree, and proves each by planting one.

mod manifests;
mod migrations;
mod text;

use std::{fs, path::Path};

pub use manifests::{directions, unsorted};
pub use migrations::{keys, numbers};
pub use text::{floats, machine_paths, markers, too_long};

/// Folders that hold nothing a person wrote.
const SKIPPED: [&str; 10] = [
    ".git",
    ".test",
    "target",
    "node_modules",
    "corpus",
    "artifacts",
    "demo-data",
    "results",
    "dist",
    "__pycache__",
];

/// A text file of the workspace.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// Path from the workspace, with `/`.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Every text file under `root`, by path.
pub fn text_files(root: &Path) -> Vec<TextFile> {
    let mut found = Vec::new();
    collect(root, "", &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<TextFile>) {
    let entries = fs::read_dir(folder).expect("a folder of the workspace can be read");
    for entry in entries {
        let entry = entry.expect("a folder of the workspace can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("a file of the workspace has a type");
        let path = format!("{prefix}{name}");
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
            && !text.contains('\0')
        {
            found.push(TextFile { path, text });
        }
    }
}

/// Whether `word` stands in `line` with no letter, digit or `_` around it.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = line.split_at(at);
        let after = after.strip_prefix(word).unwrap_or_default();
        !before.ends_with(part) && !after.starts_with(part)
    })
}
