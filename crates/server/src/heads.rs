//! Exported heads of journals, as text: one JSON object a line, so that any number of journals
//! streams, files can be put together, and the hourly lines of the JSON log read the same way.
//!
//! ```json
//! {"hongbao_heads":1,"taken_at":"2026-01-02T13:00:00.000+08:00"}
//! {"journal":"merchant/10000098","seq":57,"hash":"…","at":"2026-01-02T12:59:58.120+08:00"}
//! {"journals":1}
//! ```
//!
//! The last line says how many there were: half a file is not taken for a whole one.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Write},
    path::{Path, PathBuf},
};

use hongbao_app::{
    heads::{Heads, ToldHead, ToldHeads},
    ports::{AuditSource, StoreError},
};
use hongbao_domain::{
    Timestamp, UserId,
    ledger::{JournalHash, JournalHead, Owner},
};
use serde_json::{Value, json};

use crate::backup::Manifest;

/// The form of the lines; a reader refuses a newer one.
const FORMAT: u64 = 1;

/// Why heads cannot be exported or read.
#[derive(Debug, thiserror::Error)]
pub enum HeadsError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The heads cannot be written out.
    #[error("the heads could not be written: {0}")]
    Out(#[from] io::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is read is no export.
    #[error("{path}: {why}")]
    Form {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// Writes every head of `source` to `out`; answers how many.
pub async fn export(
    source: &mut dyn AuditSource,
    taken_at: Timestamp,
    out: &mut (dyn Write + Send),
) -> Result<u64, HeadsError> {
    writeln!(out, "{}", json!({ "hongbao_heads": FORMAT, "taken_at": taken_at.rfc3339() }))?;
    let mut heads = Heads::of(source);
    let mut journals = 0_u64;
    while let Some(page) = heads.page().await? {
        for (journal, head) in page {
            writeln!(out, "{}", line(journal, &head))?;
            journals = journals.saturating_add(1);
        }
    }
    writeln!(out, "{}", json!({ "journals": journals }))?;
    out.flush()?;
    Ok(journals)
}

/// One head as it is exported; a journal without rows has no time.
pub(crate) fn line(journal: Owner, head: &JournalHead) -> Value {
    let mut line =
        json!({ "journal": journal.to_string(), "seq": head.seq, "hash": head.hash.to_string() });
    if let (Some(fields), true) = (line.as_object_mut(), head.seq > 0) {
        fields.insert("at".to_owned(), Value::String(head.at.rfc3339()));
    }
    line
}

/// Reads exports, logs in JSON and manifests of backups, all into one.
pub fn read(paths: &[PathBuf]) -> Result<ToldHeads, HeadsError> {
    let mut told = ToldHeads::new();
    paths.iter().try_for_each(|path| read_one(path, &mut told))?;
    Ok(told)
}

fn read_one(path: &Path, told: &mut ToldHeads) -> Result<(), HeadsError> {
    let failed = |source| HeadsError::Io { path: path.to_owned(), source };
    let lines = BufReader::new(File::open(path).map_err(failed)?).lines().zip(1_u64..);
    let mut export = None;
    let mut found = 0_u64;
    for (text, number) in lines {
        let text = text.map_err(failed)?;
        if number == 1 && text.trim() == "{" {
            return read_manifest(path, told);
        }
        if text.trim().is_empty() {
            continue;
        }
        let wrong = |why: String| form(path, &format!("line {number}: {why}"));
        let line: Value = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("is no JSON ({error}); was the file cut?")))?;
        if let Some(format) = line.get("hongbao_heads").and_then(Value::as_u64) {
            if export.is_some() {
                return Err(wrong("the export before it has no end: it was cut".to_owned()));
            }
            if format > FORMAT {
                return Err(wrong("written by a newer program: use that one".to_owned()));
            }
            export = Some(0_u64);
        } else if let (Some(count), Some(journals)) = (export, line.get("journals")) {
            if journals.as_u64() != Some(count) {
                return Err(wrong(format!("{journals} heads were exported, {count} are here")));
            }
            export = None;
        } else if let Some((journal, head)) = told_head(&line).map_err(wrong)? {
            told.entry(journal).or_default().insert(head);
            export = export.map(|count| count.saturating_add(1));
            found = found.saturating_add(1);
        }
    }
    if export.is_some() {
        return Err(form(path, "the export has no end: it was cut"));
    }
    if found == 0 {
        return Err(form(path, "no head of a journal is in it"));
    }
    Ok(())
}

fn read_manifest(path: &Path, told: &mut ToldHeads) -> Result<(), HeadsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| HeadsError::Io { path: path.to_owned(), source })?;
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| form(path, &format!("neither heads nor a manifest: {error}")))?;
    for line in &manifest.heads.merchants {
        let head = told_head(line).map_err(|why| form(path, &why))?;
        if let Some((journal, head)) = head {
            told.entry(journal).or_default().insert(head);
        }
    }
    Ok(())
}

/// The head that a line tells; `None` for a line of a log that tells something else.
fn told_head(line: &Value) -> Result<Option<(Owner, ToldHead)>, String> {
    let text = |field| line.get(field).and_then(Value::as_str);
    // A log names the merchant, an export the journal.
    let journal = match (text("journal"), text("mch_id")) {
        (Some(journal), _) => journal.to_owned(),
        (None, Some(id)) if line.get("hash").is_some() => format!("merchant/{id}"),
        (None, _) => return Ok(None),
    };
    let bytes = text("hash").and_then(|hash| hex::decode(hash).ok());
    let hash = bytes.and_then(|bytes| bytes.try_into().ok()).map(JournalHash);
    let seq = line.get("seq").and_then(Value::as_u64);
    let (Some(owner), Some(seq), Some(hash)) = (owner(&journal), seq, hash) else {
        return Err(format!("what it tells of {journal:?} is no head: journal, seq, hash"));
    };
    let at = text("at").or_else(|| text("timestamp")).map(str::to_owned);
    Ok(Some((owner, ToldHead { seq, hash, at })))
}

fn owner(journal: &str) -> Option<Owner> {
    match journal.split_once('/')? {
        ("merchant", id) => id.parse().ok().map(Owner::Merchant),
        ("user", id) => id.parse().ok().map(UserId::new).map(Owner::User),
        _ => None,
    }
}

fn form(path: &Path, why: &str) -> HeadsError {
    HeadsError::Form { path: path.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "ab";

    fn read_text(text: &str) -> Result<ToldHeads, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("heads.json");
        std::fs::write(&path, text).unwrap();
        read(&[path]).map_err(|error| error.to_string())
    }

    fn a_head(journal: &str, seq: u64) -> String {
        json!({ "journal": journal, "seq": seq, "hash": HASH.repeat(32) }).to_string()
    }

    #[test]
    fn a_whole_export_is_read_and_a_cut_one_refused() {
        let (start, end) = (r#"{"hongbao_heads":1}"#, r#"{"journals":2}"#);
        let (one, two) = (a_head("merchant/10000098", 5), a_head("user/7", 1));
        let whole = format!("{start}\n{one}\n{two}\n{end}\n");
        assert_eq!(read_text(&whole).unwrap().len(), 2);
        for cut in [
            format!("{start}\n{one}\n{two}\n"),
            format!("{start}\n{one}\n{end}\n"),
            whole.trim_end().trim_end_matches('}').to_owned(),
            format!("{start}\n{one}\n{whole}"),
            String::new(),
        ] {
            assert!(read_text(&cut).is_err(), "{cut}");
        }
    }

    #[test]
    fn hourly_lines_of_a_log_are_heads_and_other_lines_are_passed() {
        let told = json!({ "timestamp": "2026-01-02T05:00:00Z", "level": "INFO",
            "message": "the head of a journal", "mch_id": "10000098", "seq": 9,
            "hash": HASH.repeat(32) });
        let other = json!({ "timestamp": "2026-01-02T05:00:00Z", "mch_id": "10000098" });
        let heads = read_text(&format!("{other}\n{told}\n")).unwrap();
        let (journal, heads) = heads.first_key_value().unwrap();
        assert_eq!(journal.to_string(), "merchant/10000098");
        let at = Some("2026-01-02T05:00:00Z".to_owned());
        assert_eq!(heads.first().unwrap(), &ToldHead { seq: 9, hash: JournalHash([0xab; 32]), at });
        assert!(read_text(&format!("{other}\n")).unwrap_err().contains("no head"));
    }

    #[test]
    fn what_is_no_head_is_named_by_its_line() {
        for bad in [
            r#"{"journal":"merchant/10000098","seq":1,"hash":"ab"}"#.to_owned(),
            r#"{"journal":"merchant/10000098","seq":1}"#.to_owned(),
            a_head("shop/1", 1),
        ] {
            let refused = read_text(&format!("{}\n{bad}\n", a_head("user/1", 1))).unwrap_err();
            assert!(refused.contains("line 2"), "{refused}");
        }
    }
}
