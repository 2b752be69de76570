//! Rules about any text.

use super::has_word;

/// Lines of a source file at most; split what is longer.
const LINES_MAX: usize = 600;

/// Crates in which money or limits are.
const EXACT: [&str; 4] =
    ["crates/domain/src/", "crates/wire/src/", "crates/app/src/", "crates/store/src/"];

/// What is written on things that are not finished. In pieces, so that this file has none.
const MARKERS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Folders of one machine. In pieces, for the same reason.
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// Floating point in crates that count money.
pub fn floats(path: &str, text: &str) -> Vec<String> {
    let exact = EXACT.iter().any(|start| path.starts_with(start));
    let of_tests = path.contains("/tests/") || path.ends_with("tests.rs");
    if !exact || of_tests || !has_extension(path, &["rs"]) {
        return Vec::new();
    }
    numbered(text)
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| {
            let code = line.split("//").next().unwrap_or_default();
            ["f32", "f64"].iter().any(|float| has_word(code, float))
        })
        .map(|(no, _)| format!("{path}:{no}: money and limits are whole numbers"))
        .collect()
}

/// Source files above 600 lines.
pub fn too_long(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines > LINES_MAX && has_extension(path, &["rs", "sql", "ts", "tsx", "css", "py", "sh"]) {
        return vec![format!("{path}: {lines} lines, at most {LINES_MAX}")];
    }
    Vec::new()
}

/// Words that say that something is not finished.
pub fn markers(path: &str, text: &str) -> Vec<String> {
    let read = ["rs", "toml", "sql", "md", "sh", "ts", "tsx", "css", "py", "yaml", "yml"];
    if !has_extension(path, &read) {
        return Vec::new();
    }
    numbered(text)
        .filter(|(_, line)| MARKERS.iter().any(|marker| has_word(line, marker)))
        .map(|(no, _)| format!("{path}:{no}: finish it, or write an issue"))
        .collect()
}

/// Folders that are on one machine only.
pub fn machine_paths(path: &str, text: &str) -> Vec<String> {
    numbered(text)
        .filter(|(_, line)| MACHINE_PATHS.iter().any(|folder| line.contains(folder)))
        .map(|(no, _)| format!("{path}:{no}: names a folder of one machine"))
        .collect()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| extensions.contains(&extension))
}
